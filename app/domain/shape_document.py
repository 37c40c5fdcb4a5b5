"""Shapes as JSON: ``{"type": "rotated", "x", "y", "w", "h", "angle"}``, ``{"type": "polygon",
"points": [[x, y], …]}``, ``{"type": "points", "points": […]}``, ``{"type": "image"}``.

A plain box is told as ``box: {x, y, w, h}`` alone; every other shape has its bounds there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain.names import refuse
from app.domain.shapes import (
    KINDS,
    MAX_POINTS,
    Box,
    Point,
    Points,
    Polygon,
    RotatedBox,
    Shape,
    WholePicture,
)

SIDES: Final = ("x", "y", "w", "h")
Json = Mapping[str, object]


def shape_json(shape: Shape) -> dict[str, object] | None:
    """The document of a shape; None for a plain box."""
    if isinstance(shape, Box):
        return None
    told: dict[str, object] = {"type": shape.kind}
    if isinstance(shape, RotatedBox):
        told |= {side: getattr(shape, side) for side in (*SIDES, "angle")}
    elif isinstance(shape, Polygon | Points):
        told["points"] = [list(point) for point in shape.points]
    return told


def read_shape(value: object, path: str) -> Shape:
    """The shape of a document; ``InvalidInput`` with the place of the mistake."""
    if not isinstance(value, dict):
        raise refuse(path, "This must be an object with a type.")
    kind = value.get("type")
    if kind not in KINDS:
        raise refuse(f"{path}.type", "A shape is one of " + ", ".join(KINDS) + ".")
    if kind == WholePicture.kind:
        return WholePicture()
    try:
        if kind == Polygon.kind:
            return Polygon(_points(value.get("points"), f"{path}.points"))
        if kind == Points.kind:
            return Points(_points(value.get("points"), f"{path}.points"))
        return read_box(value, path) if kind == Box.kind else _rotated(value, path)
    except ValueError as wrong:
        raise refuse(path, f"This does not work: {wrong}.") from None


def read_box(value: object, path: str) -> Box:
    """The box of ``{x, y, w, h}``; ``InvalidInput``."""
    if not isinstance(value, dict):
        raise refuse(path, "This must be an object with x, y, w and h.")
    x, y, w, h = _sides(value, path)
    try:
        return Box(x, y, w, h)
    except ValueError:
        raise refuse(path, "This box ends beyond the largest number.") from None


def read_number(value: object, path: str) -> float:
    """A finite float64; ``InvalidInput``."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(path, "This must be a number.")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not float("-inf") < number < float("inf"):
        raise refuse(path, "This must be a finite number.")
    return number


def _sides(value: Json, path: str) -> tuple[float, float, float, float]:
    x, y, w, h = (read_number(value.get(side), f"{path}.{side}") for side in SIDES)
    for side, length in (("w", w), ("h", h)):
        if length <= 0:
            raise refuse(f"{path}.{side}", "This must be greater than 0.")
    return x, y, w, h


def _rotated(value: Json, path: str) -> RotatedBox:
    """Any angle is taken: 270 is -90."""
    angle = read_number(value.get("angle"), f"{path}.angle")
    return RotatedBox(*_sides(value, path), angle=turned(angle))


def turned(angle: float) -> float:
    """The same angle in [-180, 180), unchanged where it is there already."""
    if -180 <= angle < 180:
        return angle
    within = (angle + 180) % 360 - 180
    return within if within < 180 else -180.0


def _points(value: object, path: str) -> tuple[Point, ...]:
    if not isinstance(value, list):
        raise refuse(path, "This must be a list of points.")
    if len(value) > MAX_POINTS:
        raise refuse(path, f"One shape has at most {MAX_POINTS} points.")
    return tuple(_point(point, f"{path}[{place}]") for place, point in enumerate(value))


def _point(value: object, path: str) -> Point:
    if not isinstance(value, list) or len(value) != 2:
        raise refuse(path, "A point is a list of x and y.")
    return read_number(value[0], f"{path}[0]"), read_number(value[1], f"{path}[1]")
