"""A press means the smallest; another press at the same place goes on to the next."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser


def box(id_: str, x: float, y: float, w: float, h: float) -> dict[str, Any]:
    return {"id": id_, "box": {"x": x, "y": y, "w": w, "h": h}}


ITEMS = [
    box("large", 0, 0, 300, 300),
    box("small", 50, 50, 20, 20),
    box("middle", 40, 40, 90, 90),
]
TURNED = {
    "id": "turned",
    "box": {"x": 20, "y": 20, "w": 80, "h": 80},
    "shape": {"type": "rotated", "x": 10, "y": 50, "w": 100, "h": 20, "angle": 45},
}


@pytest.mark.parametrize(
    ("x", "y", "wanted"),
    [(60, 60, "small"), (90, 60, "middle"), (250, 10, "large"), (390, 60, None)],
)
def test_the_smallest_under_a_point_is_meant(
    run: Run, x: int, y: int, wanted: str | None
) -> None:
    found = run("editor/picking", "return m.itemAt(...v)", ITEMS, {"x": x, "y": y})
    assert (found and found["id"]) == wanted


def test_presses_at_one_place_reach_everything_there(run: Run) -> None:
    body = """
      let selected = null;
      const next = () => (selected = m.nextAt(v[0], { x: 60, y: 60 }, 0, selected).id);
      return Array.from({ length: 4 }, next);
    """
    assert run("editor/picking", body, ITEMS) == ["small", "middle", "large", "small"]


def test_of_two_equal_ones_that_in_front_is_meant(run: Run) -> None:
    twins = [box("behind", 0, 0, 50, 50), box("before", 10, 10, 50, 50)]
    for call in ("m.itemAt(...v).id", "m.stackAt(...v)[0].id"):
        assert run("editor/picking", f"return {call}", twins, {"x": 30, "y": 30}) == "before"


def test_a_turned_box_is_hit_in_its_own_sides(run: Run) -> None:
    body = "return v[1].map(([x, y]) => m.itemAt([v[0]], { x, y }, 0)?.id ?? null)"
    found = run("editor/picking", body, TURNED, [[60, 60], [90, 90], [90, 30]])
    assert found == ["turned", "turned", None]


def test_the_whole_picture_is_never_in_the_way(run: Run) -> None:
    whole = {"id": "whole", "box": {"x": 0, "y": 0, "w": 0, "h": 0}, "shape": {"type": "image"}}
    assert run("editor/picking", "return m.itemAt([v[0]], { x: 0, y: 0 }, 5)", whole) is None
