"""Labels, shapes and attributes of a document as those of Darkroom, and what to say of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.domain.annotation import MAX_BOXES, Attributes
from app.domain.attributes import check_attributes
from app.domain.labels import clean_label
from app.domain.names import refuse
from app.domain.shapes import (
    Box,
    Point,
    Points,
    Polygon,
    Shape,
    WholePicture,
)
from app.errors import InvalidInput
from app.formats.dataset import Size
from app.formats.losses import Ledger, LossCode

MAX_ITEMS: Final = MAX_BOXES
"""Of one picture."""
MAX_CLASSES: Final = 10_000
"""Of one data set."""


def label(value: object, place: str, ledger: Ledger) -> str:
    """The name of a class; ``InvalidInput``. Numbers are names, too."""
    told = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    name = clean_label(told, place)
    if name != told:
        ledger.add(LossCode.LABEL_CHANGED, place)
    return name


def box(x: float, y: float, w: float, h: float, place: str, ledger: Ledger) -> Box | None:
    """None, and told, where it has no area; ``InvalidInput`` where it is none at all."""
    if w < 0 or h < 0:
        raise refuse(place, "A box has a width and a height above 0.")
    if w == 0 or h == 0:
        ledger.add(LossCode.ZERO_AREA, place)
        return None
    try:
        return Box(x, y, w, h)
    except ValueError as wrong:
        raise refuse(place, f"This is no box: {wrong}.") from None


def polygon(points: Iterable[Point], place: str) -> Polygon:
    """``InvalidInput`` for too few or too many points."""
    try:
        return Polygon(tuple(points))
    except ValueError as wrong:
        raise refuse(place, f"This is no outline: {wrong}.") from None


def points(found: Iterable[Point], place: str) -> Points:
    """``InvalidInput`` for none or too many."""
    try:
        return Points(tuple(found))
    except ValueError as wrong:
        raise refuse(place, f"These are no points: {wrong}.") from None


def attributes(value: object, place: str, ledger: Ledger) -> Attributes:
    """What a box can carry; {}, and told, where that is something else. The caller keeps the
    value as it was."""
    try:
        return check_attributes(value, place) or {}
    except InvalidInput:
        ledger.add(LossCode.ATTRIBUTES_KEPT, place)
        return {}


def note_outside(shape: Shape, size: Size | None, place: str, ledger: Ledger) -> None:
    """Tell a shape that reaches out of its picture by more than the error of a float64."""
    if size is None or isinstance(shape, WholePicture):
        return
    edge, bounds = 1e-6, shape.bounds
    across = -edge <= bounds.x and bounds.x + bounds.w <= size[0] + edge
    down = -edge <= bounds.y and bounds.y + bounds.h <= size[1] + edge
    if not (across and down):
        ledger.add(LossCode.OUT_OF_PICTURE, place)


def note_size(told: Size | None, real: Size | None, place: str, ledger: Ledger) -> None:
    """Tell a size that is not the picture's."""
    if told is None or real is None or told == real:
        return
    swapped = told == (real[1], real[0])
    ledger.add(LossCode.SIZE_SWAPPED if swapped else LossCode.SIZE_DIFFERS, place)


def check_classes(classes: int, place: str) -> None:
    """``InvalidInput`` beyond what a data set can have."""
    if classes > MAX_CLASSES:
        raise refuse(place, f"A data set has at most {MAX_CLASSES:,} classes.")


def check_count(items: int, place: str) -> None:
    """``InvalidInput`` beyond what one picture can have."""
    if items > MAX_ITEMS:
        raise refuse(place, f"One picture has at most {MAX_ITEMS} annotations.")
