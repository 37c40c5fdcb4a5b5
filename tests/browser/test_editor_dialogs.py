"""What opens over the editor, by keyboard and to a screen reader: every deed is told, and
axe-core has nothing serious to say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from app.services.labels import LabelEdit
from tests.browser.accessibility import findings
from tests.browser.person import Editor, sign_in
from tests.fixtures.browser import PHONE, WIDE, Desk
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
AWAY = (r"net::ERR_", r"answer 4(00|01|09)", r"status of 4(00|01|09)")
AGE = {"name": "age", "kind": "number"}


@dataclass
class Studio:
    server: Server
    images: list[str]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    server = Server(tmp_path_factory.mktemp("studio"))
    with server.filled() as installation:
        ann = installation.person("ann", admin=True).actor
        room, services = PictureRoom(installation), installation.services
        slug = services.collections.create(ann, name="Studio").slug
        stored = [
            room.upload(picture(n, 400, 300), f"{n}.bmp", collection=slug) for n in range(3)
        ]
        for name, types in (("person", [AGE]), ("dog", None)):
            services.labels.create(ann, slug, LabelEdit(name=name, attributes=types))
    with serving(server):
        yield Studio(server, [str(one.id) for one in stored])


def opened(studio: Studio, desk: Desk, at: int, size: tuple[int, int] = WIDE) -> Editor:
    page = desk.page(studio.server.url, size)
    sign_in(page)
    return Editor(page, studio.images[at]).open()


def press(page: Page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def test_each_deed_is_told(studio: Studio, desk: Desk) -> None:
    """Made, moved, resized, labelled, given an attribute, commented and submitted by keys."""
    editor = opened(studio, desk, 0)
    page, said = editor.page, editor.page.locator("[data-said]")
    page.locator("[data-canvas]").focus()
    for keys, words in (
        ("Enter", "person, Box, 100 × 75 at 150, 113"),
        ("Shift+ArrowRight", "person, Box, 100 × 75 at 160, 113"),
        ("Alt+Shift+ArrowDown", "person, Box, 100 × 85 at 160, 113"),
        ("2", "dog, Box, 100 × 85 at 160, 113"),
        ("1", "person, Box, 100 × 85 at 160, 113"),
    ):
        press(page, keys)
        expect(said).to_have_text(words)
    press(page, "F6")
    tab_to(page, "age")
    page.keyboard.type("7")
    press(page, "Enter")
    editor.saved()
    page.locator("[data-canvas]").focus()
    press(page, "F6")
    tab_to(page, "Comments")
    press(page, "Enter Tab")
    tab_to(page, "New comment")
    page.keyboard.type("Is this one right?")
    press(page, "Control+Enter")
    expect(said).to_have_text("Your comment is saved.")
    (box,) = editor.stored()["annotations"]
    assert (box["label"], box["attributes"]) == ("person", {"age": 7})
    press(page, "Escape")
    expect(page.locator("[data-canvas]")).to_be_focused()
    press(page, "Control+Enter")
    page.wait_for_url(lambda url: editor.image_id not in url)
    assert editor.stored()["state"] == "done"


def tab_to(page: Page, name: str) -> None:
    """Go on by Tab until the control of this name has the focus."""
    for _ in range(60):
        words = page.evaluate(
            """() => {
              const at = document.activeElement;
              return (at.getAttribute("aria-label") || at.labels?.[0]?.textContent
                || at.textContent).trim();
            }"""
        )
        if words.startswith(name):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name}")


@pytest.mark.parametrize(("at", "size"), [(1, WIDE), (2, PHONE)], ids=["wide", "phone"])
def test_dialogs_and_panels_read_well(
    studio: Studio, desk: Desk, at: int, size: tuple[int, int]
) -> None:
    editor = opened(studio, desk, at, size)
    page = editor.page
    page.locator("[data-canvas]").focus()
    press(page, "Enter Shift+ArrowRight")
    editor.saved()
    with desk.complaints.expected(*AWAY):
        found = conflict(editor)
        if size == PHONE:
            page.get_by_role("button", name="Labels and lists").click()
        page.locator("[data-comments] summary").press("Enter")
        page.get_by_label("New comment").fill("Is this one right?")
        page.keyboard.press("Control+Enter")
        expect(page.locator("[data-comment]")).to_be_visible()
        found += findings(page)
        page.locator("[data-history] summary").press("Enter")
        expect(page.locator("[data-history-list] li").first).to_be_visible()
        found += findings(page)
        page.context.clear_cookies()
        page.locator("[data-canvas]").focus()
        press(page, "Shift+ArrowLeft")
        expect(page.get_by_role("dialog", name="Sign in again")).to_be_visible()
        found += findings(page)
    assert found == []


def conflict(editor: Editor) -> list[str]:
    """Somebody moves the same box meanwhile."""
    page = editor.page
    page.context.set_offline(True)
    press(page, "ArrowDown")
    (box,) = editor.stored()["annotations"]
    op = {"op": "update", "id": box["id"], "rev": box["rev"], "label": "dog", "box": box["box"]}
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    answer = page.request.patch(
        f"/api/v1/images/{editor.image_id}/annotations",
        data={"ops": [op]},
        headers={"X-CSRFToken": token},
    )
    assert answer.ok, answer.text()
    page.context.set_offline(False)
    sheet = page.get_by_role("dialog", name="One box was changed here and elsewhere")
    expect(sheet).to_be_visible()
    found = findings(page)
    press(page, "3")
    editor.saved()
    return found
