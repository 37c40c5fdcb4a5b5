"""How much two shapes are the same place: intersection over union, from 0 to 1.

Boxes are reckoned directly. Turned boxes and outlines are cut into horizontal slabs at every
corner and at every crossing of two edges: inside a slab no edges cross, so its part of an area
is its height times the width in its middle, exactly. Outlines that have more than
`EXACT_EDGES` edges together are cut into `SCAN_LINES` slabs of one height instead (an error
below one slab along the outline). An outline that crosses itself is filled by the even-odd
rule, as it is drawn. Points have no area: two lists of as many points are as close as their
points in order, 1 where they are the same and 0 from `REACH` pixels on, on average.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Final

from app.domain.shapes import Bounds, Box, Point, Points, Polygon, RotatedBox, Shape

EXACT_EDGES: Final = 160
SCAN_LINES: Final = 512
REACH: Final = 10.0
"""Pixels."""

Edge = tuple[Point, Point]


def overlap(a: Shape, b: Shape) -> float:
    """Intersection over union of two shapes; 1 for equal ones, 0 for those of other kinds that
    cannot be compared (an area with points, anything with the whole picture)."""
    if a == b:
        return 1.0
    if isinstance(a, Points) and isinstance(b, Points):
        return _closeness(a.points, b.points)
    if not isinstance(a, Box | RotatedBox | Polygon) or not isinstance(
        b, Box | RotatedBox | Polygon
    ):
        return 0.0
    frame = _around(a.bounds, b.bounds)
    if frame is None:
        return 0.0
    if isinstance(a, Box) and isinstance(b, Box):
        return _of_boxes(a, b, frame)
    return _of_outlines(_edges(a, frame), _edges(b, frame))


def could_meet(a: Bounds, b: Bounds) -> bool:
    """Whether two upright rectangles have an area in common."""
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def _around(a: Bounds, b: Bounds) -> Bounds | None:
    """The rectangle around both, by which coordinates are scaled to [0, 1] so that no area
    overflows; None where there is nothing in common."""
    if not could_meet(a, b):
        return None
    x, y = min(a.x, b.x), min(a.y, b.y)
    w, h = max(a.x + a.w, b.x + b.w) - x, max(a.y + a.h, b.y + b.h) - y
    usable = math.isfinite(w) and math.isfinite(h) and w > 0 and h > 0
    return Bounds(x, y, w, h) if usable else None


def _of_boxes(a: Box, b: Box, frame: Bounds) -> float:
    across = (min(a.x + a.w, b.x + b.w) - max(a.x, b.x)) / frame.w
    down = (min(a.y + a.h, b.y + b.h) - max(a.y, b.y)) / frame.h
    first = (a.w / frame.w) * (a.h / frame.h)
    second = (b.w / frame.w) * (b.h / frame.h)
    return _ratio(max(0.0, across) * max(0.0, down), first, second)


def _ratio(common: float, first: float, second: float) -> float:
    union = first + second - common
    return min(1.0, max(0.0, common / union)) if union > 0 else 0.0


def _closeness(a: Sequence[Point], b: Sequence[Point]) -> float:
    if len(a) != len(b):
        return 0.0
    apart = sum(math.dist(p, q) / len(a) for p, q in zip(a, b, strict=True))
    return max(0.0, 1.0 - apart / REACH)


def _edges(shape: Box | RotatedBox | Polygon, frame: Bounds) -> list[Edge]:
    """The outline in parts of ``frame``, without its level edges: they bound no slab."""
    points = [((x - frame.x) / frame.w, (y - frame.y) / frame.h) for x, y in _corners(shape)]
    closed = pairwise([*points, points[0]])
    return [(p, q) if p[1] < q[1] else (q, p) for p, q in closed if p[1] != q[1]]


def _corners(shape: Box | RotatedBox | Polygon) -> Sequence[Point]:
    if isinstance(shape, Polygon):
        return shape.points
    if isinstance(shape, RotatedBox):
        return shape.corners
    right, bottom = shape.x + shape.w, shape.y + shape.h
    return (shape.x, shape.y), (right, shape.y), (right, bottom), (shape.x, bottom)


def _of_outlines(first: list[Edge], second: list[Edge]) -> float:
    area_a = area_b = common = 0.0
    for top, bottom in pairwise(_cuts([*first, *second])):
        middle = top + (bottom - top) / 2
        spans_a, spans_b = _spans(first, middle), _spans(second, middle)
        height = bottom - top
        area_a += height * _width(spans_a)
        area_b += height * _width(spans_b)
        common += height * _shared(spans_a, spans_b)
    return _ratio(common, area_a, area_b)


def _cuts(edges: list[Edge]) -> list[float]:
    """The heights between which the slabs lie, rising."""
    if len(edges) > EXACT_EDGES:
        return [line / SCAN_LINES for line in range(SCAN_LINES + 1)]
    ends = {point[1] for edge in edges for point in edge}
    crossings = {at for one, other in combinations(edges, 2) for at in _crossing(one, other)}
    return sorted(ends | crossings)


def _crossing(one: Edge, other: Edge) -> Iterator[float]:
    """The height at which two edges cross, if they do inside both."""
    (ax, ay), (bx, by) = one
    (cx, cy), (dx, dy) = other
    top, bottom = max(ay, cy), min(by, dy)
    if top >= bottom:
        return
    slope_a, slope_c = (bx - ax) / (by - ay), (dx - cx) / (dy - cy)
    at_top = (ax + (top - ay) * slope_a) - (cx + (top - cy) * slope_c)
    at_bottom = (ax + (bottom - ay) * slope_a) - (cx + (bottom - cy) * slope_c)
    if at_top * at_bottom < 0:
        yield top + (bottom - top) * at_top / (at_top - at_bottom)


Spans = list[tuple[float, float]]


def _spans(edges: list[Edge], height: float) -> Spans:
    """The parts of a level line that are inside, by the even-odd rule."""
    crossed = sorted(
        p[0] + (height - p[1]) * (q[0] - p[0]) / (q[1] - p[1])
        for p, q in edges
        if p[1] <= height < q[1]
    )
    return list(zip(crossed[::2], crossed[1::2], strict=False))


def _width(spans: Spans) -> float:
    return sum(end - start for start, end in spans)


def _shared(a: Spans, b: Spans) -> float:
    found = 0.0
    i = j = 0
    while i < len(a) and j < len(b):
        found += max(0.0, min(a[i][1], b[j][1]) - max(a[i][0], b[j][0]))
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return found
