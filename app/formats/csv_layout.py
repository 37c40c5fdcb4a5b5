"""Columns of a CSV file by what they mean, and a row as an annotation.

Of a picture: ``file_name``, ``width``, ``height``, ``split``, ``state``; of an annotation:
``label``, ``type`` (box, rotated, polygon, points, image), ``x``, ``y``, ``w``, ``h`` or
``xmin``, ``ymin``, ``xmax``, ``ymax``, ``angle``, ``points`` and ``attributes`` as JSON. Where
there is no ``type``, a row is a box. Other columns are kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from app.domain.names import refuse
from app.domain.shape_document import read_shape, shape_json
from app.domain.shapes import KINDS, Box, Points, Polygon, RotatedBox, Shape
from app.domain.states import AnnotationState
from app.formats import leaving_out, reading
from app.formats.csv_text import Dialect, unguarded
from app.formats.dataset import Item, Picture
from app.formats.json_text import read_json
from app.formats.losses import Ledger
from app.formats.texts import decimal, less, total, whole

SIDES: Final = ("x", "y", "w", "h")
ENDS: Final = ("xmin", "ymin", "xmax", "ymax")
OF_PICTURE: Final = ("file_name", "width", "height", "split", "state")
COLUMNS: Final = (*OF_PICTURE, "label", "type", *SIDES, "angle", "points", "attributes")
"""Those of a file that was none before."""

_ALIASES: Final = {
    "filename": "file_name", "file": "file_name", "image": "file_name", "path": "file_name",
    "image_name": "file_name", "image_path": "file_name", "image_width": "width",
    "image_height": "height", "class": "label", "class_name": "label", "category": "label",
    "label_name": "label", "x_min": "xmin", "x1": "xmin", "left": "xmin", "y_min": "ymin",
    "y1": "ymin", "top": "ymin", "x_max": "xmax", "x2": "xmax", "right": "xmax",
    "y_max": "ymax", "y2": "ymax", "bottom": "ymax", "bbox_x": "x", "bbox_y": "y",
    "bbox_width": "w", "bbox_height": "h", "box_width": "w", "box_height": "h",
}  # fmt: skip

Cells = Mapping[str, str]
"""Texts by what they mean, without the guard against formulas."""


@dataclass(frozen=True, slots=True)
class Layout:
    """``names`` as they are written; ``roles``: what each means, '' for what is only kept."""

    names: tuple[str, ...]
    roles: tuple[str, ...]
    dialect: Dialect

    def __contains__(self, role: str) -> bool:
        return role in self.roles

    def meaning(self, cells: Sequence[str]) -> Cells:
        rows = zip(self.roles, cells, strict=True)
        return {role: unguarded(cell) for role, cell in rows if role}


OWN: Final = Layout(COLUMNS, COLUMNS, Dialect())


def layout_of(names: Sequence[str], dialect: Dialect, place: str) -> Layout:
    """``InvalidInput`` where the first row does not name the columns that are needed."""
    lowered = [name.strip().lower().replace(" ", "_") for name in names]
    roles = [_ALIASES.get(name, name if name in (*COLUMNS, *ENDS) else "") for name in lowered]
    twice = {role for role in roles if role and roles.count(role) > 1}
    if twice:
        raise refuse(place, "Two columns mean the same: " + ", ".join(sorted(twice)) + ".")
    has_box = set(SIDES) <= set(roles) or set(ENDS) <= set(roles)
    if not {"file_name", "label"} <= set(roles) or not has_box:
        raise refuse(
            place,
            "The first row names the columns: file_name, label, and x, y, w, h or xmin, ymin,"
            " xmax, ymax.",
        )
    return Layout(tuple(names), tuple(roles), dialect)


def read_item(cells: Cells, layout: Layout, place: str, ledger: Ledger) -> Item | None:
    """None for a row without an annotation, and, told, for a box without an area."""
    kind = cells.get("type", "").strip() or "box"
    if not cells["label"].strip() and not cells.get("type", "").strip():
        if any(cells.get(role, "").strip() for role in (*SIDES, *ENDS)):
            raise refuse(place, "A row with a box has a label.")
        return None
    label = reading.label(cells["label"], place, ledger)
    shape = _shape(kind, cells, layout, place, ledger)
    if shape is None:
        return None
    told = cells.get("attributes", "").strip()
    document = read_json(told.encode("utf-8", "surrogatepass"), place) if told else None
    return Item(label, shape, reading.attributes(document, place, ledger))


def item_cells(item: Item, layout: Layout, ledger: Ledger) -> dict[str, str] | None:
    """None, and told, for a shape that these columns cannot hold."""
    cells = dict.fromkeys((*COLUMNS, *ENDS), "")
    cells["label"] = item.label
    if item.attributes and "attributes" not in layout:
        leaving_out.note_attributes(item, ledger)
    elif item.attributes:
        cells["attributes"] = json.dumps(item.attributes, ensure_ascii=False, allow_nan=False)
    shape = item.shape
    if not _has_columns(shape, layout):
        upright = leaving_out.upright(item, ledger)
        if upright is None:
            return None
        shape = upright
    cells["type"] = shape.kind
    return cells | _shape_cells(shape)


def picture_cells(picture: Picture) -> dict[str, str]:
    sides = {"width": picture.width, "height": picture.height}
    return {
        "file_name": picture.file_name,
        **{name: "" if side is None else str(side) for name, side in sides.items()},
        "split": picture.split or "",
        "state": str(picture.state or ""),
    }


def read_state(text: str, place: str) -> AnnotationState | None:
    """``InvalidInput`` for a word that is none."""
    if not text.strip():
        return None
    try:
        return AnnotationState(text.strip())
    except ValueError:
        words = ", ".join(AnnotationState)
        raise refuse(place, f"A state is one of {words}.") from None


def read_side(text: str, place: str) -> int | None:
    """A width or height of 1 pixel and more; None where it is not told."""
    side = whole(text, place) if text.strip() else 0
    if side < 0:
        raise refuse(place, "A width or height is above 0.")
    return side or None


def _shape(kind: str, cells: Cells, layout: Layout, place: str, ledger: Ledger) -> Shape | None:
    if kind not in KINDS:
        raise refuse(place, "A type is one of " + ", ".join(KINDS) + ".")
    if kind == "image":
        return read_shape({"type": kind}, place)
    if kind in {"polygon", "points"}:
        told = cells.get("points", "").encode("utf-8", "surrogatepass")
        return read_shape({"type": kind, "points": read_json(told, place)}, place)
    box = _box(cells, layout, place, ledger)
    if box is None or kind == "box":
        return box
    angle = float(_decimal(cells.get("angle", ""), layout, place))
    sides = {side: getattr(box, side) for side in SIDES}
    return read_shape({"type": kind, **sides, "angle": angle}, place)


def _box(cells: Cells, layout: Layout, place: str, ledger: Ledger) -> Box | None:
    roles = SIDES if set(SIDES) <= set(layout.roles) else ENDS
    x, y, third, fourth = (_decimal(cells[role], layout, place) for role in roles)
    w, h = float(third), float(fourth)
    if roles is ENDS:
        w, h = less(third, x), less(fourth, y)
    return reading.box(float(x), float(y), w, h, place, ledger)


def _decimal(text: str, layout: Layout, place: str) -> Decimal:
    """With a decimal comma, too, where no comma parts the cells."""
    if layout.dialect.delimiter != "," and "." not in text:
        text = text.replace(",", ".", 1)
    return decimal(text, place)


def _has_columns(shape: Shape, layout: Layout) -> bool:
    if isinstance(shape, Box):
        return True
    if isinstance(shape, RotatedBox):
        return "type" in layout and "angle" in layout
    if isinstance(shape, Polygon | Points):
        return "type" in layout and "points" in layout
    return "type" in layout


def _shape_cells(shape: Shape) -> dict[str, str]:
    if isinstance(shape, Box | RotatedBox):
        sides = {side: repr(getattr(shape, side)) for side in SIDES}
        ends = (
            total(shape.x), total(shape.y), total(shape.x, shape.w), total(shape.y, shape.h),
        )  # fmt: skip
        angle = {"angle": repr(shape.angle)} if isinstance(shape, RotatedBox) else {}
        return {**sides, **dict(zip(ENDS, ends, strict=True)), **angle}
    document = shape_json(shape) or {}
    points = document.get("points")
    return {"points": json.dumps(points)} if points is not None else {}
