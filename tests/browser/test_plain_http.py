"""The editor at an address without https on the local network: browsers seal nothing there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser.person import Editor, sign_in
from tests.fixtures.browser import Complaints, Desk, launch
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HOST = "darkroom.lan"
AWAY = (r"net::ERR_", r"header has been ignored, because the URL's origin was untrustworthy")


@pytest.fixture(scope="module")
def browser_on_the_lan() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = launch(play, f"--host-resolver-rules=MAP {HOST} 127.0.0.1")
        yield browser
        browser.close()


def test_unsent_work_is_in_the_tab_alone_and_that_is_said(
    tmp_path_factory: pytest.TempPathFactory,
    browser_on_the_lan: Browser,
    complaints: Complaints,
) -> None:
    server = Server(tmp_path_factory.mktemp("lan"), ALLOWED_HOSTS=f"{HOST},127.0.0.1")
    with server.filled() as installation:
        installation.person("ann", admin=True)
        image = PictureRoom(installation).upload(picture(1, 300, 200)).id
    desk = Desk(browser_on_the_lan, complaints)
    with serving(server), complaints.expected(*AWAY):
        page = desk.page(server.url.replace("127.0.0.1", HOST))
        sign_in(page)
        editor = Editor(page, str(image)).open()
        assert page.evaluate("[isSecureContext, typeof crypto.subtle]") == [False, "undefined"]
        expect(page.get_by_text("Unsent work is kept in this tab only")).to_be_visible()
        editor.draw("apple", 0.1)
        editor.saved()
        page.context.set_offline(True)
        editor.draw("apple", 0.5)
        words = page.locator("[data-save-words]")
        expect(words).to_have_text("Offline, 1 waiting, in this tab only")
        expect(page.locator("[data-toasts]")).to_contain_text("Leave the tab open until")
        page.context.set_offline(False)
        editor.saved()
        shown = editor.shown()
        page.reload()
        assert editor.ready().shown() == shown
        assert len(shown) == 2
        desk.contexts[0].close()
