"""Hands in the middle of something: keys over a drag, a second finger, a press that is lost."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import CDPSession, Page, expect

from tests.browser.harness.browser import PHONE
from tests.browser.harness.conftest import Visit
from tests.browser.harness.test_editor import EDITOR, IMAGE, boxes, ready, saved

pytestmark = pytest.mark.browser
Spot = tuple[float, float]
FRAME = "[data-overlay] svg.frame"


def opened(visit: Visit, stage: Flask, number: int = 6, **more: Any) -> Page:
    stage.config["BOXES"] = number
    page = ready(visit(EDITOR, **more))
    page.locator("[data-canvas]").focus()
    return page


def spot(page: Page, x: float, y: float) -> Spot:
    """A place of the window, from parts of the picture's sides."""
    box = page.locator("[data-print]").bounding_box()
    assert box
    return round(box["x"] + x * box["width"]), round(box["y"] + y * box["height"])


def begin(page: Page, start: Spot, end: Spot) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.wait_for_timeout(50)


def fingers(client: CDPSession, page: Page, *steps: list[Spot]) -> None:
    """Fingers at these places, step by step; one that is not there any more is taken off."""
    count = 0
    for places in steps:
        kind = "Start" if len(places) > count else "End" if len(places) < count else "Move"
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        client.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
        count = len(places)
        page.wait_for_timeout(60)
    if count:
        client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(60)


def drawn(page: Page, stage: Flask) -> Page:
    """A box on an empty picture, selected."""
    begin(page, spot(page, 0.3, 0.3), spot(page, 0.5, 0.5))
    page.mouse.up()
    saved(page)
    assert len(boxes(stage)) == 1
    return page


@pytest.mark.parametrize("keys", ["Escape", "Control+z"])
def test_a_drag_is_stopped_by_a_key(visit: Visit, stage: Flask, keys: str) -> None:
    page = drawn(opened(visit, stage, 0), stage)
    before = boxes(stage)[0]["box"]
    page.keyboard.press("v")
    begin(page, spot(page, 0.4, 0.4), spot(page, 0.7, 0.7))
    page.keyboard.press(keys)
    page.mouse.move(*spot(page, 0.8, 0.8))
    page.mouse.up()
    page.keyboard.press("Shift+ArrowLeft")
    saved(page)
    assert boxes(stage)[0]["box"] == {**before, "x": pytest.approx(before["x"] - 10)}


def test_a_box_is_deleted_in_the_hand_and_comes_back(visit: Visit, stage: Flask) -> None:
    page = drawn(opened(visit, stage, 0), stage)
    before = boxes(stage)[0]["box"]
    page.keyboard.press("v")
    begin(page, spot(page, 0.4, 0.4), spot(page, 0.7, 0.7))
    page.keyboard.press("Delete")
    expect(page.locator(FRAME)).to_be_hidden()
    page.mouse.up()
    saved(page)
    assert boxes(stage) == []
    page.keyboard.press("Control+z")
    saved(page)
    assert boxes(stage)[0]["box"] == before
    for _ in range(4):
        page.keyboard.press("Control+z")
    saved(page)
    assert boxes(stage) == []


def test_what_is_drawn_stays_at_its_place_of_the_picture_while_it_is_zoomed(
    visit: Visit, stage: Flask
) -> None:
    page = opened(visit, stage, 0)
    begin(page, spot(page, 0.3, 0.3), spot(page, 0.6, 0.6))
    page.keyboard.press("2")
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(100)
    frame = page.locator(FRAME).bounding_box()
    assert frame
    corner = spot(page, 0.3, 0.3)
    assert abs(frame["x"] - corner[0]) < 20
    assert abs(frame["y"] - corner[1]) < 20
    page.set_viewport_size({"width": 900, "height": 700})
    page.wait_for_timeout(200)
    page.mouse.up()
    saved(page)
    assert boxes(stage)[0]["label"] == "leaf damage"


def test_a_press_that_ended_unheard_leads_nothing_on(visit: Visit, stage: Flask) -> None:
    page = opened(visit, stage, 0)
    client = page.context.new_cdp_session(page)
    start, end, later = (spot(page, *at) for at in ((0.3, 0.3), (0.4, 0.4), (0.8, 0.8)))
    begin(page, start, end)
    for x, y in (end, later):
        moved = {"type": "mouseMoved", "x": x, "y": y, "buttons": 0, "button": "none"}
        client.send("Input.dispatchMouseEvent", moved)
        page.wait_for_timeout(60)
    expect(page.locator("g.box")).to_have_count(1)
    saved(page)
    assert boxes(stage)[0]["box"]["w"] < 4243 * 0.2
    page.mouse.up()
    expect(page.locator("g.box")).to_have_count(1)


def test_two_fingers_do_not_lose_the_outline_under_way(visit: Visit, stage: Flask) -> None:
    page = opened(visit, stage, 0, size=PHONE)
    client = page.context.new_cdp_session(page)
    page.locator("[data-do=polygon]").tap()
    for place in ((100, 300), (250, 300)):
        page.touchscreen.tap(*place)
    zoom = page.locator("[data-status-zoom]").text_content()
    near, far = [(150, 400), (210, 400)], [(120, 400), (260, 400)]
    fingers(client, page, near[:1], near, far, far)
    assert page.locator("[data-status-zoom]").text_content() != zoom
    page.touchscreen.tap(200, 450)
    page.touchscreen.tap(200, 450)
    saved(page)
    assert [len(one["shape"]["points"]) for one in boxes(stage)] == [3]


def test_two_fingers_that_touch_set_no_vertex(visit: Visit, stage: Flask) -> None:
    page = opened(visit, stage, 0, size=PHONE)
    client = page.context.new_cdp_session(page)
    page.locator("[data-do=points]").tap()
    page.touchscreen.tap(100, 300)
    fingers(client, page, [(150, 400)], [(150, 400), (210, 400)])
    page.keyboard.press("n")
    saved(page)
    assert [len(one["shape"]["points"]) for one in boxes(stage)] == [1]


def test_two_fingers_move_the_picture_as_far_as_they_go(visit: Visit, stage: Flask) -> None:
    page = opened(visit, stage, 0, size=PHONE)
    client = page.context.new_cdp_session(page)
    page.locator("[data-do=pick]").tap()
    page.evaluate("dispatchEvent(new Event('resize'))")
    before = spot(page, 0.5, 0.5)
    ways = [[(120, 300 + n * 10), (240, 300 + n * 10)] for n in range(7)]
    fingers(client, page, ways[0][:1], [(120, 306)], [(120, 300)], *ways)
    after = spot(page, 0.5, 0.5)
    assert after[1] - before[1] == pytest.approx(60, abs=4)


def test_a_field_for_a_label_stays_while_a_colleague_deletes_its_box(
    visit: Visit, stage: Flask
) -> None:
    """Else the letters on their way were keys of the page: D goes to the newer picture."""
    page = opened(visit, stage)
    page.keyboard.press("Tab")
    page.keyboard.press("e")
    kept = stage.boxes[IMAGE]  # type: ignore[attr-defined]
    gone = kept["annotations"].pop(0)
    news = [{"id": gone["id"], "annotation": None}]
    kept.update(rev=kept["rev"] + 1, news=news)
    for _ in range(100):
        if "news" not in kept:
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(300)
    page.keyboard.type("dog")
    expect(page.get_by_label("Label of this box")).to_have_value("dog")
    page.keyboard.press("Escape")
    kept["news"] = news  # the server tells it again until it is taken
    expect(page.locator("g.box")).to_have_count(5)
    assert page.url.endswith(EDITOR)
