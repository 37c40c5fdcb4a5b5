"""Shapes: what is refused, what is around them, and the way through JSON and back."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.annotation_document import read_annotation_set
from app.domain.points import MAX_SET_POINTS
from app.domain.shape_document import read_shape, shape_json, turned
from app.domain.shapes import (
    MAX_POINTS,
    Bounds,
    Box,
    Points,
    Polygon,
    RotatedBox,
    Shape,
    WholePicture,
)
from app.errors import InvalidInput

PLACE = st.floats(-1e9, 1e9)
SIDE = st.floats(1e-6, 1e9)
POINT = st.tuples(PLACE, PLACE)
ANGLE = st.floats(-180, 180, exclude_max=True)
BOX = st.builds(Box, PLACE, PLACE, SIDE, SIDE)
ROTATED = st.builds(RotatedBox, PLACE, PLACE, SIDE, SIDE, ANGLE)
POLYGON = st.builds(Polygon, st.lists(POINT, min_size=3, max_size=20).map(tuple))
POINTS = st.builds(Points, st.lists(POINT, min_size=1, max_size=20).map(tuple))
SHAPE = st.one_of(BOX, ROTATED, POLYGON, POINTS, st.just(WholePicture()))
TRIANGLE = ((0.0, 0.0), (4.0, 0.0), (0.0, 3.0))


def mistakes(document: object) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read_shape(document, "shape")
    return [mistake.path for mistake in caught.value.mistakes]


@given(SHAPE)
def test_every_shape_survives_json(shape: Shape) -> None:
    told = json.loads(json.dumps(shape_json(shape)))
    if isinstance(shape, Box):
        assert told is None
    else:
        assert read_shape(told, "shape") == shape


@given(SHAPE)
def test_a_set_reads_what_it_tells(shape: Shape) -> None:
    bounds = shape.bounds
    item = {"label": "cat", "box": {"x": bounds.x, "y": bounds.y, "w": bounds.w, "h": bounds.h}}
    told = shape_json(shape)
    document = {"annotations": [item | ({"shape": told} if told else {})]}
    (draft,) = read_annotation_set(document).drafts
    assert draft.shape == shape


@given(ROTATED, st.sampled_from([0.0, 90.0, -90.0, -180.0]))
def test_quarter_turns_keep_or_swap_the_sides(shape: RotatedBox, angle: float) -> None:
    bounds = replace(shape, angle=angle).bounds
    w, h = (shape.w, shape.h) if angle in (0.0, -180.0) else (shape.h, shape.w)
    near = pytest.approx((w, h), rel=1e-6, abs=1e-5)
    assert (bounds.w, bounds.h) == near


def test_a_turn_is_clockwise_as_seen() -> None:
    corners = RotatedBox(0, 0, 4, 2, 90).corners
    assert corners[0] == pytest.approx((3, -1))  # the top left corner goes to the top right


@given(POLYGON)
def test_nothing_lies_beyond_its_bounds(shape: Polygon) -> None:
    bounds = shape.bounds
    assert all(bounds.x <= x and bounds.y <= y for x, y in shape.points)
    assert bounds == Bounds.around(reversed(shape.points))


@given(st.floats(-1e6, 1e6))
def test_any_angle_comes_back_into_its_range(angle: float) -> None:
    within = turned(angle)
    assert -180 <= within < 180
    assert math.cos(math.radians(within)) == pytest.approx(
        math.cos(math.radians(angle)), abs=1e-6
    )


@pytest.mark.parametrize("points", [TRIANGLE[:2], ((0.0, 0.0),) * (MAX_POINTS + 1)])
def test_an_outline_has_three_points_and_not_too_many(points: tuple) -> None:
    with pytest.raises(ValueError, match="3 to 10000 points"):
        Polygon(points)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (7, "shape"),
        ({}, "shape.type"),
        ({"type": "star"}, "shape.type"),
        ({"type": "polygon"}, "shape.points"),
        ({"type": "polygon", "points": [[0, 0], [1, 1]]}, "shape"),
        ({"type": "points", "points": []}, "shape"),
        ({"type": "points", "points": [[0]]}, "shape.points[0]"),
        ({"type": "points", "points": [[0, "1"]]}, "shape.points[0][1]"),
        ({"type": "points", "points": [[0, float("nan")]]}, "shape.points[0][1]"),
        ({"type": "points", "points": [[1e308, 0], [-1e308, 0]]}, "shape"),
        ({"type": "points", "points": [[0, 0]] * (MAX_POINTS + 1)}, "shape.points"),
        ({"type": "rotated", "x": 0, "y": 0, "w": 1, "h": 0, "angle": 0}, "shape.h"),
        ({"type": "rotated", "x": 0, "y": 0, "w": 1, "h": 1}, "shape.angle"),
        ({"type": "box", "x": 0, "y": 0, "w": 1}, "shape.h"),
    ],
)
def test_a_mistake_is_told_with_its_place(document: object, place: str) -> None:
    assert mistakes(document) == [place]


def test_a_picture_holds_a_bounded_number_of_points() -> None:
    shape = {"type": "points", "points": [[0, 0]] * MAX_POINTS}
    many = [{"label": "cat", "shape": shape}] * (MAX_SET_POINTS // MAX_POINTS + 1)
    with pytest.raises(InvalidInput) as caught:
        read_annotation_set({"annotations": many})
    assert [m.path for m in caught.value.mistakes] == [f"annotations[{len(many) - 1}]"]
