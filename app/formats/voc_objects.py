"""``<object>`` of Pascal VOC and annotations.

``bndbox`` counts whole pixels from 1, both ends included, in VOC itself (xmin 1, xmax 10: the
first ten columns): x = xmin - 1, x + w = xmax. Counted from 0, as labelImg and CVAT do, x is
xmin. Either way the right edge is xmax. http://host.robots.ox.ac.uk/pascal/VOC/voc2012/ section
"Annotation"; ``polygon`` with x1, y1, x2, … is Roboflow's, ``robndbox`` roLabelImg's.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from app.domain.annotation import Attributes, Scalar
from app.domain.names import refuse
from app.domain.shape_document import turned
from app.domain.shapes import MAX_POINTS, Box, Polygon, RotatedBox, Shape
from app.formats import leaving_out, reading
from app.formats.dataset import Item, Size, extra, fields_of, form_of
from app.formats.json_text import same
from app.formats.losses import Ledger, LossCode
from app.formats.texts import decimal, less, minus, total
from app.formats.xml_text import Element, element, node

FLAGS: Final = ("truncated", "difficult", "occluded")
CARRIED: Final = ("pose", *FLAGS)
SHAPE: Final = ("bndbox", "polygon", "robndbox")
_KNOWN: Final = frozenset(("name", "type", *CARRIED, *SHAPE))
_SIDES: Final = ("xmin", "ymin", "xmax", "ymax")


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an object needs to be understood: its file, the origin, the picture's size."""

    file: str
    origin: int
    size: Size | None


def read_object(found: Element, sheet: Sheet, ledger: Ledger) -> Item | None:
    """None, and told, for a box without an area; ``InvalidInput``."""
    place = f"{sheet.file}:{found.line}"
    label = reading.label(found.text_of("name").strip("\r\n\t"), place, ledger)
    shape = _shape(found, sheet, ledger)
    if shape is None:
        return None
    reading.note_outside(shape, sheet.size, place, ledger)
    if found.child("part") is not None:
        ledger.add(LossCode.SHAPE_KEPT, place)
    is_more = any(child.tag not in _KNOWN for child in found.children)
    tree = {"object": node(found)}
    told = extra(tree, {}) if is_more else extra({}, tree)
    return Item(label, shape, _attributes(found), told)


def corners(found: Element, sheet: Sheet) -> Iterator[tuple[str, Decimal]]:
    """The sides of its box; ``InvalidInput`` where one is missing or no number."""
    box = found.child("bndbox")
    if box is None:
        raise refuse(f"{sheet.file}:{found.line}", "An object has a bndbox.")
    for side in _SIDES:
        told = box.child(side)
        if told is None:
            raise refuse(f"{sheet.file}:{box.line}", "A bndbox has xmin, ymin, xmax and ymax.")
        yield side, decimal(told.text, f"{sheet.file}:{told.line}")


def write_object(item: Item, sheet: Sheet, ledger: Ledger) -> Element | None:
    """As it was, but for what is another by now; None, and told, for what is no box."""
    was = _before(item)
    codes = Ledger()
    made = _made(item, sheet.origin, codes)
    if was is None:
        ledger.take(codes)
        return made
    before = read_object(was, sheet, Ledger())
    if before is None or (before.shape != item.shape and made is None):
        ledger.take(codes)
        return None
    tags: set[str] = set()
    if before.label != item.label:
        tags.add("name")
    if before.shape != item.shape:
        tags |= {"type", *SHAPE}
        ledger.take(codes)
    elif not same(before.attributes, item.attributes):
        _note_attributes(item, ledger)
    if not same(before.attributes, item.attributes):
        tags |= set(CARRIED)
    return _merged(was, made, tags) if made else was


def _before(item: Item) -> Element | None:
    tree = fields_of(item.extra).get("object") or form_of(item.extra).get("object")
    try:
        return element(tree) if tree else None
    except ValueError:
        return None


def _merged(was: Element, made: Element, tags: set[str]) -> Element:
    """``was`` with the children of some names from ``made``."""
    children: list[Element] = []
    for child in was.children:
        new = made.child(child.tag) if child.tag in tags else child
        if new is not None:
            children.append(child if new is child else _in_order_of(child, new))
    known = {child.tag for child in was.children}
    children += [c for c in made.children if c.tag in tags and c.tag not in known]
    return Element(was.tag, was.attributes, children=children)


def _in_order_of(was: Element, new: Element) -> Element:
    """A ``bndbox`` may tell its sides in another order."""
    tags = [child.tag for child in was.children]
    if sorted(tags) != sorted(child.tag for child in new.children):
        return new
    children = sorted(new.children, key=lambda child: tags.index(child.tag))
    return Element(new.tag, was.attributes, text=new.text, children=children)


def _shape(found: Element, sheet: Sheet, ledger: Ledger) -> Shape | None:
    place = f"{sheet.file}:{found.line}"
    outline, turned_box = found.child("polygon"), found.child("robndbox")
    if outline is not None and outline.children:
        return reading.polygon(_points(outline, sheet), place)
    if turned_box is not None:
        return _turned(turned_box, sheet, ledger)
    sides = dict(corners(found, sheet))
    x, y = (minus(sides[side], sheet.origin) for side in ("xmin", "ymin"))
    w, h = less(sides["xmax"], x), less(sides["ymax"], y)
    return reading.box(float(x), float(y), w, h, place, ledger)


def _points(outline: Element, sheet: Sheet) -> Iterator[tuple[float, float]]:
    told = {child.tag: child for child in outline.children}
    if len(told) % 2 or len(told) > 2 * MAX_POINTS:
        raise refuse(f"{sheet.file}:{outline.line}", "A polygon has x1, y1, x2, y2, …")
    for n in range(1, len(told) // 2 + 1):
        x, y = told.get(f"x{n}"), told.get(f"y{n}")
        if x is None or y is None:
            raise refuse(f"{sheet.file}:{outline.line}", "A polygon has x1, y1, x2, y2, …")
        yield _coordinate(x, sheet), _coordinate(y, sheet)


def _coordinate(found: Element, sheet: Sheet) -> float:
    return float(minus(decimal(found.text, f"{sheet.file}:{found.line}"), sheet.origin))


def _turned(box: Element, sheet: Sheet, ledger: Ledger) -> Shape | None:
    """``angle`` in radians, clockwise."""
    place = f"{sheet.file}:{box.line}"
    names = ("cx", "cy", "w", "h", "angle")
    cx, cy, w, h, angle = (float(decimal(box.text_of(name), place)) for name in names)
    upright = reading.box(cx - w / 2, cy - h / 2, w, h, place, ledger)
    if upright is None:
        return None
    return RotatedBox(upright.x, upright.y, w, h, turned(math.degrees(angle)))


def _attributes(found: Element) -> Attributes:
    """What is said of an object beyond the usual: "0" and "Unspecified" say nothing."""
    told: dict[str, Scalar] = {}
    pose = found.text_of("pose").strip()
    if pose not in {"", "Unspecified"}:
        told["pose"] = pose
    told |= {flag: True for flag in FLAGS if found.text_of(flag).strip() in {"1", "true"}}
    return told


def _made(item: Item, origin: int, ledger: Ledger) -> Element | None:
    is_outline = isinstance(item.shape, Polygon)
    codes = Ledger()
    box = leaving_out.upright(item, codes)
    if box is None or not is_outline:
        ledger.take(codes)
    if box is None:
        return None
    _note_attributes(item, ledger)
    pose = item.attributes.get("pose")
    children = [_leaf("name", item.label), _leaf("pose", str(pose or "Unspecified"))]
    for flag in FLAGS:
        is_set = item.attributes.get(flag) is True
        if is_set or flag != "occluded":
            children.append(_leaf(flag, "1" if is_set else "0"))
    if isinstance(item.shape, Polygon):
        children.append(_outline(item.shape, origin))
    return Element("object", {}, children=[*children, _bndbox(box, origin)])


def _bndbox(box: Box, origin: int) -> Element:
    sides = (
        total(box.x, origin), total(box.y, origin), total(box.x, box.w), total(box.y, box.h),
    )  # fmt: skip
    return Element("bndbox", {}, children=list(map(_leaf, _SIDES, sides)))


def _outline(shape: Polygon, origin: int) -> Element:
    found = [
        _leaf(f"{axis}{n}", total(value, origin))
        for n, point in enumerate(shape.points, 1)
        for axis, value in zip("xy", point, strict=True)
    ]
    return Element("polygon", {}, children=found)


def _note_attributes(item: Item, ledger: Ledger) -> None:
    """Tell what VOC has no element for; false is what it says without one."""
    pose = item.attributes.get("pose")
    held = {name for name in FLAGS if isinstance(item.attributes.get(name), bool)}
    if isinstance(pose, str) and pose.strip() == pose and pose not in {"", "Unspecified"}:
        held.add("pose")
    if set(item.attributes) - held:
        ledger.add(LossCode.ATTRIBUTES)


def _leaf(tag: str, text: str) -> Element:
    return Element(tag, {}, text=text)
