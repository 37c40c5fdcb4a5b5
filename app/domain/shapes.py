"""What an annotation marks: a box, a turned box, an outline, points, or the whole picture.

Coordinates are float64 in pixels of the picture as it is shown (EXIF orientation applied):
origin at the top left, x to the right, y down; areas are half open (``x <= px < x + w``) and
not clipped to the picture. An angle is in degrees, clockwise as it is seen, in [-180, 180).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

MAX_POINTS: Final = 10_000
"""Of one outline or one set of points."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The smallest upright rectangle around a shape; a point's has no extent."""

    x: float
    y: float
    w: float
    h: float

    @classmethod
    def around(cls, points: Iterable[Point]) -> Bounds:
        """Of one point at least. ``ValueError`` unless all is finite."""
        across, down = zip(*points, strict=True)
        x, y = min(across), min(down)
        _check_finite(*across, *down, max(across) - x, max(down) - y)
        return cls(x, y, max(across) - x, max(down) - y)


@dataclass(frozen=True, slots=True)
class Box:
    """Raises ``ValueError`` unless all is finite, right and bottom too, and it has an area."""

    kind: ClassVar[str] = "box"

    x: float
    y: float
    w: float
    h: float

    def __post_init__(self) -> None:
        _check_finite(self.x, self.y, self.w, self.h, self.x + self.w, self.y + self.h)
        _check_area(self.w, self.h)

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.x, self.y, self.w, self.h)


@dataclass(frozen=True, slots=True)
class RotatedBox:
    """The box (x, y, w, h) turned by ``angle`` around its middle; ``ValueError`` as `Box`."""

    kind: ClassVar[str] = "rotated"

    x: float
    y: float
    w: float
    h: float
    angle: float

    def __post_init__(self) -> None:
        Box(self.x, self.y, self.w, self.h)
        if not -180 <= self.angle < 180:
            raise ValueError("an angle is from -180 to below 180 degrees")

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        """Clockwise as seen, from the corner that is top left at an angle of 0."""
        cx, cy = self.x + self.w / 2, self.y + self.h / 2
        sin, cos = math.sin(math.radians(self.angle)), math.cos(math.radians(self.angle))
        dx, dy = self.w / 2, self.h / 2
        first, second, third, fourth = (
            (cx + a * cos - b * sin, cy + a * sin + b * cos)
            for a, b in ((-dx, -dy), (dx, -dy), (dx, dy), (-dx, dy))
        )
        return first, second, third, fourth

    @property
    def bounds(self) -> Bounds:
        return Bounds.around(self.corners)


@dataclass(frozen=True, slots=True)
class Polygon:
    """A closed outline of 3 points or more, the last joined to the first; ``ValueError``."""

    kind: ClassVar[str] = "polygon"

    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        _check_points(self.points, 3)

    @property
    def bounds(self) -> Bounds:
        return Bounds.around(self.points)


@dataclass(frozen=True, slots=True)
class Points:
    """One point or more, in their order; ``ValueError``."""

    kind: ClassVar[str] = "points"

    points: tuple[Point, ...]

    def __post_init__(self) -> None:
        _check_points(self.points, 1)

    @property
    def bounds(self) -> Bounds:
        return Bounds.around(self.points)


@dataclass(frozen=True, slots=True)
class WholePicture:
    """A class of the picture as a whole; it has no place in it."""

    kind: ClassVar[str] = "image"

    @property
    def bounds(self) -> Bounds:
        return Bounds(0.0, 0.0, 0.0, 0.0)


Shape = Box | RotatedBox | Polygon | Points | WholePicture
KINDS: Final = tuple(kind.kind for kind in (Box, RotatedBox, Polygon, Points, WholePicture))


def _check_finite(*numbers: float) -> None:
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a shape is made of finite numbers")


def _check_area(w: float, h: float) -> None:
    if w <= 0 or h <= 0:
        raise ValueError("a box has a width and a height above 0")


def _check_points(points: tuple[Point, ...], least: int) -> None:
    if not least <= len(points) <= MAX_POINTS:
        raise ValueError(f"this shape has {least} to {MAX_POINTS} points")
    Bounds.around(points)
