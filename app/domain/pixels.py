"""The pixels that a shape covers: whole ones, within the picture."""

from __future__ import annotations

import math
from typing import Final

from app.domain.shapes import Bounds

Pixels = tuple[int, int, int, int]
"""Left, top, right, bottom: half open, in pixels of the picture as it is shown."""

NEAR: Final = 1e-6
"""In pixels: so far from an edge between two pixels is on it. Formats that count in parts of
the picture, and turned boxes, lead back to 9.9999999 where 10 was meant."""


def covered(bounds: Bounds, width: int, height: int) -> tuple[Pixels | None, bool]:
    """Every pixel that the bounds touch, and whether they reach out of the picture.

    Left and top are rounded down, right and bottom up. None where no pixel is left.
    """
    left, right = _span(bounds.x, bounds.x + bounds.w, width)
    top, bottom = _span(bounds.y, bounds.y + bounds.h, height)
    beyond = _beyond(bounds.x, bounds.x + bounds.w, width)
    beyond = beyond or _beyond(bounds.y, bounds.y + bounds.h, height)
    if left >= right or top >= bottom:
        return None, beyond
    return (left, top, right, bottom), beyond


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    low, high = (min(max(edge, 0.0), float(size)) for edge in (low, high))
    return math.floor(_on_edge(low)), math.ceil(_on_edge(high))


def _on_edge(at: float) -> float:
    return float(round(at)) if abs(at - round(at)) < NEAR else at


def _beyond(low: float, high: float, size: int) -> bool:
    return low < -NEAR or high > size + NEAR
