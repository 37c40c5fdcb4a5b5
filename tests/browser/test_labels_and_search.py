"""A label set put in order, renamed, merged, and pictures found by it, by keys and forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import findings
from tests.browser.person import sign_in, tiles
from tests.fixtures.browser import PHONE, Desk
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NAMES = ("harbour at dawn.bmp", "harbour.bmp", "meadow.bmp")
LABELS = (("gull", "boat"), ("boat",), ("tree",))


@dataclass
class Shore:
    server: Server
    slug: str


@pytest.fixture(scope="module")
def shore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shore]:
    """Three pictures with four annotations of three labels; a search finds what was merged."""
    server = Server(tmp_path_factory.mktemp("shore"))
    with server.filled() as installation:
        installation.person("ann", admin=True)
        room = PictureRoom(installation)
        services, ann = installation.services, room.actor
        slug = services.collections.create(ann, name="Shore").slug
        for n, (name, labels) in enumerate(zip(NAMES, LABELS, strict=True)):
            image = room.upload(picture(n), name, collection=slug).id
            box = {"x": 1, "y": 1, "w": 2, "h": 2}
            drawn = [{"label": label, "box": box} for label in labels]
            services.annotations.put(ann, image, {"annotations": drawn}, "*")
    with serving(server):
        yield Shore(server, slug)


def order(page: Page) -> list[str]:
    return page.locator("[data-label-list] .line-title a").all_inner_texts()


def test_labels_are_ordered_by_keys_renamed_and_merged(shore: Shore, desk: Desk) -> None:
    page = desk.page(shore.server.url)
    sign_in(page)
    page.goto(f"/collections/{shore.slug}/labels")
    assert set(order(page)) == {"gull", "boat", "tree"}
    last = order(page)[-1]
    page.locator("[data-grip]").last.focus()
    with page.expect_response("**/labels/order") as sent:
        page.keyboard.press("ArrowUp")
        page.keyboard.press("ArrowUp")
    assert sent.value.ok
    page.reload()
    assert order(page)[0] == last
    assert findings(page) == []
    page.get_by_role("link", name="Change “boat”").click()
    expect(page.get_by_text("It has 2 annotations on 2 pictures")).to_be_visible()
    assert findings(page) == []
    page.get_by_label("Name", exact=True).first.fill("vessel")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("also boat")).to_be_visible()
    page.get_by_role("link", name="Change “vessel”").click()
    page.get_by_label("The other label").select_option("gull")
    page.get_by_role("button", name="Merge").click()
    page.get_by_role("dialog").get_by_role("button", name="Merge").click()
    expect(page.get_by_text("2 annotations changed.")).to_be_visible()
    expect(page.locator("[data-label-list]")).to_contain_text("3 annotations on 2 pictures")
    expect(page.locator(".label-history")).to_contain_text("merged “vessel” into “gull”")


def test_pictures_are_found_and_the_filter_is_kept(shore: Shore, desk: Desk) -> None:
    page = desk.page(shore.server.url, PHONE)
    sign_in(page)
    page.keyboard.press("/")
    expect(page.get_by_label("Search the names of pictures")).to_be_focused()
    page.keyboard.type("HARBOUR")
    page.keyboard.press("Enter")
    expect(tiles(page)).to_have_count(2)
    page.goto(f"/gallery?collection={shore.slug}")
    page.locator(".filters summary").click()
    assert findings(page) == []
    page.get_by_label("Label", exact=True).fill("boat")
    page.get_by_label("Words of the name").fill("dawn")
    page.get_by_role("button", name="Show").click()
    expect(tiles(page)).to_have_count(1)
    page.locator(".filters summary").click()
    page.get_by_label("Name for these filters").fill("Boats at dawn")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("“Boats at dawn” is kept.")).to_be_visible()
    expect(tiles(page)).to_have_count(1)
    page.locator(".filter-chips a", has_text="dawn").click()
    expect(tiles(page)).to_have_count(2)
    page.locator(".filters summary").click()
    page.get_by_role("link", name="Boats at dawn").click()
    expect(tiles(page)).to_have_count(1)
    page.locator(".filters summary").click()
    page.get_by_label("Words of the name").fill("harbour")  # and never shown
    page.get_by_label("Name for these filters").fill("Boats in the harbour")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("“Boats in the harbour” is kept.")).to_be_visible()
    expect(tiles(page)).to_have_count(2)
