"""A box as a label file tells it, before anybody knows how large the picture is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.labels import clean_label
from app.domain.names import refuse
from app.domain.shapes import Box


class Units(StrEnum):
    """What a coordinate of 1 means: one pixel, or the whole width or height."""

    PIXEL = "pixel"
    NORMALISED = "normalised"


class Corners(StrEnum):
    """What four numbers mean: corner and size, two corners, or centre and size."""

    XYWH = "xywh"
    XYXY = "xyxy"
    CXCYWH = "cxcywh"


@dataclass(frozen=True, slots=True)
class LabelledBox:
    """``x`` and ``y`` of the top left corner; ``units`` say of what."""

    label: str
    x: float
    y: float
    w: float
    h: float
    units: Units = Units.PIXEL

    def on(self, width: int, height: int) -> Box:
        """The box in pixels of a picture of this size, as it is shown.

        Raises ``InvalidInput`` for a box without an area or with numbers that are none.
        """
        across, down = (1, 1) if self.units is Units.PIXEL else (width, height)
        try:
            return Box(self.x * across, self.y * down, self.w * across, self.h * down)
        except ValueError as wrong:
            raise refuse("box", f"This is no box: {wrong}.") from None


def box_of(
    label: object, numbers: tuple[float, float, float, float], form: Corners, units: Units
) -> LabelledBox:
    """A box from four numbers; ``InvalidInput`` for a label that cannot be a class's name."""
    a, b, c, d = numbers
    if form is Corners.XYXY:
        a, b, c, d = min(a, c), min(b, d), abs(c - a), abs(d - b)
    elif form is Corners.CXCYWH:
        a, b = a - c / 2, b - d / 2
    return LabelledBox(clean_label(label, "label"), a, b, c, d, units)
