"""LabelMe files: one JSON object a picture, its ``shapes`` in pixels.

``{"shapes": [{"label", "shape_type": "rectangle", "points": [[x1, y1], [x2, y2]]}], …}``:
https://github.com/wkentaro/labelme. Rectangles are read, other shapes are refused: a box
around a polygon would be another label than the one that was drawn.
"""

from __future__ import annotations

import json

from app.domain.names import refuse
from app.formats.labelled_box import Corners, LabelledBox, Units, box_of


def read_labelme(text: str) -> tuple[LabelledBox, ...]:
    """The rectangles of one file; ``InvalidInput`` with the shape that is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise refuse("", "This is no JSON.") from None
    shapes = document.get("shapes") if isinstance(document, dict) else None
    if not isinstance(shapes, list):
        raise refuse("shapes", "A LabelMe file has a list of shapes.")
    return tuple(_box(shape, f"shapes[{n}]") for n, shape in enumerate(shapes))


def _box(shape: object, path: str) -> LabelledBox:
    if not isinstance(shape, dict) or shape.get("shape_type", "rectangle") != "rectangle":
        raise refuse(path, "Only rectangles can be taken in.")
    points = shape.get("points")
    try:
        (x1, y1), (x2, y2) = points  # type: ignore[misc]
        numbers = (float(x1), float(y1), float(x2), float(y2))
    except (TypeError, ValueError):
        raise refuse(f"{path}.points", "A rectangle has two corners.") from None
    return box_of(shape.get("label"), numbers, Corners.XYXY, Units.PIXEL)
