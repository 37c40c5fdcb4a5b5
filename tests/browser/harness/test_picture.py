"""The picture page: keys, zoom, panel, tags."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.harness import samples
from tests.browser.harness.browser import PHONE
from tests.browser.harness.conftest import Visit

pytestmark = pytest.mark.browser
PICTURE = f"/images/{samples.id_of(9)}"


def scale(page: Page) -> float:
    style = page.locator("[data-print]").evaluate("image => image.style.transform")
    found = re.search(r"scale\(([\d.]+)\)", style)
    assert found
    return float(found[1])


def test_keys_turn_zoom_and_open(visit: Visit) -> None:
    page = visit(PICTURE)
    fitted = scale(page)
    page.keyboard.press("z")
    assert scale(page) == pytest.approx(1)
    page.keyboard.press("z")
    assert scale(page) == pytest.approx(fitted, rel=1e-4)
    page.keyboard.press("+")
    assert scale(page) == pytest.approx(fitted * 1.4, rel=1e-4)
    page.keyboard.press("i")
    expect(page.locator("[data-panel]")).to_be_hidden()
    page.keyboard.press("i")
    expect(page.locator("[data-panel]")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**{samples.id_of(10)}")
    page.keyboard.press("ArrowLeft")
    page.wait_for_url(f"**{samples.id_of(9)}")
    page.keyboard.press("e")
    page.wait_for_url("**/annotate")
    page.wait_for_selector("[data-editor]:not([data-loading])")
    page.keyboard.press("Escape")
    page.wait_for_url(f"**{samples.id_of(9)}")
    page.keyboard.press("Escape")
    page.wait_for_url("**/gallery")


def test_looking_closer_fetches_the_original(visit: Visit) -> None:
    page = visit(PICTURE)
    image = page.locator("[data-print]")
    expect(image).to_have_attribute("src", re.compile("preview$"))
    page.keyboard.press("z")
    expect(image).to_have_attribute("src", re.compile("original$"))


def test_typing_a_tag_presses_no_keys(visit: Visit) -> None:
    page = visit(PICTURE)
    page.get_by_placeholder("Add a tag").fill("zebra fig")
    page.keyboard.press("Enter")
    expect(page.locator("[data-chips]")).to_contain_text("zebra fig")
    page.get_by_role("button", name="Remove the tag orchard").click()
    expect(page.locator("[data-chips] li")).to_have_count(2)


def test_single_letters_can_be_switched_off(visit: Visit) -> None:
    page = visit(PICTURE)
    page.keyboard.press("?")
    page.get_by_label("Single letters are keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    expect(page.locator("[data-panel]")).to_be_visible()


def test_the_panel_is_a_sheet_on_a_phone(visit: Visit) -> None:
    page = visit(PICTURE, PHONE)
    expect(page.locator("[data-panel]")).to_be_hidden()
    page.get_by_role("button", name="Details", exact=True).tap()
    expect(page.locator("[data-panel]")).to_be_visible()
    page.get_by_role("button", name="Close the details").tap()
    expect(page.locator("[data-panel]")).to_be_hidden()


def test_what_is_damaged_is_not_asked_for(visit: Visit) -> None:
    page = visit(f"/images/{samples.id_of(16)}")
    expect(page.get_by_role("heading", name="Damaged, not shown")).to_be_visible()
    expect(page.locator("[data-print]")).to_have_count(0)


def test_without_scripts_everything_stands(visit: Visit, stage: Flask) -> None:
    page = visit(PICTURE, scripts=False)
    expect(page.get_by_role("heading", name="Tags")).to_be_visible()
    expect(page.get_by_label("Tags of this picture")).to_have_value("orchard, evening light")
    page.get_by_role("button", name="Move to trash").click()
    assert stage.bulk[0][0] == "trash"  # type: ignore[attr-defined]
