"""However much is said around it, the picture keeps its room, and no part lies on another."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.harness.conftest import Visit
from tests.browser.harness.test_editor import EDITOR, changed_by_others, ready

pytestmark = pytest.mark.browser
SIZES = {(390, 844): 0.5, (844, 390): 0.4, (768, 1024): 0.6, (1280, 800): 0.6}
"""Width and height of the window; the part of its height that the picture has at least."""

# As task.js shows a rejection of the longest words, with all that the bar can hold beside it.
CROWDED = """() => {
  const show = (name, words) => {
    const node = document.querySelector(`[data-${name}]`);
    node.hidden = false;
    if (words) node.textContent = words;
  };
  show("task-band");
  show("task-words", "Tomás sent this back: two behind the leaves are missing. ".repeat(20));
  for (const name of ["task", "task-do=submit", "task-do=accept", "people"]) show(name);
  show("save-words", "3 waiting: The database cannot be reached. It is tried again.");
  show("save-act", "Try now");
}"""
PLACES = """() => Object.fromEntries(
  ["offline-bar", "editor-bar", "task-band", "tool-rail", "canvas", "side", "status",
   "save-state", "save-act", "task-tools"].map((name) => {
    const place = document.querySelector(`.${name}`).getBoundingClientRect();
    const { left, top, right, bottom } = place;
    return [name, { left, top, right, bottom }];
  }).filter(([, { left, right }]) => right > left))"""
PARTS = ("offline-bar", "editor-bar", "tool-rail", "canvas", "side", "status")
IN_BAR = ("save-state", "save-act", "task-tools", "task-band")


def overlaps(one: dict[str, float], other: dict[str, float]) -> bool:
    across = min(one["right"], other["right"]) - max(one["left"], other["left"])
    down = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return across > 0.5 and down > 0.5


def apart(places: dict[str, Any], names: tuple[str, ...]) -> None:
    shown = [name for name in names if name in places]
    for at, name in enumerate(shown):
        for other in shown[:at]:
            assert not overlaps(places[name], places[other]), (name, other)


def stands(page: Page, width: int, height: int) -> dict[str, Any]:
    page.set_viewport_size({"width": width, "height": height})
    places: dict[str, Any] = page.evaluate(PLACES)
    apart(places, PARTS)
    apart(places, IN_BAR)
    for place in places.values():
        assert place["left"] >= -0.5
        assert place["right"] <= width + 0.5
        assert place["bottom"] <= height + 0.5
    return places


def test_the_picture_keeps_its_room(visit: Visit) -> None:
    page = ready(visit(EDITOR))
    page.context.set_offline(True)
    expect(page.locator(".offline-bar")).to_be_visible()
    page.evaluate(CROWDED)
    for (width, height), part in SIZES.items():
        canvas = stands(page, width, height)["canvas"]
        assert canvas["bottom"] - canvas["top"] >= part * height, (width, height)
    visit.allow = "ERR_INTERNET_DISCONNECTED"  # type: ignore[attr-defined]


def test_the_lists_leave_room_on_a_phone_on_its_side(visit: Visit) -> None:
    page = ready(visit(EDITOR, (844, 390)))
    page.get_by_role("button", name="Labels and lists").click()
    canvas = stands(page, 844, 390)["canvas"]
    assert canvas["bottom"] - canvas["top"] > 300
    assert canvas["right"] - canvas["left"] > 400


def test_a_conflict_can_be_decided_without_scrolling(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR, (844, 390)))
    changed_by_others(stage, 0, x=700)
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("dialog")).to_be_visible()
    for size in SIZES:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        for name in ("Take theirs", "Keep both", "Keep mine"):
            expect(page.get_by_role("button", name=name)).to_be_in_viewport(ratio=1)
    visit.allow = "409"  # type: ignore[attr-defined]
