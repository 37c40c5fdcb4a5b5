"""Elements of CVAT's images as items, and back.

``box`` (with ``rotation`` in degrees clockwise around its middle), ``polygon``, ``polyline``,
``points`` ("x,y;x,y"), ``tag`` for the whole picture, ``mask`` (runs in a window), each with
``<attribute name="">value</attribute>``; https://docs.cvat.ai/docs/other/xml_format.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from app.domain.annotation import Attributes, Scalar
from app.domain.names import refuse
from app.domain.shapes import (
    MAX_POINTS,
    Point,
    Points,
    Polygon,
    RotatedBox,
    Shape,
    WholePicture,
)
from app.formats import reading
from app.formats.cvat_labels import Types, as_text, typed
from app.formats.dataset import Item, form_of, placed
from app.formats.flat_attributes import flat
from app.formats.json_text import Record, exactly, kept, restored
from app.formats.losses import Ledger, LossCode
from app.formats.texts import decimal, less, number, remainder, total, whole
from app.formats.xml_text import Element, note_beside

INNER: Final = "<attribute>"
"""The member of a record that holds the names and texts of the elements in it."""
_TAG: Final = "<tag>"
_BESIDE: Final = (INNER, "occluded", "group_id")
_WINDOW: Final = ("left", "top", "width", "height")
_CORNERS: Final = ("xtl", "ytl", "xbr", "ybr")
_GEOMETRY: Final = (_TAG, "points", *_CORNERS, "rotation", "rle", *_WINDOW)
_USUAL: Final = {"source": "manual", "z_order": "0"}


def read_item(found: Element, at: int, name: str, types: Types, ledger: Ledger) -> Item | None:
    """An item of one element; None, and told, for what Darkroom does not draw: cuboids,
    ellipses, skeletons, boxes without an area. Raises ``InvalidInput`` with the line."""
    place = f"{name}:{found.line}"
    record = _record(found)
    shape = shape_of(record, place, ledger)
    if shape is None or record[INNER] is None:
        ledger.add(LossCode.SHAPE_KEPT, place)
        return None
    if not found.children:
        note_beside(found, name, ledger)
    label = reading.label(record.get("label"), place, ledger)
    item = Item(label, shape, _attributes(record, types, place, ledger)[0])
    known = {*_GEOMETRY, *_BESIDE, "label"} - {"rle"}
    known |= {name for name, usual in _USUAL.items() if record.get(name) == usual}
    return replace(item, extra=placed(kept(record, rendered(item), known), at))


def item_element(item: Item, types: Types, ledger: Ledger) -> Element:
    """The element that was read, but for what is told otherwise now."""
    told, unfit = _attributes(restored(rendered(item), item.extra), types, "", Ledger())
    record = restored(
        rendered(item, None if told == item.attributes else unfit),
        item.extra,
        (
            (("label",), lambda r: reading.label(r["label"], "", Ledger()) == item.label),
            (_GEOMETRY, lambda r: shape_of(r, "", Ledger()) == item.shape),
            (_BESIDE, lambda r: _attributes(r, types, "", Ledger())[0] == item.attributes),
        ),
    )
    _note_attributes(item, _attributes(record, types, "", Ledger())[0], ledger)
    inner = [Element("attribute", {"name": name}, 0, text) for name, text in record[INNER]]
    outer = {name: text for name, text in record.items() if name not in {INNER, _TAG}}
    return Element(record[_TAG], outer, children=inner)


def shape_of(record: Record, place: str, ledger: Ledger) -> Shape | None:
    """None for what Darkroom does not draw; ``InvalidInput``."""
    match record[_TAG]:
        case "box":
            return _box(record, place, ledger)
        case "polygon":
            return reading.polygon(_points(record, place), place)
        case "points" | "polyline" as tag:
            if tag == "polyline":
                ledger.add(LossCode.LINE, place)
            return reading.points(_points(record, place), place)
        case "mask":
            ledger.add(LossCode.MASK, place)
            x, y, w, h = (number(_told(record, n, place), place) for n in _WINDOW)
            return reading.box(x, y, w, h, place, ledger) if w and h else None
        case "tag":
            return WholePicture()
    return None


def rendered(item: Item, unfit: dict[str, Any] | None = None) -> Record:
    """A record of our own; ``unfit`` are attributes that only the document carries."""
    tag, geometry = _geometry(item)
    record: Record = {_TAG: tag, "label": item.label, "source": "manual"}
    if tag != "tag":
        occluded = item.attributes.get("occluded") is True
        record |= {"occluded": "1" if occluded else "0"} | geometry | {"z_order": "0"}
    if _is_group(item.attributes.get("group_id")):
        record["group_id"] = str(item.attributes["group_id"])
    told = [[name, as_text(value)] for name, value in inner_of(item).items()]
    record[INNER] = told + [[name, text] for name, text in (unfit or {}).items()]
    return record


def inner_of(item: Item) -> dict[str, Scalar]:
    """The attributes that become elements: single values without a place of their own."""
    is_tag = isinstance(item.shape, WholePicture)
    return {
        name: value
        for name, value in item.attributes.items()
        if not (value is None or (isinstance(value, Sequence) and not isinstance(value, str)))
        and not (name == "occluded" and value is True and not is_tag)
        and not (name == "group_id" and _is_group(value))
    }


def _is_group(value: object) -> bool:
    return type(value) is int and value != 0


def _record(found: Element) -> Record:
    """Attributes and inner attributes as one; None for the latter where there is more."""
    plain = all(
        c.tag == "attribute" and set(c.attributes) == {"name"} and not c.children
        for c in found.children
    )
    inner = [[c.attributes["name"], c.text] for c in found.children] if plain else None
    return {_TAG: found.tag, **found.attributes, INNER: inner}


def _box(record: Record, place: str, ledger: Ledger) -> Shape | None:
    left, top, right, bottom = (decimal(_told(record, name, place), place) for name in _CORNERS)
    w, h = less(right, left), less(bottom, top)
    if w == 0 or h == 0:
        return None
    box = reading.box(float(left), float(top), w, h, place, ledger)
    angle = decimal(record.get("rotation") or "0", place)
    if box is None or not angle:
        return box
    return RotatedBox(box.x, box.y, box.w, box.h, _turned(angle))


def _turned(angle: Decimal) -> float:
    """In [-180, 180), from the text, so that 329.5 is -30.5 exactly."""
    within = remainder(angle, 360)
    rounds = 1 if within >= 180 else -1 if within < -180 else 0
    found = less(within, Decimal(360 * rounds))
    return found if -180 <= found < 180 else -180.0


def _geometry(item: Item) -> tuple[str, dict[str, str]]:
    shape = item.shape
    if isinstance(shape, WholePicture):
        return "tag", {}
    if isinstance(shape, Polygon | Points):
        text = ";".join(f"{total(x)},{total(y)}" for x, y in shape.points)
        if isinstance(shape, Polygon):
            return "polygon", {"points": text}
        was = form_of(item.extra).get("raw")
        line = isinstance(was, dict) and was.get(_TAG) == "polyline"
        return "polyline" if line and len(shape.points) > 1 else "points", {"points": text}
    told = {"xtl": total(shape.x), "ytl": total(shape.y)}
    told |= {"xbr": total(shape.x, shape.w), "ybr": total(shape.y, shape.h)}
    if isinstance(shape, RotatedBox):
        clockwise = total(shape.angle, 360 if shape.angle <= 0 else 0)
        told["rotation"] = clockwise
    return "box", told


def _points(record: Record, place: str) -> list[Point]:
    pairs = _told(record, "points", place).split(";")
    if len(pairs) > MAX_POINTS:
        raise refuse(place, f"One shape has at most {MAX_POINTS} points.")
    return [_point(pair.split(","), place) for pair in pairs]


def _point(pair: Sequence[str], place: str) -> Point:
    if len(pair) != 2:
        raise refuse(place, "Points are written x,y;x,y.")
    return number(pair[0], place), number(pair[1], place)


def _told(record: Record, name: str, place: str) -> str:
    value = record.get(name)
    if not isinstance(value, str):
        raise refuse(place, f"This element has no attribute {name}.")
    return value


def _attributes(
    record: Record, types: Types, place: str, ledger: Ledger
) -> tuple[Attributes, dict[str, Any]]:
    told: dict[str, Any] = {}
    if record.get("occluded") == "1":
        told["occluded"] = True
    if record.get("group_id") not in {None, "", "0"}:
        told["group_id"] = whole(record["group_id"], place)
    told |= {name: typed(text, types.get(name)) for name, text in record[INNER]}
    return flat(told, place, ledger)


def _note_attributes(item: Item, written: Attributes, ledger: Ledger) -> None:
    """Tell what no element can hold, and what does not come back with its type."""
    lost = [v for v in item.attributes.values() if v is None or isinstance(v, list | tuple)]
    if lost:
        ledger.add(LossCode.ATTRIBUTES, count=len(lost))
    changed = [n for n, v in inner_of(item).items() if not exactly(written.get(n), v)]
    if changed:
        ledger.add(LossCode.ATTRIBUTES_AS_TEXT, count=len(changed))
