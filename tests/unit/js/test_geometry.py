"""Boxes drawn, moved, stretched and hit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser
PICTURE = {"w": 400, "h": 300}
BOX = {"x": 100, "y": 80, "w": 60, "h": 40}


def geometry(run: Run, call: str, *values: Any) -> Any:
    return run("editor/geometry", f"return {call}", *values)


@pytest.mark.parametrize(
    ("start", "end", "wanted"),
    [
        ((10, 20), (50, 80), (10, 20, 40, 60)),
        ((50, 80), (10, 20), (10, 20, 40, 60)),
        ((390, 290), (900, 900), (390, 290, 10, 10)),
        ((-5, -5), (20, 10), (0, 0, 20, 10)),
    ],
)
def test_drawing_either_way_and_over_the_edge(
    run: Run, start: tuple[int, int], end: tuple[int, int], wanted: tuple[int, ...]
) -> None:
    points = [{"x": x, "y": y} for x, y in (start, end)]
    box = geometry(run, "m.spanned(...v)", *points, PICTURE)
    assert (box["x"], box["y"], box["w"], box["h"]) == wanted


@pytest.mark.parametrize(
    ("box", "picture", "wanted"),
    [
        ((399.8, 299.9, 0.2, 0.1), (400, 300), (399, 299, 1, 1)),
        ((0.375, 0.375, 0.25, 0.25), (1, 1), (0, 0, 1, 1)),
        ((10.04, 20.06, 30.33, 40), (400, 300), (10, 20.1, 30.3, 40)),
    ],
)
def test_the_least_box_stays_inside_the_picture(
    run: Run, box: tuple[float, ...], picture: tuple[int, int], wanted: tuple[float, ...]
) -> None:
    given = dict(zip("xywh", box, strict=True))
    found = geometry(run, "m.rounded(...v)", given, dict(zip("wh", picture, strict=True)))
    assert found == dict(zip("xywh", wanted, strict=True))


def test_shift_draws_a_square_inside_the_picture(run: Run) -> None:
    box = geometry(
        run, "m.spanned(...v)", {"x": 350, "y": 10}, {"x": 700, "y": 60}, PICTURE, True
    )
    assert box == {"x": 350, "y": 10, "w": 50, "h": 50}


def test_a_moved_box_stays_inside(run: Run) -> None:
    assert geometry(run, "m.moved(...v)", BOX, 1000, -1000, PICTURE) == {
        **BOX,
        "x": 340,
        "y": 0,
    }


def test_a_box_that_reaches_beyond_may_only_come_back(run: Run) -> None:
    outside = {"x": -20, "y": 10, "w": 60, "h": 40}
    assert geometry(run, "m.moved(...v)", outside, -5, 0, PICTURE) == outside
    assert geometry(run, "m.moved(...v)", outside, 5, 0, PICTURE) == {**outside, "x": -15}


@pytest.mark.parametrize(
    ("handle", "by", "wanted"),
    [
        ("se", (10, 20), (100, 80, 70, 60)),
        ("nw", (10, 20), (110, 100, 50, 20)),
        ("e", (500, 77), (100, 80, 300, 40)),
        ("n", (33, -500), (100, 0, 60, 120)),
        ("w", (100, 0), (160, 80, 40, 40)),
        ("s", (0, -100), (100, 20, 60, 60)),
    ],
)
def test_handles_stretch_and_turn_over(
    run: Run, handle: str, by: tuple[int, int], wanted: tuple[int, ...]
) -> None:
    box = geometry(run, "m.resized(...v)", BOX, handle, *by, PICTURE)
    assert (box["x"], box["y"], box["w"], box["h"]) == wanted


@pytest.mark.parametrize(
    ("point", "wanted"),
    [
        ((100, 80), "nw"),
        ((160, 120), "se"),
        ((130, 120), "s"),
        ((130, 100), None),
        ((168, 126), "se"),
        ((190, 80), None),
    ],
)
def test_handles_are_hit_around_their_corner(
    run: Run, point: tuple[int, int], wanted: str | None
) -> None:
    assert geometry(run, "m.handleAt(...v)", BOX, {"x": point[0], "y": point[1]}, 12) == wanted


def test_a_tiny_box_can_still_be_taken_in_its_middle(run: Run) -> None:
    tiny = {"x": 100, "y": 100, "w": 14, "h": 14}
    assert geometry(run, "m.handleAt(...v)", tiny, {"x": 107, "y": 107}, 12) is None
    assert geometry(run, "m.handleAt(...v)", tiny, {"x": 118, "y": 118}, 12) == "se"


def test_a_box_from_a_key_lies_in_what_is_seen(run: Run) -> None:
    box = geometry(run, "m.fresh(...v)", {"x": 200, "y": 100, "w": 100, "h": 80}, PICTURE)
    assert box == {"x": 237.5, "y": 130, "w": 25, "h": 20}


def test_zoom_keeps_the_point_under_the_cursor(run: Run) -> None:
    body = """
      const view = m.fit({ w: 4000, h: 3000 }, { w: 800, h: 700 });
      const point = { x: 321, y: 222 };
      const before = m.toPicture(view, point);
      const after = m.toPicture(m.zoomAt(view, point, view.scale * 3), point);
      return [before.x - after.x, before.y - after.y, view.scale];
    """
    dx, dy, scale = run("frame/viewport", body)
    assert (dx, dy) == pytest.approx((0, 0), abs=1e-9)
    assert scale == pytest.approx(0.2)
