"""Everything but drawing boxes works in a browser that runs no script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.person import go_back, set_up, sign_in, tiles
from tests.fixtures import pictures
from tests.fixtures.browser import PHONE, WIDE, Desk
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
MANY = 92
"""More pictures than one page of the gallery shows."""


def upload(page: Page, folder: Path) -> None:
    """By the plain form: two are stored, one is refused in words."""
    for name in ("one.jpg", "two.jpg"):
        (folder / name).write_bytes(pictures.jpeg(pictures.photograph(600, 400)))
    (folder / "notes.txt").write_text("Not a picture at all.")
    files = [folder / name for name in ("one.jpg", "two.jpg", "notes.txt")]
    page.get_by_label("Choose pictures").set_input_files(files)
    page.get_by_label("Tags for all of them").fill("evening")
    page.get_by_role("button", name="Upload").click()
    outcome = page.get_by_role("status", name="What became of them")
    expect(outcome.get_by_role("listitem")).to_have_count(3)
    expect(outcome).to_contain_text("refused: ")
    outcome.get_by_role("link", name="See them in the gallery").click()


def tag(page: Page) -> None:
    """The whole set is sent by the form of the picture page, and each tag leads to a list."""
    tiles(page).first.get_by_role("link").click()
    field = page.get_by_label("Tags of this picture")
    expect(field).to_have_value("evening")
    field.fill("evening, orchard")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("list", name="Tags").get_by_role("link", name="orchard").click()
    expect(tiles(page)).to_have_count(1)
    page.get_by_role("link", name="Remove the filter").click()
    expect(tiles(page)).to_have_count(2)


def trash_and_restore(page: Page) -> None:
    tiles(page).first.get_by_role("checkbox").check(force=True)
    page.get_by_role("button", name="Move to trash").click()
    expect(tiles(page)).to_have_count(1)
    expect(page.get_by_text("1 picture moved to the trash.")).to_be_visible()
    page.goto("/trash")
    page.get_by_role("checkbox").check(force=True)
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("heading", name="The trash is empty")).to_be_visible()
    page.goto("/gallery")
    expect(tiles(page)).to_have_count(2)


def make_a_collection(page: Page) -> None:
    """With a label; then a picture is moved there."""
    page.goto("/collections")
    page.get_by_text("New collection").click()
    page.get_by_label("Name", exact=True).fill("Orchard survey")
    page.get_by_role("button", name="Make the collection").click()
    expect(page.get_by_role("heading", name="Orchard survey")).to_be_visible()
    page.get_by_label("New label").fill("apple")
    page.locator("#labels").get_by_role("button", name="Add").click()
    expect(page.locator(".label-lines")).to_contain_text("apple")
    page.goto("/gallery")
    tiles(page).first.get_by_role("checkbox").check(force=True)
    page.locator("summary", has_text="Move").click()
    page.get_by_label("Move to").select_option("Orchard survey")
    page.get_by_role("button", name="Move", exact=True).click()
    page.goto("/collections")
    page.get_by_role("link", name="Orchard survey", exact=True).click()
    expect(tiles(page)).to_have_count(1)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_an_evening(
    empty_server: Server, desk: Desk, tmp_path: Path, size: tuple[int, int]
) -> None:
    page = desk.page(empty_server.url, size, scripts=False)
    set_up(page)
    page.get_by_role("link", name="Upload pictures").click()
    upload(page, tmp_path)
    expect(tiles(page)).to_have_count(2)
    tag(page)
    trash_and_restore(page)
    make_a_collection(page)
    page.goto("/account")
    page.get_by_role("button", name="Sign out").click()
    assert urlsplit(page.url).path == "/auth/login"
    go_back(page)
    assert "one.jpg" not in page.content()
    page.goto("/gallery")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@dataclass
class Crowd:
    """A running server with more pictures than a page shows, oldest first."""

    server: Server
    images: list[str]


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    server = Server(tmp_path)
    with server.filled() as installation:
        installation.person("ann", admin=True)
        room = PictureRoom(installation)
        stored = [str(room.upload(picture(n), f"{n}.bmp").id) for n in range(MANY)]
    with serving(server):
        yield Crowd(server, stored)


def test_pages_of_the_gallery_are_links(crowd: Crowd, desk: Desk) -> None:
    """Every picture is met once on the way to the oldest; the way back leads to the newest."""
    page = desk.page(crowd.server.url, scripts=False)
    sign_in(page)
    met: list[str] = []
    onward = page.get_by_role("link", name="Older pictures")
    for last in (False, True):
        met += tiles(page).evaluate_all("(nodes) => nodes.map((one) => one.dataset.id)")
        expect(onward).to_have_count(0 if last else 1)
        if not last:
            onward.click()
    assert met == crowd.images[::-1]
    page.get_by_role("link", name="Newest pictures").click()
    expect(tiles(page).first).to_have_attribute("data-id", crowd.images[-1])
