"""What goes wrong while one works: the server dies, others save first, a wrong click."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import expect

from tests.browser.person import Editor, sign_in, tiles
from tests.fixtures import pictures
from tests.fixtures.browser import Desk
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom

pytestmark = [pytest.mark.browser, pytest.mark.slow]
COUNT = 6
# The browser reports that the server could not be reached, and the refused save.
GONE = (r"net::ERR_CONNECTION|net::ERR_EMPTY_RESPONSE|net::ERR_SOCKET", r"answer 503")


@dataclass
class Studio:
    """A running server with one account and six pictures, newest first."""

    server: Server
    images: list[str]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    server = Server(tmp_path_factory.mktemp("studio"))
    with server.filled() as installation:
        installation.person("ann", admin=True)
        room = PictureRoom(installation)
        stored = [
            room.upload(pictures.jpeg(pictures.photograph(900, 600 + n)), f"picture-{n}.jpg")
            for n in range(COUNT)
        ]
    with serving(server):
        yield Studio(server, [str(one.id) for one in reversed(stored)])


def test_the_server_dies_while_one_draws(studio: Studio, desk: Desk) -> None:
    page = desk.page(studio.server.url)
    sign_in(page)
    editor = Editor(page, studio.images[0]).open()
    editor.draw("apple")
    editor.saved()
    with desk.complaints.expected(*GONE):
        studio.server.kill()
        editor.drag(editor.at(0.5, 0.5), editor.at(0.7, 0.8))
        expect(page.locator("[data-save-words]")).to_have_text("Offline, 1 waiting")
        page.keyboard.press("ArrowRight")
        studio.server.start()
        editor.saved()
    assert len(editor.stored_boxes()) == 2
    assert editor.stored_boxes() == editor.shown()
    page.reload()
    editor.ready()
    assert editor.stored_boxes() == editor.shown()


def test_trash_and_restore_by_selection(studio: Studio, desk: Desk) -> None:
    page = desk.page(studio.server.url)
    sign_in(page)
    expect(tiles(page)).to_have_count(COUNT)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_text("2 selected")).to_be_visible()
    page.get_by_role("button", name="Move to trash").click()
    expect(tiles(page)).to_have_count(COUNT - 2)
    page.get_by_role("button", name="Undo").click()
    expect(tiles(page)).to_have_count(COUNT)
    page.keyboard.press("End")
    page.keyboard.press("Delete")
    expect(tiles(page)).to_have_count(COUNT - 1)
    page.goto("/trash")
    gone = page.locator(".leaver:not([hidden])")
    expect(gone).to_have_count(1)
    gone.get_by_role("checkbox").check(force=True)
    page.get_by_role("button", name="Restore").click()
    expect(gone).to_have_count(0)
    page.goto("/gallery")
    expect(tiles(page)).to_have_count(COUNT)
    expect(page.get_by_text(re.compile(f"^{COUNT} pictures$")).first).to_be_visible()
