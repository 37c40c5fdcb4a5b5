"""Results of a Label Studio annotation as items, and back.

Results of one ``id`` are one region: its shape with a label, and what was asked of it
(``choices``, ``textarea``, ``number``, ``rating``, ``taxonomy``), which are its attributes by
``from_name``. ``choices`` and ``taxonomy`` of their own are labels of the whole picture.
https://labelstud.io/guide/task_format
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from app.domain.shapes import Shape, WholePicture
from app.formats import reading
from app.formats.dataset import Item, Size, extra, form_of
from app.formats.flat_attributes import flat
from app.formats.json_text import Record, array, record, records
from app.formats.labelstudio_answers import ASKED, Told, answer, answered, label_of
from app.formats.labelstudio_regions import (
    GEOMETRY,
    KINDS,
    kind_of,
    region_size,
    shape_of,
    value_of,
)
from app.formats.losses import Ledger, LossCode
from app.formats.positions import AT, Placed, is_at

_WHOLE: Final = ("choices", "taxonomy")
_FOREIGN_SHAPES: Final = ("brush", "ellipse", "vector", "video", "magicwand", "bitmask")


@dataclass(frozen=True, slots=True)
class Read:
    """``aside``: what is kept, with positions; ``loose``: positions of relations to regions
    that are not there."""

    items: tuple[Item, ...] = ()
    aside: list[list[Any]] = field(default_factory=list)
    loose: tuple[int, ...] = ()


def read_results(results: object, real: Size | None, place: str, ledger: Ledger) -> Read:
    """``InvalidInput`` with the path."""
    groups: dict[object, list[tuple[int, Record]]] = {}
    for at, (where, found) in enumerate(records(results, place)):
        id_ = found.get("id")
        own = isinstance(id_, str | int) and found.get("type") != "relation"
        record(found.get("value", {}), f"{where}.value")
        groups.setdefault(("id", id_) if own else ("at", at), []).append((at, found))
    items: list[Item] = []
    left: list[list[Any]] = []
    for told in _parted(groups.values()):
        found_items = list(_items(told, real, place, ledger))
        if not found_items:
            _note_kept(told, place, ledger)
            left += [[at, each] for at, each in told]
        items += found_items
    items.sort(key=_first)
    ids = ids_of(each for group in groups.values() for _, each in group)
    loose = (at for at, each in left if is_loose(each, ids))
    return Read(tuple(items), left, tuple(loose))


def _parted(groups: Iterable[list[tuple[int, Record]]]) -> Iterator[list[tuple[int, Record]]]:
    """Regions as they are; results of one id without a shape are of the whole picture."""
    for told in groups:
        is_region = any(str(found.get("type")) in KINDS for _, found in told)
        yield from [told] if is_region else [[each] for each in told]


def ids_of(results: Iterable[Record]) -> frozenset[str]:
    """As texts: a document may have anything there."""
    return frozenset(repr(each.get("id")) for each in results)


def is_loose(found: Record, ids: frozenset[str]) -> bool:
    """Whether it is a relation of which an end is missing."""
    ends = {repr(found.get("from_id")), repr(found.get("to_id"))}
    return found.get("type") == "relation" and not ends <= ids


def item_records(item: Item, size: Size, names: Mapping[str, str], id_: str) -> list[Placed]:
    """The results of a region, as they were but for what is told otherwise now; ``names``
    are the ``from_name`` of each type that the data set has."""
    told = _told(item)
    if not told:
        told = [(None, _fresh(item, size, names, id_))]
    label, shape, attributes, _ = _meaning(told, size, "", Ledger())
    if shape != item.shape:
        told = [(at, _reshaped(found, item.shape, size)) for at, found in told]
    if label != item.label:
        told = [(at, _relabelled(found, item.label)) for at, found in told]
    if attributes != item.attributes:
        told = answered(told, item)
    return list(told)


def reads_as(told: Told, size: Size) -> tuple[str | None, Shape | None, Mapping[str, Any]]:
    """What results mean to who reads them."""
    label, shape, attributes, _ = _meaning(told, size, "", Ledger())
    return label, shape, attributes


def whole_record(
    items: Sequence[Item], names: Mapping[str, str], id_: str
) -> tuple[int | None, Record]:
    """One result for labels of the whole picture that came from one, or are new."""
    told = _told(items[0])
    at, found = told[0] if told else (None, _fresh_choices(names, id_))
    kind = found["type"]
    before = found["value"].get(kind, [])
    labels = [item.label for item in items]
    read = [reading.label(label_of(each), "", Ledger()) for each in before]
    if read != labels:
        by_label = dict(zip(read, before, strict=True))
        paths = kind == "taxonomy"
        new = {label: label.split("/") if paths else label for label in labels}
        value = {**found["value"], kind: [by_label.get(each, new[each]) for each in labels]}
        found = {**found, "value": value}
    return at, found


def _items(told: Told, real: Size | None, place: str, ledger: Ledger) -> Iterator[Item]:
    first = told[0][1]
    form = {AT: told[0][0], "records": [[at, each] for at, each in told]}
    if first.get("type") in _WHOLE and len(told) == 1:
        where = f"{place}[{told[0][0]}].value.{first['type']}"
        for n, each in enumerate(array(first.get("value", {}).get(first["type"]), where)):
            name = reading.label(label_of(each), f"{where}[{n}]", ledger)
            yield Item(name, WholePicture(), extra=extra({}, form), foreign_id=_id(first))
        return
    label, shape, attributes, at = _meaning(told, real, place, ledger)
    if label is not None and shape is not None:
        yield Item(label, shape, attributes, extra({}, {**form, AT: at}), _id(first))


def _meaning(
    told: Told, real: Size | None, place: str, ledger: Ledger
) -> tuple[str | None, Shape | None, Mapping[str, Any], int | None]:
    """Label, shape, attributes and position of a region; None for what it has not."""
    shape: Shape | None = None
    label: str | None = None
    position: int | None = None
    asked: dict[str, Any] = {}
    for at, found in told:
        where, value = f"{place}[{at}].value", found.get("value", {})
        kind = str(found.get("type"))
        if kind in KINDS and shape is None:
            size = region_size(found, real, f"{place}[{at}]")
            shape, position = shape_of(KINDS[kind], value, size, where, ledger), at
        if label is None and kind.endswith("labels") and value.get(kind):
            labels = array(value[kind], f"{where}.{kind}")
            label = reading.label(labels[0], f"{where}.{kind}[0]", ledger)
            if len(labels) > 1:
                ledger.add(LossCode.ATTRIBUTES_KEPT, where)
        if kind in ASKED and isinstance(found.get("from_name"), str):
            asked[found["from_name"]] = answer(kind, value.get(ASKED[kind]))
        meta = found.get("meta")
        if isinstance(meta, dict) and isinstance(meta.get("attributes"), dict):
            asked |= meta["attributes"]
    where = f"{place}[{position}]"
    return label, shape, flat(asked, where, ledger)[0], position


def _reshaped(found: Record, shape: Shape, size: Size) -> Record:
    """With another geometry, in every result that repeats it."""
    value = found.get("value", {})
    if not GEOMETRY & value.keys() and found.get("type") not in KINDS:
        return found
    rest = {k: v for k, v in value.items() if k not in GEOMETRY}
    kind, was = kind_of(shape), KINDS.get(str(found.get("type")))
    changed = {**found, "original_width": size[0], "original_height": size[1]}
    if was is not None and was != kind:
        old = found["type"]
        changed["type"] = kind + "labels" if old.endswith("labels") else kind
        rest = {changed["type"] if k == old else k: v for k, v in rest.items()}
    new = value_of(shape, size)
    if kind == was == "keypoint":
        new["width"] = value.get("width", new["width"])  # how large it is drawn
    return {**changed, "value": {**new, **rest}}


def _relabelled(found: Record, label: str) -> Record:
    kind = str(found.get("type"))
    labels = found.get("value", {}).get(kind)
    if not kind.endswith("labels") or not isinstance(labels, list):
        return found
    return {**found, "value": {**found["value"], kind: [label, *labels[1:]]}}


def _fresh(item: Item, size: Size, names: Mapping[str, str], id_: str) -> Record:
    kind = kind_of(item.shape) + "labels"
    return {
        "original_width": size[0],
        "original_height": size[1],
        "image_rotation": 0,
        "value": {**value_of(item.shape, size), kind: [item.label]},
        "id": id_,
        "from_name": names.get(kind, "label"),
        "to_name": names.get("to_name", "image"),
        "type": kind,
        "origin": "manual",
    }


def _fresh_choices(names: Mapping[str, str], id_: str) -> Record:
    from_name, to_name = names.get("choices", "choice"), names.get("to_name", "image")
    told = {"value": {"choices": []}, "id": id_, "from_name": from_name, "to_name": to_name}
    return {**told, "type": "choices", "origin": "manual"}


def _told(item: Item) -> list[tuple[int | None, Record]]:
    found = form_of(item.extra).get("records")
    pairs = found if isinstance(found, list) else []
    return [(at, each) for at, each in pairs if is_at(at) and isinstance(each, dict)]


def _note_kept(told: Told, place: str, ledger: Ledger) -> None:
    for at, found in told:
        kind = str(found.get("type"))
        is_shape = kind in KINDS or kind.startswith(_FOREIGN_SHAPES)
        code = LossCode.SHAPE_KEPT if is_shape else LossCode.RECORDS_KEPT
        ledger.add(code, f"{place}[{at}]")


def _id(found: Record) -> int | str | None:
    id_ = found.get("id")
    return id_ if isinstance(id_, str | int) and not isinstance(id_, bool) else None


def _first(item: Item) -> int:
    at = form_of(item.extra)[AT]
    return at if isinstance(at, int) else 0
