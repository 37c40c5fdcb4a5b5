"""Shapes of LabelMe and X-AnyLabeling: records of ``shapes`` as items, and back.

https://github.com/wkentaro/labelme (``label_file.py``, ``shape.py``) and
https://github.com/CVHub520/X-AnyLabeling. Rectangles have two opposite corners there, four
here; ``rotation`` has four and a ``direction`` in radians; ``mask`` lies from its first point
to its second, both included.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from app.domain.annotation import Attributes
from app.domain.names import refuse
from app.domain.shape_document import read_number
from app.domain.shapes import MAX_POINTS, Box, Point, Points, Polygon, RotatedBox, Shape
from app.formats import reading
from app.formats.corners import box_of_corners
from app.formats.dataset import FORM, Item, form_of
from app.formats.flat_attributes import flat
from app.formats.json_text import Record, array, kept, restored, text
from app.formats.losses import Ledger, LossCode
from app.formats.positions import AT
from app.formats.texts import less, total

_GEOMETRY: Final = ("points", "shape_type", "direction", "mask")
_TOP: Final = ("group_id", "description", "difficult", "score")
_BESIDE: Final = (*_TOP, "flags", "attributes")
_KNOWN: Final = frozenset({"label", *_GEOMETRY, *_BESIDE} - {"mask"})
_LINES: Final = frozenset({"line", "linestrip"})
EMPTY: Final[tuple[object, ...]] = (None, "", [], {})
_STYLE: Final = "style"


def read_item(record: Record, at: int, place: str, ledger: Ledger) -> Item | None:
    """One of ``shapes``; None, and told, where it is none of Darkroom's: circles, cuboids,
    boxes without an area. Raises ``InvalidInput``."""
    label = reading.label(record.get("label"), f"{place}.label", ledger)
    shape = shape_of(record, place, ledger)
    if shape is None:
        ledger.add(LossCode.SHAPE_KEPT, place)
        return None
    shown, _ = _attributes(record, place, ledger)
    style = {_STYLE: _style(record)} if _style(record) else {}
    item = Item(label, shape, shown, {FORM: style})
    empty = [name for name, value in record.items() if value in EMPTY]
    was = kept(record, rendered(item), _KNOWN.union(empty))
    form = {**form_of(was), **style, AT: at}
    return replace(item, extra={**was, FORM: form})


def item_record(item: Item, ledger: Ledger) -> Record:
    """The record that was read, but for what is told otherwise now."""
    raw = restored(rendered(item), item.extra)
    told, unfit = _attributes(raw, "", Ledger())
    found = restored(
        rendered(item, None if told == item.attributes else unfit),
        item.extra,
        (
            (("label",), lambda r: reading.label(r["label"], "", Ledger()) == item.label),
            (_GEOMETRY, lambda r: shape_of(r, "", Ledger()) == item.shape),
            (_BESIDE, lambda r: _attributes(r, "", Ledger())[0] == item.attributes),
        ),
    )
    if shape_of(found, "", Ledger()) != item.shape:
        ledger.add(LossCode.ROUNDED)
    return found


def shape_of(record: Record, place: str, ledger: Ledger) -> Shape | None:
    """None for what Darkroom does not draw; ``InvalidInput``."""
    kind = text(record.get("shape_type") or "polygon", f"{place}.shape_type")
    points = _pairs(record.get("points"), f"{place}.points")
    if kind in {"rectangle", "mask"}:
        return _upright(kind, points, place, ledger)
    if kind in {"polygon", "quadrilateral", "rotation"}:
        turned = kind == "rotation" and len(points) == 4
        box = box_of_corners(points, place, ledger) if turned else None
        return _as_turned(box) or reading.polygon(points, f"{place}.points")
    if kind in {"point", "points"} | _LINES:
        if kind in _LINES:
            ledger.add(LossCode.LINE, place)
        return reading.points(points, f"{place}.points")
    return None


def rendered(item: Item, unfit: Mapping[str, Any] | None = None) -> Record:
    """A record of our own; ``unfit`` are attributes that only the document carries."""
    rest = dict(item.attributes)
    top = {name: rest.pop(name) for name in _TOP if _is_top(name, rest.get(name))}
    flags = {name: value for name, value in rest.items() if isinstance(value, bool)}
    others = {k: v for k, v in rest.items() if k not in flags} | dict(unfit or {})
    kind, points = _geometry(item.shape, str(form_of(item.extra).get(_STYLE, "")))
    record: Record = {"label": item.label, "points": [list(point) for point in points]}
    record |= {"group_id": None, "description": ""} | top
    record |= {"shape_type": kind, "flags": flags}
    if others:
        record["attributes"] = others
    if isinstance(item.shape, RotatedBox):
        record["direction"] = math.radians(item.shape.angle % 360)
    return record


def _geometry(shape: Shape, style: str) -> tuple[str, tuple[Point, ...]]:
    if isinstance(shape, Box):
        x, y = shape.x, shape.y
        right, bottom = float(total(x, shape.w)), float(total(y, shape.h))
        corners = ((x, y), (right, y), (right, bottom), (x, bottom))
        return "rectangle", corners if style == "corners" else corners[::2]
    if isinstance(shape, RotatedBox):
        return "rotation", shape.corners
    points = shape.points if isinstance(shape, Polygon | Points) else ()
    if isinstance(shape, Polygon):
        return "polygon", points
    if style in _LINES and len(points) > 1:
        return style if len(points) == 2 else "linestrip", points
    return "point" if len(points) == 1 else "points", points


def _style(record: Record) -> str:
    """What an edited record keeps of how it was drawn."""
    kind = str(record.get("shape_type"))
    if kind in {"rectangle", "rotation"}:
        return "corners" if len(record["points"]) == 4 else ""
    return kind if kind in _LINES else ""


def _upright(kind: str, points: list[Point], place: str, ledger: Ledger) -> Shape | None:
    if len(points) not in {2, 4}:
        raise refuse(f"{place}.points", "A rectangle has two opposite corners, or all four.")
    across, down = zip(*points, strict=True)
    if len(points) == 4 and (len(set(across)), len(set(down))) != (2, 2):
        return _as_turned(box_of_corners(points, place, ledger)) or reading.polygon(
            points, f"{place}.points"
        )
    x, y = min(across), min(down)
    w, h = _length(across), _length(down)
    if kind == "mask":
        ledger.add(LossCode.MASK, place)
        w, h = w + 1, h + 1
    return reading.box(x, y, w, h, place, ledger) if w > 0 and h > 0 else None


def _length(along: tuple[float, ...]) -> float:
    return less(Decimal(repr(max(along))), Decimal(repr(min(along))))


def _as_turned(box: Box | RotatedBox | None) -> RotatedBox | None:
    """A turned box that happens to be upright stays one that can be turned."""
    if isinstance(box, Box):
        return RotatedBox(box.x, box.y, box.w, box.h, 0.0)
    return box


def _attributes(
    record: Record, place: str, ledger: Ledger
) -> tuple[Attributes, dict[str, Any]]:
    told = {n: record[n] for n in _TOP if _is_top(n, record.get(n))}
    for part in ("flags", "attributes"):
        value = record.get(part)
        told |= value if isinstance(value, dict) else {}
    return flat(told, place, ledger)


def _is_top(name: str, value: object) -> bool:
    """Whether a value has a member of its own, as the tools write it."""
    if name == "difficult":
        return value is True
    if isinstance(value, bool):
        return False
    if name == "description":
        return isinstance(value, str) and value != ""
    return isinstance(value, int | float) or (name == "group_id" and value not in EMPTY)


def _pairs(value: object, place: str) -> list[Point]:
    pairs = array(value, place)
    if len(pairs) > MAX_POINTS:
        raise refuse(place, f"One shape has at most {MAX_POINTS} points.")
    return [_pair(pair, f"{place}[{n}]") for n, pair in enumerate(pairs)]


def _pair(value: object, place: str) -> Point:
    if len(pair := array(value, place)) != 2:
        raise refuse(place, "A point is a list of x and y.")
    return read_number(pair[0], f"{place}[0]"), read_number(pair[1], f"{place}[1]")
