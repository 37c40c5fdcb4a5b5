"""The box editor: drawn, moved, labelled, undone, saved, in conflict; and fast."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.harness import samples
from tests.browser.harness.browser import PHONE
from tests.browser.harness.conftest import Visit

pytestmark = pytest.mark.browser
IMAGE = samples.id_of(0)
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
    expect(page.locator("[data-save-words]")).to_have_text("Saved")


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
    page.keyboard.press("n")
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
    page.keyboard.press("l")
    page.keyboard.type("Wasp  nest")
    page.keyboard.press("Enter")
    saved(page)
    assert boxes(stage)[0]["label"] == "Wasp nest"
    expect(page.locator('[data-name="Wasp nest"] kbd')).to_have_text("5")


@pytest.mark.parametrize(
    ("answer", "count"), [("Keep both", 8), ("Take theirs", 7), ("Keep mine", 7)]
)
def test_a_conflict_is_settled_without_loss(
    visit: Visit, stage: Flask, answer: str, count: int
) -> None:
    page = ready(visit(EDITOR))
    theirs = {
        **samples.boxes(6, 4243, 2828)[0],
        "id": str(samples.id_of(77)),
        "label": "ladder",
    }
    stage.boxes[IMAGE]["annotations"].append(theirs)  # type: ignore[attr-defined]
    stage.boxes[IMAGE]["rev"] = 9  # type: ignore[attr-defined]
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("They: 1 added. You: 1 added.")
    page.get_by_role("button", name=answer).click()
    saved(page)
    expect(page.locator("g.box")).to_have_count(count)
    assert len(boxes(stage)) == count
    wanted = 9 if answer == "Take theirs" else 10
    assert stage.boxes[IMAGE]["rev"] == wanted  # type: ignore[attr-defined]
    visit.allow = "412"  # type: ignore[attr-defined]


def test_what_cannot_be_saved_is_kept_and_tried_again(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    stage.config["PUT_STATUS"] = 503
    page.keyboard.press("Enter")
    expect(page.locator("[data-save-words]")).to_contain_text("Trying again by itself")
    stage.config["PUT_STATUS"] = None
    saved(page)
    assert len(boxes(stage)) == 7
    visit.allow = "503"  # type: ignore[attr-defined]


def test_signed_out_says_how_to_go_on(visit: Visit, stage: Flask) -> None:
    page = ready(visit(EDITOR))
    stage.config["PUT_STATUS"] = 401
    page.keyboard.press("Enter")
    expect(page.locator("[data-signed-out]")).to_be_visible()
    stage.config["PUT_STATUS"] = None
    page.evaluate("dispatchEvent(new Event('focus'))")
    saved(page)
    expect(page.locator("[data-signed-out]")).to_be_hidden()
    visit.allow = "401"  # type: ignore[attr-defined]


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
    page.keyboard.press("n")
    page.keyboard.press("Delete")
    page.keyboard.press("1")
    expect(page.locator("g.box")).to_have_count(6)
    assert stage.puts == []  # type: ignore[attr-defined]


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


DRAG = """async ([x, y]) => {
  const surface = document.querySelector('[data-canvas]');
  const roots = document.querySelectorAll('[data-world], [data-overlay]');
  const at = (dx) => ({ bubbles: true, pointerId: 1, isPrimary: true, button: 0, buttons: 1,
    clientX: x + dx, clientY: y + dx / 2, pointerType: 'mouse' });
  surface.setPointerCapture = () => {};
  const changed = new Set();
  const note = (records) => records.forEach((record) => changed.add(record.target));
  const watch = new MutationObserver(note);
  surface.dispatchEvent(new PointerEvent('pointerdown', at(0)));
  surface.dispatchEvent(new PointerEvent('pointermove', at(8)));
  await new Promise(requestAnimationFrame);
  const all = { subtree: true, attributes: true, childList: true };
  for (const root of roots) watch.observe(root, all);
  for (let step = 0; step < 120; step += 1) {
    surface.dispatchEvent(new PointerEvent('pointermove', at(8 + (step % 60))));
    await new Promise(requestAnimationFrame);
  }
  note(watch.takeRecords());
  watch.disconnect();
  return changed.size;
}"""
MOVES = 120


@pytest.mark.parametrize("count", [500, 2000])
def test_a_drag_changes_one_node_and_fits_into_a_frame(
    visit: Visit, stage: Flask, count: int
) -> None:
    """Time of the main thread (not of the clock: other programs run here too) for one move."""
    stage.config["BOXES"] = count
    page = ready(visit(EDITOR))
    page.keyboard.press("v")
    line = page.locator("g.box .line").nth(count // 2).bounding_box()
    assert line
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent() -> float:
        metrics = client.send("Performance.getMetrics")["metrics"]
        return float(next(m["value"] for m in metrics if m["name"] == "TaskDuration"))

    before = spent()
    nodes = page.evaluate(DRAG, [line["x"] + line["width"] / 2, line["y"] + line["height"] / 2])
    each = (spent() - before) * 1000 / MOVES
    print(f"{count} boxes: {each:.1f} ms a move")
    assert nodes == 1
    assert each < 16
