"""The box editor: drawn, moved, labelled, undone, saved, in conflict; and fast."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.harness import samples, stage_sync
from tests.browser.harness.browser import PHONE
from tests.browser.harness.conftest import Visit
from tests.browser.person import until

pytestmark = pytest.mark.browser
IMAGE = samples.id_of(0)
SAVED = re.compile(r"^Saved( \d\d:\d\d:\d\d)?$")
EDITOR = f"/images/{IMAGE}/annotate"


def ready(page: Page) -> Page:
    page.wait_for_selector("[data-editor]:not([data-loading])")
    return page


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """From and to, as parts of the surface's width and height."""
    box = page.locator("[data-canvas]").bounding_box()
    assert box
    page.mouse.move(box["x"] + start[0] * box["width"], box["y"] + start[1] * box["height"])
    page.mouse.down()
    page.mouse.move(
        box["x"] + (start[0] + end[0]) / 2 * box["width"],
        box["y"] + (start[1] + end[1]) / 2 * box["height"],
    )
    page.mouse.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"])
    page.mouse.up()


def saved(page: Page) -> None:
    expect(page.locator("[data-save-words]")).to_have_text(SAVED)


def boxes(stage: Flask) -> list[dict[str, Any]]:
    return stage.boxes[IMAGE]["annotations"]  # type: ignore[attr-defined]


def test_draws_labels_by_digit_and_saves_by_itself(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    drag(page, (0.42, 0.3), (0.52, 0.5))
    page.keyboard.press("3")
    expect(page.locator("[data-box-list] li")).to_have_count(7)
    saved(page)
    made = boxes(stage)[-1]
    assert made["label"] == "trunk"
    assert made["box"]["w"] > 100
    assert made["box"]["h"] > 100
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made["id"]
    )
    page.reload()
    expect(ready(page).locator("g.box")).to_have_count(7)


def test_ten_boxes_need_no_click_that_a_key_could_do(visit: Visit, stage: Flask) -> None:
    stage.config["BOXES"] = 0
    page = ready(visit(EDITOR))
    for place in range(10):
        column, row = place % 5, place // 5
        page.keyboard.press(str(place % 4 + 1))
        drag(
            page,
            (0.15 + column * 0.14, 0.3 + row * 0.25),
            (0.22 + column * 0.14, 0.4 + row * 0.25),
        )
        page.keyboard.press("Escape")
    saved(page)
    assert [one["label"] for one in boxes(stage)] == [
        samples.LABELS[i % 4]["name"] for i in range(10)
    ]


def test_moves_stretches_and_deletes_with_keys_alone(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    before = dict(samples.boxes(6, 4243, 2828)[0]["box"])  # type: ignore[call-overload]
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Alt+Shift+ArrowDown")
    saved(page)
    now = boxes(stage)[0]["box"]
    assert now["x"] == pytest.approx(before["x"] + 10, abs=0.11)
    assert now["y"] == pytest.approx(before["y"] + 1, abs=0.11)
    assert now["h"] == pytest.approx(before["h"] + 10, abs=0.11)
    page.keyboard.press("Delete")
    expect(page.locator("g.box")).to_have_count(5)
    page.keyboard.press("Control+z")
    expect(page.locator("g.box")).to_have_count(6)
    page.keyboard.press("Enter")
    expect(page.locator("g.box")).to_have_count(7)


def test_moves_and_resizes_with_the_pointer(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    page.keyboard.press("v")
    line = page.locator("g.box").nth(2).bounding_box()
    assert line
    page.mouse.move(line["x"] + line["width"] / 2, line["y"] + line["height"] / 2)
    page.mouse.down()
    page.mouse.move(
        line["x"] + line["width"] / 2 + 40, line["y"] + line["height"] / 2 + 20, steps=4
    )
    page.mouse.up()
    saved(page)
    start = samples.boxes(6, 4243, 2828)[2]["box"]
    assert boxes(stage)[2]["box"]["x"] > start["x"] + 50  # type: ignore[index]
    corner = page.locator(".handle.at-se").bounding_box()
    assert corner
    width = boxes(stage)[2]["box"]["w"]
    page.mouse.move(corner["x"] + 5, corner["y"] + 5)
    page.mouse.down()
    page.mouse.move(corner["x"] + 35, corner["y"] + 25, steps=3)
    page.mouse.up()
    saved(page)
    assert boxes(stage)[2]["box"]["w"] > width + 50
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    saved(page)
    assert boxes(stage)[2]["box"] == start


def test_escape_gives_up_a_drag(visit: Visit) -> None:
    page = ready(visit(EDITOR))
    page.mouse.move(500, 300)
    page.mouse.down()
    page.mouse.move(600, 380, steps=3)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator("g.box")).to_have_count(6)


def test_a_box_without_label_asks_for_one(visit: Visit, stage: Flask) -> None:
    stage.config["BOXES"] = 0
    page = ready(visit(EDITOR))
    page.keyboard.press("Enter")
    page.keyboard.press("e")
    page.keyboard.type("Wasp  nest")
    page.keyboard.press("Enter")
    saved(page)
    assert boxes(stage)[0]["label"] == "Wasp nest"
    expect(page.locator('[data-name="Wasp nest"] kbd')).to_have_text("5")


def changed_by_others(stage: Flask, place: int, **box: float) -> dict[str, Any]:
    """One of the stage's boxes, as if somebody else had saved it just now."""
    kept = stage.boxes[IMAGE]  # type: ignore[attr-defined]
    kept["rev"] += 1
    one = kept["annotations"][place]
    kept.setdefault("bases", {})[one["id"]] = dict(one)
    new: dict[str, Any] = {**one, "box": {**one["box"], **box}, "rev": kept["rev"]}
    kept["annotations"][place] = new
    return new


@pytest.mark.parametrize(
    ("key", "count", "x"), [("1", 6, [700]), ("2", 7, [700, 116]), ("3", 6, [116])]
)
def test_a_conflict_is_settled_without_loss(
    visit: Visit, stage: Flask, key: str, count: int, x: list[float]
) -> None:
    page = ready(visit(EDITOR))
    theirs = changed_by_others(stage, 0, x=700)
    first = samples.boxes(6, 4243, 2828)[0]["box"]["x"]  # type: ignore[index]
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.get_by_role("dialog")).to_contain_text(
        "One box was changed here and elsewhere: apple"
    )
    expect(page.get_by_role("dialog")).to_contain_text("They changed its place.")
    page.keyboard.press(key)
    saved(page)
    expect(page.locator("g.box")).to_have_count(count)
    found = [one["box"]["x"] for one in boxes(stage) if one["box"]["y"] == theirs["box"]["y"]]
    wanted = [first + 10 if at == 116 else at for at in x]
    assert [at for at in found if at in wanted] == pytest.approx(wanted)
    visit.allow = "409"  # type: ignore[attr-defined]


def test_what_cannot_be_saved_is_kept_and_tried_again(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    stage.config["SAVE_STATUS"] = 503
    page.keyboard.press("Enter")
    words = page.locator("[data-save-words]")
    expect(words).to_have_text("1 waiting: The database cannot be reached.")
    stage.config["SAVE_STATUS"] = None
    saved(page)
    assert len(boxes(stage)) == 7
    visit.allow = "503"  # type: ignore[attr-defined]


def test_signed_out_signs_in_over_the_picture(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    stage.config["SAVE_STATUS"] = 401
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Sign in again")
    expect(sheet).to_contain_text("1 change of yours waits here")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    expect(sheet).to_contain_text("That e-mail and password do not go together.")
    stage.config["SAVE_STATUS"] = None
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    saved(page)
    expect(sheet).to_be_hidden()
    assert len(boxes(stage)) == 7
    visit.allow = "401"  # type: ignore[attr-defined]


def test_nothing_is_sent_for_somebody_else(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    stage.config["SAVE_STATUS"] = 401
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog")
    expect(sheet).to_be_visible()
    stage.config.update(SAVE_STATUS=None, USER=stage_sync.OTHER)
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    expect(sheet).to_contain_text("1 change on this page belongs to Ada Lindqvist")
    assert stage.patches == []  # type: ignore[attr-defined]
    stage.config["USER"] = None
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    saved(page)
    assert len(boxes(stage)) == 7
    visit.allow = "401"  # type: ignore[attr-defined]


KEPT = """async () => {
  const heard = (asked) => new Promise((done) => (asked.onsuccess = () => done(asked.result)));
  if (!(await indexedDB.databases()).length) return false;
  const database = await heard(indexedDB.open("darkroom"));
  const found = await heard(database.transaction("drafts").objectStore("drafts").getAll());
  database.close();
  return found.map(({ count }) => count).join() === "1";
}"""


def test_what_waits_is_kept_though_the_keys_came_late(visit: Visit, stage: Flask) -> None:
    stage.config["KEYS_AWAY"] = True
    page = ready(visit(EDITOR))
    stage.config["KEYS_AWAY"] = False
    page.keyboard.press("Enter")
    saved(page)
    stage.config["SAVE_STATUS"] = 503
    page.keyboard.press("Enter")
    expect(page.locator("[data-save-words]")).to_contain_text("1 waiting")
    until(page, KEPT)
    stage.config["SAVE_STATUS"] = None
    page.evaluate("dispatchEvent(new Event('online'))")
    saved(page)
    visit.allow = "503"  # type: ignore[attr-defined]


def test_going_on_saves_first(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(f"**/{samples.id_of(1)}/annotate")
    assert len(boxes(stage)) == 7
    assert stage.boxes[IMAGE]["state"] == "done"  # type: ignore[attr-defined]


def test_who_may_only_look_changes_nothing(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR + "?read"))
    drag(page, (0.4, 0.3), (0.5, 0.5))
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Delete")
    page.keyboard.press("1")
    expect(page.locator("g.box")).to_have_count(6)
    assert stage.patches == []  # type: ignore[attr-defined]


def test_a_finger_draws_and_the_strip_labels(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR, PHONE))
    client = page.context.new_cdp_session(page)
    points = [(150, 300), (170, 330), (230, 380)]
    for kind, (x, y) in zip(("touchStart", "touchMove", "touchMove"), points, strict=True):
        touch = {"type": kind, "touchPoints": [{"x": x, "y": y}]}
        client.send("Input.dispatchTouchEvent", touch)
        page.wait_for_timeout(120)  # faster, it is a fling, which swallows the next tap
    client.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.locator('[data-name="leaf damage"]').tap()
    saved(page)
    assert boxes(stage)[-1]["label"] == "leaf damage"


def test_without_scripts_it_says_so(visit: Visit) -> None:
    page = visit(EDITOR, scripts=False)
    expect(page.get_by_role("heading", name="Drawing needs JavaScript")).to_be_visible()
    expect(page.locator("[data-canvas]")).to_be_hidden()
