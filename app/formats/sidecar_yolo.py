"""YOLO text files: a line a box, ``class cx cy width height``, of 1 = the whole picture.

The classes stand in a file of their own, one name a line; their numbers start at 0.
https://docs.ultralytics.com/datasets/detect/ and darknet's ``obj.names``.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.names import refuse
from app.formats.labelled_box import Corners, LabelledBox, Units, box_of


def read_classes(text: str) -> tuple[str, ...]:
    """The names in their order; empty lines at the end are none."""
    return tuple(line.strip() for line in text.rstrip().splitlines())


def read_yolo(text: str, classes: Sequence[str]) -> tuple[LabelledBox, ...]:
    """The boxes of one file; ``InvalidInput`` with the line that is none."""
    return tuple(
        _box(line.split(), classes, f"line {number}")
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    )


def _box(words: Sequence[str], classes: Sequence[str], path: str) -> LabelledBox:
    if len(words) != 5:
        raise refuse(path, "A line is: class, centre x, centre y, width, height.")
    try:
        number = int(words[0])
        cx, cy, w, h = (float(word) for word in words[1:])
    except ValueError:
        raise refuse(path, "These are not a class's number and four numbers.") from None
    if not 0 <= number < len(classes):
        raise refuse(path, "The file of classes has no class of this number.")
    return box_of(classes[number], (cx, cy, w, h), Corners.CXCYWH, Units.NORMALISED)
