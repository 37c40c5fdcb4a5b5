"""Labels of CVAT's ``meta`` as classes with typed attributes, and back.

``<label><name/><color/><type/><attributes><attribute><name/><mutable/><input_type/>
<default_value/><values/></attribute></attributes></label>``; ``values`` are lines: options of
``select`` and ``radio``, least, most and step of ``number``.
https://docs.cvat.ai/docs/other/xml_format. Parts of skeletons have a ``parent`` and are no
classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from app.domain.annotation import Scalar
from app.domain.attribute_types import (
    AttributeKind,
    AttributeType,
    attribute_type_json,
    read_attribute_types,
)
from app.domain.labels import clean_colour
from app.errors import InvalidInput
from app.formats import reading
from app.formats.dataset import ClassDef
from app.formats.losses import Ledger, LossCode
from app.formats.texts import number
from app.formats.xml_text import Element

_WHOLE: Final = re.compile(r"-?\d{1,15}", re.ASCII)

Types = Mapping[str, AttributeType]

_KINDS: Final = {
    "select": AttributeKind.SELECT,
    "radio": AttributeKind.SELECT,
    "number": AttributeKind.NUMBER,
    "text": AttributeKind.TEXT,
    "checkbox": AttributeKind.CHECKBOX,
}


def is_class(label: Element) -> bool:
    return label.child("parent") is None and label.text_of("type") != "skeleton"


def class_of(label: Element, name: str, ledger: Ledger) -> ClassDef:
    """``InvalidInput`` with the line; a colour that is none is left to the element."""
    place = f"{name}:{label.line}"
    told = label.text_of("color").strip()
    try:
        colour = clean_colour(told) if told else None
    except InvalidInput:
        colour = None
    attributes = label.child("attributes")
    found: list[Mapping[str, object]] = []
    for each in attributes.children if attributes else ():
        definition = _definition(each, found)
        if definition is None:
            ledger.add(LossCode.ATTRIBUTES_KEPT, f"{name}:{each.line}")
        else:
            found.append(definition)
    label_name = reading.label(label.text_of("name"), place, ledger)
    return ClassDef(label_name, colour, attributes=tuple(found))


def types_of(known: ClassDef | None) -> Types:
    """The typed attributes of a class, by name."""
    told = read_attribute_types(list(known.attributes)) if known else ()
    return {each.name: each for each in told}


def typed(text: str, kind: AttributeType | None) -> Scalar:
    """The value that a text means; the text itself where it means none of its type."""
    if kind is None:
        return text
    if kind.kind is AttributeKind.CHECKBOX:
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind.kind is AttributeKind.NUMBER:
        try:
            return int(text) if _WHOLE.fullmatch(text) else number(text, "")
        except InvalidInput:
            return text
    return text


def as_text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def inferred(known: Types, used: Iterable[Mapping[str, Scalar]]) -> dict[str, AttributeType]:
    """Types of the attributes that a class does not define, as their values tell them."""
    found: dict[str, AttributeKind] = {}
    for name, value in (pair for attributes in used for pair in attributes.items()):
        if name not in known:
            kind = _kind_of(value)
            same = found.setdefault(name, kind) is kind
            found[name] = kind if same else AttributeKind.TEXT
    return {name: AttributeType(name, kind) for name, kind in found.items()}


def label_element(known: ClassDef, types: Types) -> Element:
    """A label of our own."""
    attributes = [_attribute(each) for each in types.values()]
    children = [_leaf("name", known.name)]
    if known.colour is not None:
        children.append(_leaf("color", known.colour))
    children += [_leaf("type", "any"), Element("attributes", {}, children=attributes)]
    return Element("label", {}, children=children)


def restored_label(was: Element, known: ClassDef, types: Types, ledger: Ledger) -> Element:
    """``was`` with what is told otherwise now; new definitions come last. A label that has no
    colour gets none: what was read comes back, and Darkroom gives every class a colour."""
    told = class_of(was, "", Ledger())
    fresh = label_element(known, types)
    before = types_of(told)
    new = {name: each for name, each in types.items() if name not in before}
    same = before == {name: each for name, each in types.items() if name in before}
    changed = {"name": told.name != known.name, "color": told.colour != known.colour}
    if was.child("color") is None and known.colour is not None:
        ledger.add(LossCode.CLASS_DETAILS)
    changed["attributes"] = not same
    children = [fresh.child(c.tag) or c if changed.get(c.tag) else c for c in was.children]
    if same and new:
        children = [_with(c, new.values()) for c in children]
    if types and was.child("attributes") is None:
        children += [c for c in fresh.children if c.tag == "attributes"]
    return Element(was.tag, was.attributes, 0, was.text, children)


def note_lost(types: Iterable[AttributeType], ledger: Ledger) -> None:
    """What a definition says that CVAT has no place for."""
    plain = AttributeType("a", AttributeKind.TEXT).max_length
    for each in types:
        if each.required or each.max_length != plain:
            ledger.add(LossCode.CLASS_DETAILS)


def _definition(
    each: Element, before: list[Mapping[str, object]]
) -> Mapping[str, object] | None:
    """None for what Darkroom could not ask for; a default that is none is left out."""
    kind = _KINDS.get(each.text_of("input_type").strip().lower())
    if kind is None:
        return None
    values, default = each.text_of("values").split("\n"), each.text_of("default_value")
    told: dict[str, Any] = {"name": each.text_of("name"), "kind": kind.value}
    bare = AttributeType(told["name"], kind)
    for more in ({"default": typed(default, bare)} if default else {}, {}):
        try:
            document = [*before, told | _MEMBERS[kind](values) | more]
            return attribute_type_json(read_attribute_types(document)[-1])
        except InvalidInput:
            continue
    return None


def _range(values: list[str]) -> dict[str, Any]:
    sides = [number(text, "") if text.strip() else None for text in values[:3]]
    return dict(zip(("min", "max", "step"), sides, strict=False))


_MEMBERS: Final[dict[AttributeKind, Callable[[list[str]], dict[str, Any]]]] = {
    AttributeKind.SELECT: lambda values: {"options": [v for v in values if v]},
    AttributeKind.NUMBER: _range,
    AttributeKind.TEXT: lambda _: {},
    AttributeKind.CHECKBOX: lambda _: {},
}


def _attribute(each: AttributeType) -> Element:
    values = "\n".join(each.options)
    if each.kind is AttributeKind.NUMBER:
        sides = (each.minimum, each.maximum, each.step)
        values = "\n".join("" if side is None else repr(side) for side in sides)
    default = "" if each.default is None else as_text(each.default)
    told = {"name": each.name, "mutable": "False", "input_type": each.kind.value}
    told |= {"default_value": default, "values": values}
    return Element("attribute", {}, children=[_leaf(*pair) for pair in told.items()])


def _with(found: Element, new: Iterable[AttributeType]) -> Element:
    if found.tag != "attributes":
        return found
    children = [*found.children, *map(_attribute, new)]
    return Element(found.tag, found.attributes, 0, "", children)


def _kind_of(value: Scalar) -> AttributeKind:
    if isinstance(value, bool):
        return AttributeKind.CHECKBOX
    return AttributeKind.NUMBER if isinstance(value, int | float) else AttributeKind.TEXT


def _leaf(tag: str, text: str) -> Element:
    return Element(tag, {}, 0, text)
