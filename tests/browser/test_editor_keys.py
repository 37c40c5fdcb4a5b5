"""A key of one's own: taken by another action at first, mended, and used in the editor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import findings
from tests.browser.person import Editor, sign_in
from tests.browser.test_editor_by_hand import Studio, press
from tests.fixtures import pictures
from tests.fixtures.browser import Desk
from tests.fixtures.server import Server, serving

pytestmark = pytest.mark.browser
REFUSED = (r"answer 422", r"status of 422")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    server = Server(tmp_path_factory.mktemp("keys"))
    with server.filled() as installation:
        installation.person("ann", admin=True)
        answer = installation.api("ann").upload(
            (pictures.jpeg(pictures.photograph(800, 600)), "one.jpg")
        )
        images = [answer.json["images"][0]["id"]]
    with serving(server):
        yield Studio(server, images)


def test_a_key_that_is_taken_is_refused_mended_and_used(studio: Studio, desk: Desk) -> None:
    page = desk.page(studio.server.url)
    sign_in(page)
    page.goto("/account/keys")
    field = page.get_by_label("Type a label", exact=True)
    row = page.locator(".key-row", has=field)
    record = row.get_by_role("button")
    field.fill("")
    record.click()
    press(page, "h")
    expect(field).to_have_value("h")
    with desk.complaints.expected(*REFUSED):
        page.get_by_role("button", name="Save", exact=True).click()
        expect(field).to_have_attribute("aria-invalid", "true")
    expect(row).to_contain_text("h stands at “Hide; without a selection all” too.")
    expect(page.locator("[aria-invalid=true]")).to_have_count(1)
    assert findings(page) == []
    expect(field).to_have_value("h")
    field.fill("")
    record.click()
    press(page, "Control+Shift+KeyK")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("[aria-invalid=true]")).to_have_count(0)
    expect(field).to_have_value("Ctrl+Shift+k")
    use(Editor(page, studio.images[0]).open())


def use(editor: Editor) -> None:
    """The new key asks for a label, the old one does nothing, and H hides as ever."""
    page = editor.page
    press(page, "Enter Escape e")
    expect(page.get_by_label("Label of this box")).to_be_hidden()
    press(page, "Control+Shift+KeyK")
    page.get_by_label("Label of this box").fill("crab")
    press(page, "Enter h")
    expect(page.locator("g.box.is-hidden")).to_have_count(1)
    editor.saved()
    assert editor.labels() == ["crab"]
