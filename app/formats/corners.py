"""Four corners as a turned box, where they are one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from app.domain.shape_document import turned
from app.domain.shapes import Box, Point, RotatedBox
from app.formats.losses import Ledger, LossCode

NEAR: Final = 0.1
"""Pixels between a told corner and that of the box: files round to five or six digits."""
_EXACT: Final = 1e-6


def box_of_corners(
    points: Sequence[Point], place: str, ledger: Ledger
) -> Box | RotatedBox | None:
    """The box whose corners these four points are, within a tenth of a pixel, in either
    direction around; an upright one where the angle is 0. None: it is another outline.

    The first point is what is top left at an angle of 0, as in the files of Ultralytics.
    """
    clockwise = _is_clockwise(points)
    ordered = points if clockwise else (points[0], *reversed(points[1:]))
    try:
        found = _fitted(ordered)
    except ValueError:
        return None
    distance = max(map(math.dist, found.corners, ordered))
    if not distance <= NEAR:
        return None
    if distance > _EXACT:
        ledger.add(LossCode.FITTED, place)
    return found if found.angle else Box(found.x, found.y, found.w, found.h)


def _fitted(points: Sequence[Point]) -> RotatedBox:
    """The mean of opposite sides; ``ValueError`` where there is no area. All four sides say
    the angle, those across turned back by 90 degrees: the longer ones say it better."""
    first, second, third, fourth = points
    cx, cy = (math.fsum(axis) / 4 for axis in zip(*points, strict=True))
    w = (math.dist(first, second) + math.dist(fourth, third)) / 2
    h = (math.dist(second, third) + math.dist(first, fourth)) / 2
    dx = (second[0] - first[0]) + (third[0] - fourth[0])
    dy = (second[1] - first[1]) + (third[1] - fourth[1])
    dx += (third[1] - second[1]) + (fourth[1] - first[1])
    dy -= (third[0] - second[0]) + (fourth[0] - first[0])
    angle = turned(math.degrees(math.atan2(dy, dx)))
    return RotatedBox(cx - w / 2, cy - h / 2, w, h, angle)


def _is_clockwise(points: Sequence[Point]) -> bool:
    """As it is seen, y pointing down."""
    around = zip(points, (*points[1:], points[0]), strict=True)
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in around) >= 0
