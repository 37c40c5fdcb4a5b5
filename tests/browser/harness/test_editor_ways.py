"""Ways about the editor: out by Esc, over the picture by its small copy; keys by a press."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from playwright.sync_api import expect

from tests.browser.harness import samples
from tests.browser.harness.browser import PHONE
from tests.browser.harness.conftest import Visit
from tests.browser.harness.test_editor import EDITOR, IMAGE, boxes, ready, saved

pytestmark = pytest.mark.browser


def test_esc_lets_go_before_it_leaves(visit: Visit) -> None:
    page = ready(visit(EDITOR))
    chosen = page.locator("[data-box-list] [aria-current]")
    page.locator("[data-canvas]").focus()
    page.keyboard.press("Tab")
    expect(chosen).to_have_count(1)
    page.keyboard.press("Escape")
    expect(chosen).to_have_count(0)
    expect(page).to_have_url(re.compile("annotate$"))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("annotate$"))


def test_a_drag_over_the_small_picture_moves_the_large_one(visit: Visit) -> None:
    page = ready(visit(EDITOR))
    place = page.locator("[data-canvas]").bounding_box()
    assert place
    page.mouse.move(place["x"] + 300, place["y"] + 300)
    page.mouse.wheel(0, -900)
    small = page.locator("[data-minimap]")
    expect(small).to_be_visible()
    room, seen = small.bounding_box(), small.locator(".seen")
    assert room
    before = seen.bounding_box()
    page.mouse.move(room["x"] + 10, room["y"] + 10)
    page.mouse.down()
    page.mouse.move(room["x"] + room["width"] - 20, room["y"] + room["height"] - 20)
    page.mouse.up()
    after = seen.bounding_box()
    assert before
    assert after
    assert after["x"] > before["x"]
    assert after["y"] > before["y"]
    expect(page.locator("g.box")).to_have_count(6)


def test_a_key_can_be_pressed_where_it_can_be_typed(visit: Visit) -> None:
    page = visit("/account/keys")
    field = page.locator("#field-draw")
    expect(field).to_have_value("y")
    button = page.locator(".key-row", has=field).get_by_role("button")
    for key in ("Control+Shift+KeyK", "y"):
        button.click()
        expect(button).to_have_text("Press it now")
        page.keyboard.press(key)
        expect(button).to_have_text("Press a key")
    expect(field).to_have_value("y Ctrl+Shift+k")
    button.click()
    page.keyboard.press("Escape")
    expect(button).to_have_text("Press a key")
    expect(field).to_have_value("y Ctrl+Shift+k")


def test_icons_are_drawn_while_nobody_answers(visit: Visit) -> None:
    page = ready(visit(EDITOR))
    page.wait_for_selector("svg.held-icons", state="attached")
    page.route("**/icons.svg", lambda route: route.abort())
    page.locator("[data-canvas]").focus()
    page.keyboard.press("Tab")
    drawn = page.locator("[data-box-list] .is-lock use").first
    expect(drawn).to_be_visible()
    assert drawn.evaluate("(one) => one.getBBox().width") > 0


def test_a_tab_that_is_closed_at_once_has_sent_its_last_change(
    visit: Visit, stage: Flask
) -> None:
    page = ready(visit(EDITOR))
    other = page.context.new_page()
    page.keyboard.press("Enter")
    page.close(run_before_unload=False)
    sent: list[object] = stage.patches  # type: ignore[attr-defined]
    for _ in range(100):
        if sent:
            break
        other.wait_for_timeout(50)
    assert len(sent) == 1


ATTRIBUTES = [
    {"name": "ripeness", "kind": "select", "options": ["green", "ripe"], "required": True},
    {"name": "diameter", "kind": "number", "min": 0, "max": 200, "step": 0.5},
    {"name": "note", "kind": "text", "max_length": 5},
    {"name": "wet", "kind": "checkbox"},
]


def test_attributes_of_each_kind_and_what_is_not_taken_is_told(
    visit: Visit, stage: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(samples.LABELS[0], "attributes", ATTRIBUTES)
    page = ready(visit(EDITOR))
    page.locator("[data-canvas]").focus()
    page.keyboard.press("Tab")
    page.get_by_label("ripeness").select_option("ripe")
    number = page.get_by_label("diameter")
    number.fill("70.5")
    page.get_by_label("note").fill("n1 delete")
    page.get_by_label("wet").check()
    number.fill("500")
    page.get_by_label("note").focus()
    expect(page.locator(".toast-line")).to_contain_text("diameter: “500” was not kept.")
    expect(number).to_have_value("70.5")
    page.keyboard.press("Delete")
    saved(page)
    wanted = {"ripeness": "ripe", "diameter": 70.5, "note": "n1 de", "wet": True}
    assert boxes(stage)[0]["attributes"] == wanted
    expect(page.locator("g.box")).to_have_count(6)


def test_one_goes_on_from_the_field_of_an_attribute(
    visit: Visit, stage: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(samples.LABELS[0], "attributes", ATTRIBUTES)
    page = ready(visit(EDITOR))
    page.locator("[data-canvas]").focus()
    page.keyboard.press("Tab")
    number = page.get_by_label("diameter")
    number.fill("500")
    page.keyboard.press("Control+Enter")
    expect(number).to_be_focused()
    number.fill("70.5")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/{samples.id_of(1)}/annotate")
    assert boxes(stage)[0]["attributes"] == {"diameter": 70.5}
    assert stage.boxes[IMAGE]["state"] == "done"  # type: ignore[attr-defined]


def test_an_outline_is_drawn_and_its_points_come_and_go_by_finger(
    visit: Visit, stage: Flask
) -> None:
    page = ready(visit(EDITOR, PHONE))
    page.locator("[data-do=polygon]").tap()
    for place in ((100, 300), (250, 300), (250, 480), (120, 480), (120, 480)):
        page.touchscreen.tap(*place)
    client = page.context.new_cdp_session(page)
    for kind, at in (("Start", 300), ("Move", 285), ("Move", 260)):
        spot = [{"x": 175, "y": at}]
        client.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": spot})
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    saved(page)
    assert len(boxes(stage)[-1]["shape"]["points"]) == 5
    page.touchscreen.tap(175, 260)
    page.locator("[data-do=remove]").tap()
    saved(page)
    assert len(boxes(stage)[-1]["shape"]["points"]) == 4
