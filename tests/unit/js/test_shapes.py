"""Turned boxes, outlines and points: moved, turned, stretched, hit; numbers by hypothesis."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.shape_document import read_shape
from app.domain.shapes import RotatedBox
from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser
PICTURE = {"w": 4000, "h": 3000}
DENSE = 120
"""Samples of one property, drawn in Python and tried in one call to the browser."""

SIDES = ("x", "y", "w", "h", "angle")
size = st.floats(1, 900)
turned_boxes = st.builds(
    lambda x, y, w, h, angle: {
        "type": "rotated",
        "x": x,
        "y": y,
        "w": w,
        "h": h,
        "angle": angle,
    },
    st.floats(0, 3000),
    st.floats(0, 2000),
    size,
    size,
    st.floats(-180, 179.9).map(lambda angle: round(angle, 1)),
)
points = st.tuples(st.floats(0, 4000), st.floats(0, 3000)).map(list)
outlines = st.lists(points, min_size=3, max_size=9).map(
    lambda found: {"type": "polygon", "points": found}
)
steps = st.tuples(st.floats(-300, 300), st.floats(-300, 300))


def drawn(strategy: st.SearchStrategy[Any], count: int = DENSE) -> list[Any]:
    """Samples of a strategy; the browser is asked once, not once a sample."""
    found: list[Any] = []

    @settings(max_examples=count, database=None, derandomize=True)
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


def each(run: Run, module: str, body: str, samples: list[Any], *more: Any) -> list[Any]:
    found: list[Any] = run(
        f"editor/{module}", f"return v[0].map((s) => {{ {body} }})", samples, *more
    )
    return found


def test_bounds_and_corners_are_those_of_the_server(run: Run) -> None:
    samples = drawn(turned_boxes)
    for shape, found in zip(
        samples,
        each(run, "shapes", "return [m.placed(s).box, m.cornersOf(s)]", samples),
        strict=True,
    ):
        if shape["angle"] == 0:
            continue
        known = read_shape(shape, "")
        box, corners = found
        bounds = known.bounds
        assert [box[side] for side in "xywh"] == pytest.approx(
            [bounds.x, bounds.y, bounds.w, bounds.h], abs=1e-6
        )
        assert [pytest.approx((c["x"], c["y"]), abs=1e-6) for c in corners] == list(
            known.corners
        )


def test_a_stretched_turned_box_keeps_its_opposite_corner_and_its_angle(run: Run) -> None:
    body = """
      const [shape, [dx, dy]] = s;
      return m.resizedTurned(shape, 'se', dx, dy);
    """
    samples = drawn(st.tuples(turned_boxes, steps))
    for (shape, _), by in zip(samples, each(run, "turning", body, samples), strict=True):
        assert by["angle"] == shape["angle"]
        assert min(by["w"], by["h"]) >= 1
        if by["w"] > 1 and by["h"] > 1:
            held = all_corners(shape)[0]
            assert min(math.dist(held, one) for one in all_corners(by)) < 0.01


def all_corners(shape: dict[str, Any]) -> list[tuple[float, float]]:
    known = read_shape(shape, "")
    assert isinstance(known, RotatedBox)
    return list(known.corners)


TURN = """
  const [shape, [x, y]] = s;
  return m.turnedTowards({ shape, box: shape }, { x, y }, v[1]);
"""


def test_turning_points_the_handle_at_the_pointer(run: Run) -> None:
    samples = drawn(st.tuples(turned_boxes, points))
    found = each(run, "turning", TURN, samples, False)
    for (shape, (x, y)), place in zip(samples, found, strict=True):
        angle = place["shape"]["angle"] if place.get("shape") else 0
        assert -180 <= angle < 180
        middle = (shape["x"] + shape["w"] / 2, shape["y"] + shape["h"] / 2)
        wanted = math.degrees(math.atan2(y - middle[1], x - middle[0])) + 90
        assert abs((wanted - angle + 180) % 360 - 180) < 0.06


def test_by_steps_an_angle_is_whole_fifteens(run: Run) -> None:
    samples = drawn(st.tuples(turned_boxes, points))
    for place in each(run, "turning", TURN, samples, True):
        assert not place.get("shape") or place["shape"]["angle"] % 15 == 0


def test_what_is_moved_as_a_whole_keeps_its_form_and_stays_inside(run: Run) -> None:
    samples = drawn(st.tuples(outlines, steps))
    body = "const item = m.placed(s[0]); return m.movedPlace(item, ...s[1], v[1])"
    for (shape, _), place in zip(
        samples, each(run, "shapes", body, samples, PICTURE), strict=True
    ):
        before, after = shape["points"], place["shape"]["points"]
        moves = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(before, after, strict=True)]
        for move in moves:
            assert move == pytest.approx(moves[0], abs=1e-6)
        box = place["box"]
        assert box["x"] >= -0.06
        assert box["y"] >= -0.06
        assert box["x"] + box["w"] <= PICTURE["w"] + 0.06


def test_the_middle_of_a_shape_hits_it_and_far_away_does_not(run: Run) -> None:
    samples = drawn(turned_boxes)
    body = """
      const item = m.placed(s);
      const far = { x: -5000, y: -5000 };
      return [m.hits(item, m.middleOf(s), 0), m.hits(item, far, 3), m.areaOf(item)];
    """
    for shape, (inside, outside, area) in zip(
        samples, each(run, "shapes", body, samples), strict=True
    ):
        assert (inside, outside) == (True, False)
        assert area == pytest.approx(shape["w"] * shape["h"])


def test_an_outline_is_hit_inside_and_at_its_sides(run: Run) -> None:
    found = run(
        "editor/shapes",
        """
        const points = [[0, 0], [100, 0], [100, 100], [50, 40], [0, 100]];
        const item = m.placed({ type: 'polygon', points });
        return v[0].map(([x, y]) => m.hits(item, { x, y }, 5));
        """,
        [[50, 20], [50, 90], [50, 43], [104, 50]],
    )
    assert found == [True, False, True, True]


def test_vertices_come_and_go_where_they_are_pointed_at(run: Run) -> None:
    samples = drawn(outlines)
    body = """
      const at = s.points.length - 1;
      const more = m.inserted(s, at, m.halfway(s.points, at));
      const back = m.without(more, at + 1);
      const [[x, y]] = s.points;
      const same = JSON.stringify(back) === JSON.stringify(s);
      return [more.points.length, same, m.vertexAt(s.points, { x, y }, 1) !== null];
    """
    for shape, found in zip(samples, each(run, "outline", body, samples), strict=True):
        assert found == [len(shape["points"]) + 1, True, True]


def test_too_few_vertices_are_left_alone(run: Run) -> None:
    triangle = {"type": "polygon", "points": [[0, 0], [1, 0], [0, 1]]}
    one = {"type": "points", "points": [[0, 0]]}
    assert run("editor/outline", "return v.map((s) => m.without(s, 0))", triangle, one) == [
        None,
        None,
    ]


def test_a_moved_side_alone_is_rounded(run: Run) -> None:
    before = {"x": 10.123456, "y": 20.654321, "w": 30.987654, "h": 40.111111}
    moved = {**before, "x": before["x"] + 3.3333}
    wider = {**before, "w": before["w"] + 3.3333}
    left = {**before, "x": before["x"] - 2.2222, "w": before["w"] + 2.2222}
    found = run(
        "editor/geometry",
        "return v[1].map((box) => m.settledBox(box, v[0]))",
        before,
        [moved, wider, left],
    )
    assert found[0] == {**before, "x": 13.5}
    assert found[1]["x"] == before["x"]
    assert found[1]["x"] + found[1]["w"] == pytest.approx(44.4)
    assert found[2]["x"] == 7.9
    assert found[2]["x"] + found[2]["w"] == pytest.approx(before["x"] + before["w"], abs=1e-9)


@pytest.mark.parametrize(
    ("by", "wanted"), [((-96, 0), (0, 80)), ((235, 175), (340, 260)), ((-80, 0), (20, 80))]
)
def test_the_sides_of_the_picture_draw_a_box_to_them(
    run: Run, by: tuple[int, int], wanted: tuple[int, int]
) -> None:
    picture = {"w": 400, "h": 300, "reach": 8}
    box = {"x": 100, "y": 80, "w": 60, "h": 40}
    found = run("editor/geometry", "return m.moved(v[0], ...v[1], v[2])", box, by, picture)
    assert (found["x"], found["y"]) == wanted
