"""From an empty instance to labelled pictures, as a person goes, in a real browser."""

from __future__ import annotations

import math
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import (
    Editor,
    choose,
    go_back,
    set_up,
    sign_out,
    tiles,
    upload_row,
    wait_for_thumbnails,
)
from tests.fixtures import pictures
from tests.fixtures.browser import PHONE, WIDE, Desk
from tests.fixtures.server import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow]
SHAPES = ((1200, 800), (800, 1200), (1500, 640), (1000, 1000), (1280, 720))
STILL = 0.001
"""A layout shift that nobody sees; 0.1 counts as good elsewhere."""


@pytest.fixture
def photographs(tmp_path: Path) -> list[Path]:
    """Five pictures of several shapes, as from a camera."""
    made = []
    for number, size in enumerate(SHAPES):
        made.append(tmp_path / f"picture-{number}.jpg")
        made[-1].write_bytes(pictures.camera_jpeg(pictures.photograph(*size)))
    return made


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    """A picture of more pixels than the limit."""
    path = tmp_path / "huge.png"
    path.write_bytes(pictures.png_of_claimed_size(9000, 6000))
    return path


def rounded(value: float) -> float:
    """As the editor rounds: to tenths of a pixel, halves upwards."""
    return math.floor(value * 10 + 0.5) / 10


def expect_still(page: Page) -> None:
    shift = page.evaluate("window.shift")
    assert shift["sum"] <= STILL, shift


def upload(page: Page, photographs: list[Path], huge: Path) -> None:
    """Several files, one of which is refused in words; each row ends in a state."""
    choose(page, *photographs, huge)
    for photograph in photographs:
        expect(upload_row(page, photograph.name).locator(".words")).to_have_text("ready")
    expect(upload_row(page, huge.name).locator(".words")).to_have_text(
        "refused: the picture has 54 megapixels, the limit is 50."
    )
    expect(page.locator("[data-total-words]")).to_contain_text(f"{len(photographs)}")
    page.get_by_role("link", name="See them in the gallery").click()


def look_around(page: Page, count: int) -> None:
    """The gallery stands still from its first paint on, and leaves no row half full."""
    page.goto("/gallery")
    expect(tiles(page)).to_have_count(count)
    wait_for_thumbnails(page)
    expect_still(page)
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, "the page scrolls sideways"


def go_by_keys(page: Page) -> str:
    """Arrows, Enter and Esc; ends on the page of the second picture. Returns its address."""
    links = page.locator(".tile-link")
    for key, at in (("ArrowRight", 0), ("ArrowRight", 1), ("ArrowLeft", 0), ("End", 4)):
        page.keyboard.press(key)
        expect(links.nth(at)).to_be_focused()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    second = links.nth(1).get_attribute("href")
    assert second is not None
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{second}")
    page.keyboard.press("Escape")
    page.wait_for_url("**/gallery")
    page.goto(second)
    return second


def read_details(page: Page) -> None:
    """What the camera wrote, how the file is sealed, and a tag."""
    panel = page.get_by_role("complementary", name="Details")
    expect(panel).to_contain_text("Maker")
    expect(panel).to_contain_text("2021-05-06")
    panel.get_by_text("Sealed with AES-256-GCM").click()
    expect(panel).to_contain_text("its own, changed")
    panel.get_by_placeholder("Add a tag").fill("Orchard, evening")
    panel.get_by_role("button", name="Add").click()
    expect(panel.locator(".chip")).to_have_count(2)
    page.keyboard.press("Escape")  # leaves the field


def draw(editor: Editor) -> None:
    """Three boxes: a new label typed, another by a new name, the first again by its digit."""
    page = editor.page
    start, end = editor.at(0.1, 0.1), editor.at(0.4, 0.45)
    editor.drag(start, end)
    page.keyboard.type("apple")
    page.keyboard.press("Enter")
    editor.saved()
    left, top = editor.in_picture(start)
    right, bottom = editor.in_picture(end)
    assert editor.stored_boxes() == [
        {
            "x": rounded(left),
            "y": rounded(top),
            "w": rounded(right - left),
            "h": rounded(bottom - top),
        }
    ]
    editor.drag(editor.at(0.5, 0.15), editor.at(0.7, 0.4))
    page.keyboard.press("e")
    page.keyboard.type("pear")
    page.keyboard.press("Enter")
    editor.drag(editor.at(0.55, 0.55), editor.at(0.9, 0.9))
    page.keyboard.press("1")
    editor.saved()
    assert [one["label"] for one in editor.stored()["annotations"]] == [
        "apple",
        "pear",
        "apple",
    ]


def move_and_resize(editor: Editor) -> None:
    """The first box moved, the third resized; both undone and done again."""
    page = editor.page
    before = editor.shown()
    page.keyboard.press("v")
    editor.drag(editor.at(0.2, 0.25), editor.at(0.25, 0.3))
    moved = editor.shown()
    assert moved[0]["x"] > before[0]["x"]
    assert (moved[0]["w"], moved[0]["h"]) == (before[0]["w"], before[0]["h"])
    page.mouse.click(*editor.at(0.7, 0.7))
    editor.drag(editor.at(0.9, 0.9), editor.at(0.95, 0.8))
    resized = editor.shown()
    assert resized[2]["w"] > before[2]["w"]
    assert resized[2]["h"] < before[2]["h"]
    page.keyboard.press("Control+z")
    assert editor.shown() == moved
    page.keyboard.press("Control+z")
    assert editor.shown() == before
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    assert editor.shown() == resized


def expect_kept(editor: Editor) -> None:
    """After a reload the boxes stand exactly where they were, here and in the API."""
    before = editor.shown()
    editor.saved()
    editor.page.reload()
    editor.ready()
    assert editor.shown() == before
    assert editor.stored_boxes() == before


def leave(page: Page, name: str) -> None:
    """Sign out; the way back shows nothing, and the gallery asks who is there."""
    page.goto("/gallery")
    wait_for_thumbnails(page)
    sign_out(page)
    go_back(page)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page.locator("img.thumb")).to_have_count(0)
    assert name not in page.content()
    page.goto("/gallery")
    assert urlsplit(page.url).path == "/auth/login"


def test_the_first_evening(
    empty_server: Server, desk: Desk, photographs: list[Path], huge: Path
) -> None:
    page = desk.page(empty_server.url, WIDE)
    set_up(page)
    expect(page.get_by_role("heading", name="Nothing hangs here yet")).to_be_visible()
    page.get_by_role("link", name="Upload pictures").click()
    with desk.complaints.expected("422"):
        upload(page, photographs, huge)
    look_around(page, len(photographs))
    picture = go_by_keys(page)
    read_details(page)
    page.keyboard.press("e")
    editor = Editor(page, picture.rpartition("/")[2]).ready()
    assert urlsplit(page.url).path == editor.path
    draw(editor)
    move_and_resize(editor)
    expect_kept(editor)
    page.keyboard.press("Escape")
    page.wait_for_url(f"**{picture}")
    expect(page.locator(".label-counts")).to_contain_text("pear")
    leave(page, photographs[0].name)


def finger(page: Page, *places: tuple[float, float]) -> None:
    """Put a finger down at the first place, draw it over the others, and lift it."""
    client = page.context.new_cdp_session(page)
    kinds = ("touchStart", *["touchMove"] * (len(places) - 1))
    for kind, (x, y) in zip(kinds, places, strict=True):
        points = [{"x": x, "y": y}]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_on_a_phone(empty_server: Server, desk: Desk, photographs: list[Path]) -> None:
    page = desk.page(empty_server.url, PHONE, scheme="light")
    set_up(page)
    page.get_by_role("link", name="Upload", exact=True).tap()
    choose(page, *photographs[:2])
    for photograph in photographs[:2]:
        expect(upload_row(page, photograph.name).locator(".words")).to_have_text("ready")
    look_around(page, 2)
    tiles(page).first.tap()
    page.wait_for_url("**/images/*")
    page.get_by_title("Draw and label boxes (E)").tap()
    editor = Editor(page, urlsplit(page.url).path.split("/")[2]).ready()
    finger(page, editor.at(0.2, 0.2), editor.at(0.4, 0.4), editor.at(0.6, 0.7))
    page.keyboard.type("apple")
    page.get_by_role("button", name="OK").tap()
    editor.saved()
    expect(editor.boxes).to_have_count(1)
    expect_kept(editor)
    leave(page, photographs[0].name)
