"""What Label Studio asked of a region, as attributes, and attributes as what was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from app.formats.dataset import Item
from app.formats.json_text import Record
from app.formats.labelstudio_regions import GEOMETRY

Told = Sequence[tuple[int | None, Record]]
#: The member of a value that holds what was asked of a region, by the type of the result.
ASKED: Final = {
    "choices": "choices",
    "textarea": "text",
    "number": "number",
    "rating": "rating",
    "taxonomy": "taxonomy",
}


def answer(kind: str, told: Any) -> Any:
    """One answer is itself, several are a list; a path of a taxonomy is joined by slashes."""
    if not isinstance(told, list):
        return told
    answers = [label_of(each) for each in told] if kind == "taxonomy" else told
    return answers[0] if len(answers) == 1 else answers


def answered(told: Told, item: Item) -> list[tuple[int | None, Record]]:
    """Results with the item's attributes: those that were asked in their own, new texts and
    numbers in results of their own, all else in ``meta``."""
    rest = dict(item.attributes)
    kept: list[tuple[int | None, Record]] = []
    for at, found in told:
        kind, name = found.get("type"), found.get("from_name")
        if kind not in ASKED:
            kept.append((at, found))
        elif name in rest and (given := asked_value(str(kind), rest[name])) is not None:
            value = {**found.get("value", {}), ASKED[str(kind)]: given}
            kept.append((at, {**found, "value": value}))
            del rest[str(name)]
    at, main = kept[0]
    taken = {found.get("from_name") for _, found in kept}
    beside: list[tuple[int | None, Record]] = []
    for name in [name for name in rest if name not in taken and name]:
        kind = _kind_for(rest[name])
        if kind is not None:
            asked = {ASKED[kind]: asked_value(kind, rest.pop(name))}
            value = {k: v for k, v in main["value"].items() if k in GEOMETRY} | asked
            beside.append((None, {**main, "value": value, "from_name": name, "type": kind}))
    meta = {k: v for k, v in (main.get("meta") or {}).items() if k != "attributes"}
    meta |= {"attributes": rest} if rest else {}
    main = {k: v for k, v in main.items() if k != "meta"} | ({"meta": meta} if meta else {})
    for _, found in beside:
        found.pop("meta", None)
    return [(at, main), *kept[1:], *beside]


def asked_value(kind: str, value: Any) -> Any:
    """The member of a value; None where this type of result cannot hold it."""
    if kind in {"number", "rating"}:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return value if is_number else None
    answers = value if isinstance(value, list) and len(value) != 1 else [value]
    if not all(isinstance(each, str) for each in answers):
        return None
    return [each.split("/") for each in answers] if kind == "taxonomy" else answers


def _kind_for(value: Any) -> str | None:
    if isinstance(value, str):
        return "textarea"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return None


def label_of(told: object) -> Any:
    """A choice, or a path of a taxonomy as one name."""
    if isinstance(told, list) and all(isinstance(part, str) for part in told):
        return "/".join(told)
    return told
