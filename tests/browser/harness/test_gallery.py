"""The gallery: stands before the first paint, goes on as one scrolls, works by keys alone."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.harness import samples
from tests.browser.harness.browser import PHONE, WIDE
from tests.browser.harness.conftest import Visit
from tests.browser.person import until

pytestmark = pytest.mark.browser

SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) sum += entry.value;
  }).observe({ type: 'layout-shift', buffered: true });
  setTimeout(() => done(sum), 600);
})"""
ROWS = """() => {
  const rows = new Map();
  for (const tile of document.querySelectorAll('.tile')) {
    const box = tile.getBoundingClientRect();
    const list = tile.closest('[data-rows]').getBoundingClientRect();
    const key = `${list.top}/${box.top}`;
    const fresh = { right: 0, height: box.height, list: [list.left, list.right], ratios: [] };
    const row = rows.get(key) ?? fresh;
    row.right = Math.max(row.right, box.right);
    row.ratios.push([box.width / box.height, tile.dataset.w / tile.dataset.h]);
    rows.set(key, row);
  }
  return [...rows.values()];
}"""


def current(page: Page) -> str:
    return str(page.evaluate("document.activeElement.getAttribute('href')"))


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_nothing_moves_while_it_loads(visit: Visit, size: tuple[int, int]) -> None:
    page = visit("/gallery", size)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SHIFTS) == pytest.approx(0, abs=0.001)
    expect(page.locator(".thumb.is-there").first).to_be_visible()


@pytest.mark.parametrize("size", [WIDE, PHONE, (1920, 1080)])
def test_rows_are_full_and_ratios_true(visit: Visit, size: tuple[int, int]) -> None:
    rows = visit("/gallery", size).evaluate(ROWS)
    assert len(rows) > 5
    full = [row for row in rows if abs(row["right"] - row["list"][1]) < 1.01]
    assert len(full) >= len(rows) - len({tuple(row["list"]) for row in rows}) - 2
    goal = 140 if size == PHONE else 200
    for row in full:
        assert goal * 0.6 < row["height"] < goal * 1.45
        for shown, true in row["ratios"]:
            assert shown == pytest.approx(min(3.6, max(0.45, true)), rel=0.02)


def test_older_pictures_come_as_one_scrolls(visit: Visit) -> None:
    page = visit("/gallery")
    for _ in range(12):
        page.mouse.wheel(0, 6000)
        page.wait_for_timeout(150)
        if page.locator("[data-onward]").count() == 0:
            break
    expect(page.locator(".tile")).to_have_count(samples.MANY)
    months = page.locator("[data-month]").evaluate_all(
        "all => all.map((one) => one.dataset.month)"
    )
    assert months == sorted(set(months), reverse=True)
    rows = page.evaluate(ROWS)
    ends = [row for row in rows if abs(row["right"] - row["list"][1]) > 1.01]
    assert len(ends) <= len(months)


def test_a_page_that_fails_to_load_can_be_asked_again(visit: Visit) -> None:
    page = visit("/gallery")
    page.context.set_offline(True)
    page.evaluate("scrollTo(0, 1e6)")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".tile")).to_have_count(120)
    visit.allow = "ERR_INTERNET_DISCONNECTED"  # type: ignore[attr-defined]


def test_arrows_enter_and_space(visit: Visit) -> None:
    page = visit("/gallery")
    page.locator(".tile-link").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    below = page.evaluate(
        "(() => { const b = document.activeElement.getBoundingClientRect(); return b.top; })()"
    )
    first = page.locator(".tile-link").first.bounding_box()
    assert first
    assert below > first["y"] + 50
    page.keyboard.press("ArrowUp")
    assert current(page) == f"/images/{samples.id_of(1)}"
    page.keyboard.press("Space")
    expect(page.locator("[data-selected]")).to_have_text("1 selected")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("[data-selected]")).to_have_text("2 selected")
    page.keyboard.press("Escape")
    expect(page.locator(".is-selected")).to_have_count(0)
    assert page.locator('.tile-link[tabindex="0"]').count() == 1
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    page.wait_for_url("**/images/**")


def test_shift_takes_a_range_and_a_month_takes_all(visit: Visit) -> None:
    page = visit("/gallery")
    tiles = page.locator(".tile")
    tiles.nth(1).hover()
    tiles.nth(1).locator("input").click()
    tiles.nth(6).locator(".tile-link").click(modifiers=["Shift"])
    expect(page.locator("[data-selected]")).to_have_text("6 selected")
    tiles.nth(3).locator(".tile-link").click()
    expect(page.locator("[data-selected]")).to_have_text("5 selected")
    month = page.locator("[data-whole-month]").first
    assert month.evaluate("box => box.indeterminate") is True
    month.check()
    assert page.locator("[data-month]").first.locator(".tile:not(.is-selected)").count() == 0
    page.get_by_role("button", name="Clear the selection").click()
    expect(page.locator("[data-actions]")).not_to_be_in_viewport()


def test_trash_and_undo(visit: Visit, stage: Flask) -> None:
    page = visit("/gallery")
    page.locator(".tile-link").first.focus()
    page.keyboard.press("Delete")
    expect(page.locator(".tile:visible")).to_have_count(59)
    assert stage.bulk[0][:2] == ("trash", [str(samples.id_of(0))])  # type: ignore[attr-defined]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".tile:visible")).to_have_count(60)
    restored = stage.bulk[1]  # type: ignore[attr-defined]
    assert restored[:2] == ("restore", [str(samples.id_of(0))])


def test_tagging_a_selection(visit: Visit, stage: Flask) -> None:
    page = visit("/gallery")
    page.locator(".tile").nth(2).hover()
    page.locator(".tile").nth(2).locator("input").click()
    page.locator(".action-bar summary", has_text="Tag").click()
    page.get_by_label("Tags to add").fill("orchard, frost")
    page.get_by_role("button", name="Add the tags").click()
    expect(page.get_by_text("1 picture tagged.")).to_be_visible()
    assert stage.bulk[0][2] == "orchard, frost"  # type: ignore[attr-defined]


def test_long_press_selects_on_a_phone(visit: Visit) -> None:
    page = visit("/gallery", PHONE)
    box = page.locator(".tile").nth(1).bounding_box()
    assert box
    client = page.context.new_cdp_session(page)
    spot = [{"x": box["x"] + 40, "y": box["y"] + 40}]
    client.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": spot})
    page.wait_for_timeout(600)
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("[data-selected]")).to_have_text("1 selected")
    page.locator(".tile-link").nth(3).tap()
    expect(page.locator("[data-selected]")).to_have_text("2 selected")


def test_without_scripts_it_is_links_and_forms(visit: Visit, stage: Flask) -> None:
    page = visit("/gallery", scripts=False)
    shapes: list[Any] = [page.locator(".tile").nth(n).bounding_box() for n in range(3)]
    for index, box in enumerate(shapes):
        width, height = samples.tile(index).width, samples.tile(index).height
        assert box["width"] / box["height"] == pytest.approx(width / height, rel=0.02)
    page.locator(".tile input").first.check()
    page.get_by_role("button", name="Move to trash").click()
    assert stage.bulk[0][0] == "trash"  # type: ignore[attr-defined]
    expect(page.get_by_text("1 picture moved to the trash.")).to_be_visible()
    page.get_by_role("link", name="Older pictures").click()
    page.wait_for_url("**cursor=60**")
    page.get_by_role("link", name="Newest pictures").click()


def test_the_way_back_keeps_the_place(visit: Visit) -> None:
    page = visit("/gallery")
    page.evaluate("scrollTo(0, 1e6)")
    expect(page.locator(".tile")).to_have_count(120)
    target = page.locator(".tile-link").nth(90)
    target.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    target.click()
    page.wait_for_url("**/images/**")
    page.keyboard.press("Escape")
    page.wait_for_url("**/gallery")
    expect(page.locator(".tile").nth(119)).to_be_attached()
    until(page, f"Math.abs(scrollY - {before}) < 2")
    page.wait_for_timeout(500)  # and the browser does not move it afterwards
    assert page.evaluate("scrollY") == pytest.approx(before, abs=2)


@pytest.mark.parametrize("view", ["grid", "list"])
def test_by_size_there_are_no_months(visit: Visit, view: str) -> None:
    page = visit(f"/gallery?sort=size&view={view}")
    expect(page.get_by_role("heading", level=2)).to_have_text(["By size"])
    page.evaluate("scrollTo(0, 1e6)")
    expect(page.locator("[data-months] [data-id]")).to_have_count(120)
    expect(page.locator("[data-month]")).to_have_count(1)


def test_destroying_asks_first(visit: Visit, stage: Flask) -> None:
    page = visit("/trash")
    page.locator(".tile").first.hover()
    page.locator(".tile input").first.click()
    page.get_by_role("button", name="Destroy").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert stage.bulk == []  # type: ignore[attr-defined]
    page.get_by_role("button", name="Destroy").click()
    page.get_by_role("dialog").get_by_role("button", name="Destroy").click()
    expect(page.get_by_text("1 picture destroyed.")).to_be_visible()
    expect(page.locator(".leaver:visible")).to_have_count(11)


DROP = """(names) => {
  const transfer = new DataTransfer();
  const picture = (name) => new File(["some bytes"], name, { type: "image/jpeg" });
  for (const name of names) transfer.items.add(picture(name));
  const about = { dataTransfer: transfer, cancelable: true };
  const tell = (kind) => dispatchEvent(new DragEvent(kind, about));
  return [tell("dragenter"), tell("dragover"), tell("drop")];
}"""


@pytest.mark.parametrize("path", ["/gallery", "/gallery?as=empty"])
def test_a_drop_on_the_gallery_is_an_upload(visit: Visit, path: str) -> None:
    page = visit(path)
    assert page.evaluate(DROP, ["one.jpg", "two.jpg"]) == [False, False, False]
    expect(page.locator(".upload-row .words")).to_have_text(["ready", "ready"])
    expect(page.get_by_role("link", name="See them in the gallery")).to_be_visible()


def test_a_picture_of_the_page_that_is_dragged_is_no_upload(visit: Visit) -> None:
    page = visit("/gallery")
    page.evaluate("dispatchEvent(new DragEvent('dragstart'))")
    assert page.evaluate(DROP, ["one.jpg"]) == [True, True, True]
    expect(page.locator(".upload-row")).to_have_count(0)
