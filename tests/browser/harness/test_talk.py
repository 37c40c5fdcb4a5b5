"""What people at one picture see of each other: presence, history, comments."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.harness import samples
from tests.browser.harness.conftest import Visit
from tests.browser.harness.test_editor import EDITOR, IMAGE, ready

pytestmark = pytest.mark.browser


def opened(page: Page, panel: str) -> Page:
    ready(page).locator(f"[data-{panel}] summary").press("Enter")
    return page


def test_others_come_and_change_things_beside_ones_own(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    kept = stage.boxes[IMAGE]  # type: ignore[attr-defined]
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("[data-save-state][data-phase=saved]")
    other = {
        **kept["annotations"][1],
        "rev": 9,
        "label": "trunk",
        "label_id": samples.class_id(2),
    }
    kept["news"] = [{"id": other["id"], "annotation": other}]
    kept["people"] = [{"name": "Ben Okafor", "initials": "BO", "you": False}]
    expect(page.get_by_role("list", name="Also here")).to_contain_text("BO")
    expect(page.locator("[data-said]")).to_have_text("Ben Okafor opened this picture too.")
    rows = page.locator("[data-box-list] li")
    expect(rows.nth(1)).to_contain_text("trunk")
    expect(rows.nth(0).locator(".box-pick")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("button", name="Undo")).to_be_enabled()


def test_the_past_is_drawn_and_gone_back_to_in_words(visit: Visit, stage: Flask) -> None:
    page = opened(visit(EDITOR), "history")
    rows = page.locator("[data-history-list] li")
    expect(rows).to_have_count(4)
    expect(rows.nth(0)).to_contain_text("Ben Okaforchanged apple")
    expect(rows.nth(1)).to_contain_text("drew leaf damage, in progress → done")
    expect(rows.nth(2)).to_contain_text("went back: drew apple, deleted apple")
    rows.nth(0).get_by_role("button").focus()
    expect(page.locator(".ghost .is-before .line")).to_have_count(1)
    expect(page.locator(".ghost .is-after .line")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Go back to this point?")
    expect(sheet).to_contain_text("What was done since (1 save) is taken back for everybody.")
    sheet.get_by_role("button", name="Go back to here").click()
    expect(page.locator("[data-toasts]")).to_contain_text("as they were then")
    assert stage.restored == [8]  # type: ignore[attr-defined]


def test_comments_are_pinned_resolved_and_counted_with_keys(visit: Visit, stage: Flask) -> None:
    stage.comments.clear()  # type: ignore[attr-defined]
    page = opened(visit(EDITOR), "comments")
    rows = page.locator("[data-comments-list] li")
    expect(page.locator("[data-comments-count]")).to_have_text("2 open")
    expect(rows.nth(0)).to_contain_text("RejectedBen Okafor")
    expect(page.locator(".comment-pins text")).to_have_count(1)
    rows.nth(1).get_by_role("button", name="apple").press("Enter")
    expect(page.locator("[data-canvas]")).to_be_focused()
    page.keyboard.press("Tab")
    page.get_by_label("New comment").fill("Two apples.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("[data-comments-count]")).to_have_text("3 open")
    made = stage.comments[-1]  # type: ignore[attr-defined]
    assert (made["text"], made["annotation_id"]) == (
        "Two apples.",
        samples.boxes(6, 4243, 2828)[1]["id"],
    )
    expect(page.locator(".comment-pins text")).to_have_count(2)
    rows.nth(0).get_by_role("button", name="Resolve").press("Enter")
    expect(page.locator("[data-comments-count]")).to_have_text("2 open")
    expect(rows.nth(3)).to_have_class("is-resolved")
