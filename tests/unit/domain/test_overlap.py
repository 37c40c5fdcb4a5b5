"""Overlap of shapes, against known areas, another method, and counted pixels."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.overlap import EXACT_EDGES, overlap
from app.domain.shapes import Box, Point, Points, Polygon, RotatedBox, Shape, WholePicture

SIDE = st.floats(1, 50, allow_nan=False)
PLACE = st.floats(-40, 40, allow_nan=False)
BOXES = st.builds(Box, PLACE, PLACE, SIDE, SIDE)
TURNED = st.builds(RotatedBox, PLACE, PLACE, SIDE, SIDE, st.floats(-180, 179))
OUTLINES = st.builds(
    lambda points: Polygon(tuple(points)),
    st.lists(st.tuples(PLACE, PLACE), min_size=3, max_size=7),
)
AREAS = st.one_of(BOXES, TURNED, OUTLINES)


def ring(count: int, radius: float, x: float = 0) -> Polygon:
    turns = [2 * math.pi * n / count for n in range(count)]
    return Polygon(tuple((x + radius * math.cos(t), radius * math.sin(t)) for t in turns))


def area(points: list[Point]) -> float:
    return abs(sum(p[0] * q[1] - q[0] * p[1] for p, q in pairwise([*points, points[0]]))) / 2


def clipped(subject: list[Point], clip: list[Point]) -> list[Point]:
    """Sutherland and Hodgman: the part of one convex outline inside another (clockwise)."""
    for p, q in pairwise([*clip, clip[0]]):

        def side(r: Point, p: Point = p, q: Point = q) -> float:
            return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

        kept: list[Point] = []
        for r, s in pairwise([*subject, subject[0]] if subject else []):
            if side(r) >= 0:
                kept.append(r)
            if side(r) * side(s) < 0:
                part = side(r) / (side(r) - side(s))
                kept.append((r[0] + part * (s[0] - r[0]), r[1] + part * (s[1] - r[1])))
        subject = kept
    return subject


@pytest.mark.parametrize(
    ("a", "b", "wanted"),
    [
        (Box(0, 0, 2, 2), Box(1, 0, 2, 2), 1 / 3),
        (Box(0, 0, 2, 2), Box(2, 0, 2, 2), 0),
        (Box(0, 0, 4, 4), Box(1, 1, 2, 2), 1 / 4),
        (Box(0, 0, 4, 4), RotatedBox(0, 0, 4, 4, 90), 1),
        (Box(-2, -2, 4, 4), RotatedBox(-2, -2, 4, 4, 45), math.sqrt(2) / 2),
        (Box(0, 0, 2, 2), Polygon(((0, 0), (2, 0), (0, 2))), 1 / 2),
        # a U, and the box that fills its gap
        (
            Polygon(((0, 0), (1, 0), (1, 2), (2, 2), (2, 0), (3, 0), (3, 3), (0, 3))),
            Box(1, 0, 1, 2),
            0,
        ),
        # an outline that crosses itself: two triangles, by the even-odd rule
        (Polygon(((0, 0), (2, 2), (2, 0), (0, 2))), Box(0, 0, 2, 2), 1 / 2),
        (WholePicture(), WholePicture(), 1),
        (WholePicture(), Box(0, 0, 1, 1), 0),
        (Points(((0, 0), (5, 5))), Points(((0, 0), (5, 5))), 1),
        (Points(((0, 0), (5, 5))), Points(((0, 5), (5, 10))), 1 / 2),
        (Points(((0, 0),)), Points(((0, 0), (1, 1))), 0),
        (Points(((0, 0),)), Box(0, 0, 1, 1), 0),
        (Box(-1e308, 0, 1e308, 1), Box(-1e308, 0, 1.5e308, 1), 2 / 3),
        (Box(0, 0, 5e-324, 1), Box(0, 0, 1, 1), 0),
    ],
)
def test_known_areas(a: Shape, b: Shape, wanted: float) -> None:
    assert overlap(a, b) == pytest.approx(wanted, abs=1e-9)
    assert overlap(b, a) == pytest.approx(wanted, abs=1e-9)


@settings(max_examples=150, deadline=None)
@given(AREAS, AREAS)
def test_bounds_symmetry_and_identity(a: Shape, b: Shape) -> None:
    found = overlap(a, b)
    assert 0 <= found <= 1
    assert overlap(b, a) == pytest.approx(found, abs=1e-6)
    assert overlap(a, a) == 1


@settings(max_examples=150, deadline=None)
@given(TURNED, st.one_of(BOXES, TURNED))
def test_turned_boxes_against_clipping(a: RotatedBox, b: Box | RotatedBox) -> None:
    other = b if isinstance(b, RotatedBox) else RotatedBox(b.x, b.y, b.w, b.h, 0)
    part = clipped(list(a.corners), list(other.corners))
    common = area(part) if len(part) > 2 else 0.0
    wanted = common / (a.w * a.h + b.w * b.h - common)
    assert overlap(a, b) == pytest.approx(wanted, abs=1e-6)


def test_outlines_of_many_points_are_scanned() -> None:
    """Two circles of radius 1, their middles 1 apart: the lens is 2π/3 - √3/2."""
    lens = 2 * math.pi / 3 - math.sqrt(3) / 2
    wanted = lens / (2 * math.pi - lens)
    for count in (EXACT_EDGES // 2, 400):
        found = overlap(ring(count, 1), ring(count, 1, 1))
        assert found == pytest.approx(wanted, abs=2e-3)


def test_outlines_against_counted_pixels() -> None:
    star = Polygon(((5, 0), (8, 9), (0, 3), (10, 3), (2, 9)))
    other = Polygon(((1, 1), (9, 2), (6, 6), (9, 9), (1, 8)))
    both = either = 0
    for x in range(200):
        for y in range(200):
            inside = [_holds(each, ((x + 0.5) / 20, (y + 0.5) / 20)) for each in (star, other)]
            both += all(inside)
            either += any(inside)
    assert overlap(star, other) == pytest.approx(both / either, abs=5e-3)


def _holds(outline: Polygon, point: Point) -> bool:
    x, y = point
    inside = False
    for p, q in pairwise([*outline.points, outline.points[0]]):
        if (p[1] > y) != (q[1] > y) and x < p[0] + (y - p[1]) * (q[0] - p[0]) / (q[1] - p[1]):
            inside = not inside
    return inside
