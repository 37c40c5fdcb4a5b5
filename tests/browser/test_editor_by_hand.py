"""The editor by keys alone, by finger and pen, and to a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from app.services.labels import LabelEdit
from tests.browser.accessibility import findings
from tests.browser.person import Editor, sign_in, until
from tests.fixtures import pictures
from tests.fixtures.browser import PHONE, WIDE, Desk
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom

pytestmark = pytest.mark.browser
POSE = {
    "name": "pose",
    "kind": "select",
    "options": ["standing", "lying"],
    "default": "standing",
}
TYPES = [POSE, {"name": "age", "kind": "number"}, {"name": "wet", "kind": "checkbox"}]


@dataclass
class Studio:
    server: Server
    images: list[str]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    server = Server(tmp_path_factory.mktemp("studio"))
    with server.filled() as installation:
        ann = installation.person("ann", admin=True).actor
        room = PictureRoom(installation)
        content = [pictures.jpeg(pictures.photograph(800 + n, 600)) for n in range(3)]
        images = [room.upload(one, f"{n}.jpg").id for n, one in enumerate(content)]
        place = installation.services.library.detail(ann, images[0]).place
        assert place is not None
        for name, types in (("person", TYPES), ("dog", None)):
            edit = LabelEdit(name=name, attributes=types)
            installation.services.labels.create(ann, place.slug, edit)
    with serving(server):
        yield Studio(server, [str(image) for image in images])


def open_editor(studio: Studio, desk: Desk, at: int, size: tuple[int, int] = WIDE) -> Editor:
    page = desk.page(studio.server.url, size)
    sign_in(page)
    return Editor(page, studio.images[at]).open()


def press(page: Page, keys: str) -> None:
    """Keys, apart by blanks."""
    for key in keys.split():
        page.keyboard.press(key)


def by_kind(editor: Editor) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for one in editor.stored()["annotations"]:
        found.setdefault(one.get("shape", {}).get("type", "box"), []).append(one)
    return found


def test_everything_by_keys_alone(studio: Studio, desk: Desk) -> None:
    editor = open_editor(studio, desk, 0)
    page, said = editor.page, editor.page.locator("[data-said]")
    press(page, "n Enter ArrowRight Shift+ArrowDown Alt+Shift+ArrowRight")
    expect(said).to_have_text("person, Box, 210 × 150 at 301, 235")
    press(page, "2 Control+d Alt+.")
    expect(said).to_contain_text("15°")
    press(
        page, "1 p Enter Shift+ArrowRight Enter Shift+ArrowDown Enter Shift+ArrowLeft Enter n"
    )
    press(page, "j j u ArrowLeft")
    expect(said).to_contain_text("Vertex 3 of 5")
    press(page, "Delete Escape Escape k Enter Shift+ArrowUp Enter n i")
    editor.saved()
    kinds = by_kind(editor)
    assert {kind: len(found) for kind, found in kinds.items()} == {
        "box": 1, "rotated": 1, "polygon": 1, "points": 1, "image": 1,
    }  # fmt: skip
    assert kinds["box"][0]["label"] == "dog"
    assert kinds["rotated"][0]["label"] == kinds["polygon"][0]["label"] == "person"
    assert kinds["box"][0]["box"] == {"x": 301, "y": 235, "w": 210, "h": 150}
    assert kinds["rotated"][0]["shape"]["angle"] == 15
    assert len(kinds["polygon"][0]["shape"]["points"]) == 4
    assert kinds["image"][0]["attributes"] == {"pose": "standing"}
    go_through(editor)
    copy_and_order(editor)


def go_through(editor: Editor) -> None:
    """Tab selects one after the other, and leaves the surface behind the last."""
    page, chosen = editor.page, editor.page.locator("[data-box-list] [aria-current]")
    press(page, "Escape")
    page.locator("[data-canvas]").focus()
    for name in ("dog", "person", "person", "person"):
        press(page, "Tab")
        expect(chosen).to_contain_text(name)
    press(page, "Tab Tab")
    expect(page.locator("[data-canvas]")).not_to_be_focused()
    press(page, "F6 F6")


def copy_and_order(editor: Editor) -> None:
    page = editor.page
    page.locator("[data-canvas]").focus()
    press(page, "Tab Home l Delete")
    expect(editor.boxes).to_have_count(4)
    press(page, "l Control+c")
    expect(page.locator("[data-said]")).to_have_text("Copied.")
    press(page, "Control+v h")
    editor.saved()
    stored = editor.stored()["annotations"]
    assert len(stored) == 6
    assert stored[-1]["box"]["x"] == stored[-2]["box"]["x"] + 12
    press(page, "Control+z")
    expect(editor.boxes).to_have_count(4)


def touch(client: CDPSession, page: Page, *steps: list[tuple[float, float]]) -> None:
    """Fingers at these places, moved on by each step and taken off."""
    for number, places in enumerate(steps):
        kind = "touchMove" if number else "touchStart"
        fingers = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
        page.wait_for_timeout(40)
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_and_a_pen(studio: Studio, desk: Desk) -> None:
    """Drag to draw, tap to select, two fingers to zoom; a pen is as fine as a mouse."""
    editor = open_editor(studio, desk, 1, PHONE)
    page, client = editor.page, editor.page.context.new_cdp_session(editor.page)
    start, middle, end = editor.at(0.2, 0.2), editor.at(0.4, 0.4), editor.at(0.6, 0.6)
    touch(client, page, [start], [middle], [end])
    expect(editor.boxes).to_have_count(1)
    page.wait_for_timeout(300)
    touch(client, page, [editor.at(0.9, 0.9)])
    expect(page.locator("g.box.is-selected")).to_have_count(0)
    touch(client, page, [middle])
    expect(page.locator("g.box.is-selected")).to_have_count(1)
    zoom = page.locator("[data-status-zoom]").text_content()
    apart = [editor.at(0.3, 0.5), editor.at(0.7, 0.5)]
    touch(client, page, [editor.at(0.45, 0.5), editor.at(0.55, 0.5)], apart, apart)
    assert page.locator("[data-status-zoom]").text_content() != zoom
    expect(page.locator("[data-minimap]")).to_be_visible()
    press(page, "w")
    pen = {"pointerType": "pen", "button": "left", "buttons": 1, "clickCount": 1, "force": 0.5}
    for kind, (x, y) in (
        ("mousePressed", editor.at(0.7, 0.1)),
        ("mouseMoved", editor.at(0.8, 0.2)),
        ("mouseMoved", editor.at(0.9, 0.3)),
        ("mouseReleased", editor.at(0.9, 0.3)),
    ):
        client.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **pen})
    expect(editor.boxes).to_have_count(2)
    editor.saved()
    assert editor.labels() == ["person", "person"]


def test_it_reads_well_with_everything_open(studio: Studio, desk: Desk) -> None:
    editor = open_editor(studio, desk, 2)
    page = editor.page
    press(page, "Enter i")
    page.locator("[data-box-list] .box-pick").first.click()
    page.get_by_label("age").fill("7")
    page.get_by_label("wet").check()
    press(page, "Escape x")
    expect(page.locator("[data-light] input").first).to_be_focused()
    found = findings(page)
    press(page, "ArrowRight Escape")
    until(page, "document.querySelector('[data-print]').style.filter.includes('105%')")
    page.locator("[data-canvas]").focus()
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    found += findings(page)
    press(page, "Escape")
    editor.saved()
    box = by_kind(editor)["box"][0]
    assert box["attributes"] == {"pose": "standing", "age": 7, "wet": True}
    page.goto("/account/keys")
    assert found + findings(page) == []
