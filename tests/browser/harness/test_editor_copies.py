"""Copies between pictures: one by the clipboard, all of the newer picture by one key."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.browser.harness import samples
from tests.browser.harness.conftest import Visit
from tests.browser.harness.test_editor import ready, saved

pytestmark = pytest.mark.browser
LARGE, SMALL = 1, 2


def test_a_copy_goes_to_a_smaller_picture_and_lies_inside(visit: Visit, stage: Flask) -> None:
    page = ready(visit(f"/images/{samples.id_of(LARGE)}/annotate"))
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Control+c")
    page.keyboard.press("f")
    page.wait_for_url(f"**/{samples.id_of(SMALL)}/annotate")
    ready(page)
    page.locator("[data-canvas]").focus()
    for _ in range(2):
        page.keyboard.press("Control+v")
    expect(page.locator("g.box")).to_have_count(8)
    saved(page)
    shown = samples.picture(SMALL)
    first, second = stage.boxes[samples.id_of(SMALL)]["annotations"][-2:]  # type: ignore[attr-defined]
    for one in (first, second):
        assert one["label"] == "apple"
        assert one["box"]["x"] + one["box"]["w"] <= shown.width + 0.1
        assert one["box"]["y"] + one["box"]["h"] <= shown.height + 0.1
    assert first["box"] != second["box"]


def test_all_of_the_newer_picture_comes_in_one_step_and_once(
    visit: Visit, stage: Flask
) -> None:
    page = ready(visit(f"/images/{samples.id_of(SMALL)}/annotate"))
    said, drawn = page.locator("[data-said]"), page.locator("g.box")
    page.keyboard.press("Control+b")
    expect(said).to_have_text(
        "6 annotations copied from the newer picture. Undo takes them back."
    )
    expect(drawn).to_have_count(12)
    page.keyboard.press("Control+b")
    expect(said).to_have_text("All of the newer picture is here already.")
    page.keyboard.press("Control+z")
    expect(drawn).to_have_count(6)
    page.keyboard.press("Control+Shift+z")
    saved(page)
    assert len(stage.boxes[samples.id_of(SMALL)]["annotations"]) == 12  # type: ignore[attr-defined]
