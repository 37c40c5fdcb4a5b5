"""``bbox`` and ``segmentation`` of COCO as shapes, and shapes as these.

``bbox`` is x, y, width, height in pixels from 0, five numbers (cx, cy, w, h, degrees counter-
clockwise) where Detectron2 wrote a turned box; CVAT tells ``rotation`` as an attribute.
``segmentation`` is a list of rings [x1, y1, x2, y2, …] or a mask of runs. https://cocodataset.org/#format-data
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.names import refuse
from app.domain.shape_document import read_number, turned
from app.domain.shapes import MAX_POINTS, Bounds, Box, Point, Polygon, RotatedBox, Shape
from app.formats import reading
from app.formats.json_text import Record, array, number_pairs
from app.formats.losses import Ledger, LossCode


def shape_of(found: Record, place: str, ledger: Ledger) -> Shape | None:
    """None, and told, where it has no area. Masks and outlines of several parts become the
    box around them, and are told; ``InvalidInput``."""
    told = found.get("segmentation")
    if isinstance(told, dict):
        ledger.add(LossCode.MASK, place)
        return _box(found.get("bbox"), f"{place}.bbox", ledger)
    rings = array(told, f"{place}.segmentation") if told is not None else ()
    if not any(rings):
        box = _box(found.get("bbox"), f"{place}.bbox", ledger)
        angle = rotation(found)
        return RotatedBox(box.x, box.y, box.w, box.h, turned(angle)) if box and angle else box
    read = [_ring(ring, f"{place}.segmentation[{n}]") for n, ring in enumerate(rings)]
    if len(read) == 1 and len(read[0]) > 2:
        return reading.polygon(read[0], f"{place}.segmentation[0]")
    ledger.add(LossCode.PARTS if len(read) > 1 else LossCode.SHAPE_KEPT, place)
    if found.get("bbox") is not None:
        return _box(found["bbox"], f"{place}.bbox", ledger)
    around = _around(read, f"{place}.segmentation")
    return reading.box(around.x, around.y, around.w, around.h, place, ledger)


def geometry(shape: Shape, ledger: Ledger) -> Record:
    """``segmentation``, ``area``, ``bbox`` and ``iscrowd`` of a shape with an area."""
    if isinstance(shape, RotatedBox):
        ledger.add(LossCode.CORNERS)
    outline = _outline(shape)
    around = shape.bounds
    return {
        "segmentation": [[axis for point in outline for axis in point]] if outline else [],
        "area": _area(outline) if outline else around.w * around.h,
        "bbox": [around.x, around.y, around.w, around.h],
        "iscrowd": 0,
    }


def _outline(shape: Shape) -> Sequence[Point]:
    if isinstance(shape, RotatedBox):
        return shape.corners
    return shape.points if isinstance(shape, Polygon) else ()


def rotation(found: Record) -> float:
    """Degrees, clockwise, by which CVAT turns ``bbox`` around its middle."""
    told = found.get("attributes")
    angle = told.get("rotation") if isinstance(told, dict) else None
    return float(angle) if isinstance(angle, int | float) else 0.0


def _box(value: object, place: str, ledger: Ledger) -> Box | RotatedBox | None:
    sides = array(value, place)
    if len(sides) not in {4, 5}:
        raise refuse(place, "A box is a list of x, y, width and height.")
    x, y, w, h, *angle = (read_number(side, f"{place}[{n}]") for n, side in enumerate(sides))
    if not angle:
        return reading.box(x, y, w, h, place, ledger)
    box = reading.box(x - w / 2, y - h / 2, w, h, place, ledger)
    return box and RotatedBox(box.x, box.y, box.w, box.h, turned(-angle[0]))


def _ring(value: Any, place: str) -> tuple[Point, ...]:
    numbers = array(value, place)
    if not numbers or len(numbers) % 2 or len(numbers) > 2 * MAX_POINTS:
        raise refuse(place, f"An outline has x and y of at most {MAX_POINTS} points.")
    read = [read_number(number, f"{place}[{n}]") for n, number in enumerate(numbers)]
    return number_pairs(read)


def _around(rings: Sequence[Sequence[Point]], place: str) -> Bounds:
    try:
        return Bounds.around(point for ring in rings for point in ring)
    except ValueError as wrong:
        raise refuse(place, f"This is no outline: {wrong}.") from None


def _area(points: Sequence[Point]) -> float:
    """Of a simple outline in square pixels, from its first point, so that little cancels."""
    x0, y0 = points[0]
    moved = [(x - x0, y - y0) for x, y in points]
    pairs = zip(moved, [*moved[1:], moved[0]], strict=True)
    return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in pairs)) / 2
