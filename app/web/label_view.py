"""What the pages of label sets are given; see app/templates/README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.domain.attribute_types import AttributeKind, AttributeType, value_word
from app.domain.labels import LabelClass
from app.services.label_schema import History, Preview, VersionView
from app.services.label_set import LabelSet, Tally

FIELDS = {
    "colour": "colour",
    "hotkey": "key",
    "aliases": "other names",
    "attributes": "attributes",
}


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label in the list; ``number`` is the class's for ever, ``into`` is what it was merged
    into."""

    id: UUID
    name: str
    colour: str
    hotkey: str | None
    number: int
    aliases: tuple[str, ...]
    annotations: int
    pictures: int
    attributes: tuple[str, ...]
    into: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the history, in words."""

    version: int
    at: datetime
    who: str
    words: str


@dataclass(frozen=True, slots=True)
class AttributeRow:
    """An attribute as the form shows it; ``detail`` is what its kind needs, in words."""

    name: str
    kind: str
    detail: str
    default: str
    required: bool


@dataclass(frozen=True, slots=True)
class SplitValue:
    """A value of an attribute and how many annotations have it."""

    value: str
    count: int


def rows(found: LabelSet, labels: Sequence[LabelClass]) -> tuple[LabelRow, ...]:
    """Labels as the list shows them."""
    return tuple(row(found, label) for label in labels)


def row(found: LabelSet, label: LabelClass) -> LabelRow:
    """One label."""
    tally: Tally = found.tally(label.id)
    names = {one.id: one.name for one in (*found.offered, *found.removed)}
    return LabelRow(
        id=label.id,
        name=label.name,
        colour=label.colour,
        hotkey=label.hotkey,
        number=label.number,
        aliases=label.aliases,
        annotations=tally.annotations,
        pictures=tally.pictures,
        attributes=tuple(each.name for each in label.attributes),
        into=names.get(label.merged_into) if label.merged_into else None,
    )


def attribute_rows(label: LabelClass) -> tuple[AttributeRow, ...]:
    """The attributes of a label as the form shows them."""
    return tuple(
        AttributeRow(
            each.name, each.kind.value, detail_of(each), value_word(each.default), each.required
        )
        for each in label.attributes
    )


def detail_of(each: AttributeType) -> str:
    """What its kind needs, as `app.web.label_form` reads it."""
    if each.kind is AttributeKind.SELECT:
        return ", ".join(each.options)
    if each.kind is AttributeKind.TEXT:
        return str(each.max_length)
    if each.kind is AttributeKind.NUMBER:
        low, high = (value_word(bound) for bound in (each.minimum, each.maximum))
        bounds = f"{low}..{high}" if low or high else ""
        return f"{bounds} step {value_word(each.step)}".strip() if each.step else bounds
    return ""


def split_values(seen: Preview) -> tuple[SplitValue, ...]:
    """The values by which a label may be split, the most frequent first."""
    found = [SplitValue(value, count) for value, count in seen.values.items() if value]
    return tuple(sorted(found, key=lambda one: (-one.count, one.value)))


def events(history: History) -> tuple[Event, ...]:
    """The history in words."""
    return tuple(
        Event(each.version, each.at, each.who or "somebody", words_of(each))
        for each in history.versions
    )


def words_of(each: VersionView) -> str:
    """One change as a sentence without its subject."""
    told: Mapping[str, object] = each.details
    name = told.get("name", "")
    words = {
        "add": _added(told),
        "rename": f"renamed “{told.get('from')}” to “{told.get('to')}”",
        "edit": f"changed {_fields(told.get('fields'))} of “{name}”",
        "order": "put the labels in another order",
        "deprecate": f"took “{name}” off the list",
        "delete": f"deleted “{name}”, which nothing had",
        "restore": f"offered “{name}” again",
        "merge": f"merged “{told.get('from')}” into “{told.get('into')}”",
        "split": f"split “{told.get('from')}” into {_list(told.get('into'))}",
    }
    return words.get(each.kind, "changed the labels")


def _added(told: Mapping[str, object]) -> str:
    """What was typed or imported, of which some may have been off the list."""
    parts = (("added {}", told.get("names")), ("offered {} again", told.get("back")))
    return " and ".join(words.format(_list(names)) for words, names in parts if names)


def _fields(names: object) -> str:
    told = [FIELDS.get(str(name), str(name)) for name in _many(names)]
    return " and ".join(told)


def _list(names: object) -> str:
    return ", ".join(f"“{name}”" for name in _many(names))


def _many(names: object) -> Sequence[object]:
    return names if isinstance(names, list) else []
