"""Regions of Label Studio: values in percent as shapes, and shapes as values.

``x``, ``y``, ``width`` and ``height`` are percent of ``original_width`` and
``original_height``; ``rotation`` is in degrees clockwise around the top left corner, in pixels:
https://labelstud.io/tags/rectanglelabels, https://labelstud.io/tags/polygonlabels,
https://labelstud.io/tags/keypointlabels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from app.domain.names import refuse
from app.domain.shape_document import read_number, turned
from app.domain.shapes import MAX_POINTS, Box, Point, Points, Polygon, RotatedBox, Shape
from app.formats import reading
from app.formats.dataset import Size
from app.formats.json_text import Record, array
from app.formats.losses import Ledger, LossCode

GEOMETRY: Final = frozenset({"x", "y", "width", "height", "rotation", "points", "closed"})
KINDS: Final = {
    "rectanglelabels": "rectangle",
    "rectangle": "rectangle",
    "polygonlabels": "polygon",
    "polygon": "polygon",
    "keypointlabels": "keypoint",
    "keypoint": "keypoint",
}


def shape_of(
    kind: str, value: Record, size: Size | None, place: str, ledger: Ledger
) -> Shape | None:
    """None for what cannot be drawn: no area, two points, no size; ``InvalidInput``."""
    if size is None:
        return None
    if kind == "polygon":
        return _outline(value, size, f"{place}.points", ledger)
    x, y = _pixels(value, "x", size[0], place), _pixels(value, "y", size[1], place)
    if kind == "keypoint":
        return reading.points([(x, y)], place)
    w, h = (
        _pixels(value, name, side, place)
        for name, side in zip(("width", "height"), size, strict=True)
    )
    if w == 0 or h == 0:
        return None
    angle = read_number(value.get("rotation") or 0, f"{place}.rotation")
    box = reading.box(x, y, w, h, place, ledger)
    return box if box is None or not angle else _around_corner(box, angle, place)


def value_of(shape: Shape, size: Size) -> Record:
    """The geometry of a region."""
    width, height = size
    if isinstance(shape, Polygon | Points):
        points = [[_percent(x, width), _percent(y, height)] for x, y in shape.points]
        if kind_of(shape) == "keypoint":
            return {"x": points[0][0], "y": points[0][1], "width": 0.5}
        return {"points": points, "closed": isinstance(shape, Polygon)}
    if not isinstance(shape, Box | RotatedBox):
        return {}
    x, y = shape.corners[0] if isinstance(shape, RotatedBox) else (shape.x, shape.y)
    value: Record = {"x": _percent(x, width), "y": _percent(y, height)}
    value |= {"width": _percent(shape.w, width), "height": _percent(shape.h, height)}
    value["rotation"] = 0
    if isinstance(shape, RotatedBox):
        value["rotation"] = shape.angle % 360 or 360
    return value


def kind_of(shape: Shape) -> str:
    """Several points are an open outline: a keypoint has one."""
    if isinstance(shape, Points):
        return "keypoint" if len(shape.points) == 1 else "polygon"
    return "polygon" if isinstance(shape, Polygon) else "rectangle"


def region_size(record: Record, real: Size | None, place: str) -> Size | None:
    """What percent are of: told, else that of the picture. None, too, where the picture was
    turned while it was labelled: its regions would land elsewhere."""
    if record.get("image_rotation"):
        return None
    sides = record.get("original_width"), record.get("original_height")
    if all(side is None for side in sides):
        return real
    if not all(type(side) is int and 0 < side < 2**31 for side in sides):
        raise refuse(f"{place}.original_width", "This must be a size in whole pixels.")
    return sides  # type: ignore[return-value]


def _outline(value: Record, size: Size, place: str, ledger: Ledger) -> Shape | None:
    points = array(value.get("points"), place)
    if len(points) > MAX_POINTS:
        raise refuse(place, f"One shape has at most {MAX_POINTS} points.")
    found = list(_points(points, size, place))
    if value.get("closed") is False and found:
        ledger.add(LossCode.LINE, place)
        return reading.points(found, place)
    return reading.polygon(found, place) if len(found) > 2 else None


def _points(points: Any, size: Size, place: str) -> Iterator[Point]:
    for n, pair in enumerate(points):
        where = f"{place}[{n}]"
        if len(array(pair, where)) != 2:
            raise refuse(where, "A point is a list of x and y.")
        x, y = (read_number(part, f"{where}[{i}]") for i, part in enumerate(pair))
        yield x * size[0] / 100, y * size[1] / 100


def _pixels(value: Record, name: str, side: int, place: str) -> float:
    return read_number(value.get(name), f"{place}.{name}") * side / 100


def _percent(pixels: float, side: int) -> float:
    """The float64 that leads back to the same pixels, where there is one."""
    near = pixels * 100 / side
    below, above = math.nextafter(near, -math.inf), math.nextafter(near, math.inf)
    found = (each for each in (near, below, above) if each * side / 100 == pixels)
    return next(found, near)


def _around_corner(box: Box, angle: float, place: str) -> RotatedBox:
    sin, cos = math.sin(math.radians(angle)), math.cos(math.radians(angle))
    x = box.x + (box.w * cos - box.h * sin) / 2 - box.w / 2
    y = box.y + (box.w * sin + box.h * cos) / 2 - box.h / 2
    try:
        return RotatedBox(x, y, box.w, box.h, turned(angle))
    except ValueError as wrong:
        raise refuse(place, f"This is no box: {wrong}.") from None
