"""Pictures of a few pixels, and one as long as they may be: fit, draw, zoom out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import expect

from app.services.labels import LabelEdit
from tests.browser.person import Editor, sign_in
from tests.browser.test_editor_by_hand import Studio
from tests.fixtures import pictures
from tests.fixtures.browser import PHONE, WIDE, Desk
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom

pytestmark = pytest.mark.browser
SMALL, LONG = (6, 2), (32_000, 8)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    server = Server(tmp_path_factory.mktemp("sizes"))
    with server.filled() as installation:
        ann = installation.person("ann", admin=True).actor
        room = PictureRoom(installation)
        content = [
            pictures.png(Image.new("RGB", size, (90, 120, 60))) for size in (SMALL, LONG)
        ]
        images = [room.upload(one, f"{n}.png").id for n, one in enumerate(content)]
        place = installation.services.library.detail(ann, images[0]).place
        assert place is not None
        installation.services.labels.create(ann, place.slug, LabelEdit(name="cell"))
    with serving(server):
        yield Studio(server, [str(image) for image in images])


def opened(studio: Studio, desk: Desk, at: int, size: tuple[int, int]) -> Editor:
    page = desk.page(studio.server.url, size)
    sign_in(page)
    return Editor(page, studio.images[at]).open()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_a_picture_of_six_pixels_can_be_labelled(
    studio: Studio, desk: Desk, size: tuple[int, int]
) -> None:
    editor = opened(studio, desk, 0, size)
    page = editor.page
    shown = page.locator("[data-print]").bounding_box()
    assert shown
    assert shown["width"] >= 0.8 * size[0] or shown["width"] == 64 * SMALL[0]
    assert "is-sharp" in (page.locator("[data-print]").get_attribute("class") or "")
    known = len(editor.stored()["annotations"])
    page.keyboard.press("n")
    page.mouse.move(shown["x"] + shown["width"] / 6, shown["y"] + 2)
    page.mouse.down()
    page.mouse.move(shown["x"] + shown["width"] / 2, shown["y"] + shown["height"] / 2, steps=4)
    page.mouse.up()
    editor.saved()
    made = editor.stored()["annotations"][-1]["box"]
    assert len(editor.stored()["annotations"]) == known + 1
    assert made["x"] == pytest.approx(1, abs=0.2)
    assert made["w"] == pytest.approx(2, abs=0.2)
    assert 0 < made["h"] <= 2


def test_a_long_picture_fits_and_does_not_jump_when_zoomed_out(
    studio: Studio, desk: Desk
) -> None:
    editor = opened(studio, desk, 1, PHONE)
    page = editor.page
    zoom = page.locator("[data-status-zoom]")
    shown = page.locator("[data-print]").bounding_box()
    assert shown
    assert shown["width"] <= PHONE[0]
    before = zoom.inner_text()
    page.locator("[data-canvas]").focus()
    page.keyboard.press("-")
    expect(zoom).to_have_text(before)
