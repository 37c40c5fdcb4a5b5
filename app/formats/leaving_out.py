"""What several formats cannot hold, and are to tell before they write."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.shapes import Box, Points, RotatedBox, WholePicture
from app.domain.states import AnnotationState
from app.formats.dataset import ClassDef, Dataset, Item, Picture
from app.formats.losses import Ledger, LossCode


def note_class_details(
    classes: Iterable[ClassDef],
    ledger: Ledger,
    *,
    colours: bool = False,
    numbers: bool = False,
    definitions: bool = False,
) -> None:
    """Tell classes with a colour, a number that is not their place, or definitions of
    attributes; what is said to be held is not looked at."""
    for place, each in enumerate(classes):
        colour = each.colour is not None and not colours
        number = each.number not in {None, place} and not numbers
        if colour or number or (each.attributes and not definitions):
            ledger.add(LossCode.CLASS_DETAILS)


def note_unused(dataset: Dataset, ledger: Ledger) -> None:
    """Tell classes that no annotation has, for formats without a list of classes."""
    used = {item.label for picture in dataset.pictures for item in picture.items}
    if count := sum(1 for each in dataset.classes if each.name not in used):
        ledger.add(LossCode.UNUSED_CLASSES, count=count)


def note_states(pictures: Iterable[Picture], ledger: Ledger) -> None:
    silent = {None, AnnotationState.NEW}
    if count := sum(1 for picture in pictures if picture.state not in silent):
        ledger.add(LossCode.STATE, count=count)


def note_splits(pictures: Iterable[Picture], ledger: Ledger) -> None:
    if count := sum(1 for picture in pictures if picture.split):
        ledger.add(LossCode.SPLIT, count=count)


def note_attributes(item: Item, ledger: Ledger) -> None:
    if item.attributes:
        ledger.add(LossCode.ATTRIBUTES)


def upright(item: Item, ledger: Ledger) -> Box | None:
    """An item as an upright box, for formats that have no other shape; None, and told, where
    there is none around it."""
    shape = item.shape
    if isinstance(shape, Box):
        return shape
    if isinstance(shape, WholePicture):
        ledger.add(LossCode.WHOLE_PICTURE)
        return None
    around = shape.bounds
    if isinstance(shape, Points) or around.w == 0 or around.h == 0:
        ledger.add(LossCode.SHAPE)
        return None
    is_turned = isinstance(shape, RotatedBox)
    ledger.add(LossCode.ROTATION if is_turned else LossCode.OUTLINE)
    return Box(around.x, around.y, around.w, around.h)
