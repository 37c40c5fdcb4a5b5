"""COCO documents made of a data set; what was read comes back as it was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import PurePosixPath
from typing import Any, Final

from app.formats import coco_records as records
from app.formats import leaving_out
from app.formats.dataset import (
    ClassDef,
    Dataset,
    Files,
    ForeignId,
    Item,
    Picture,
    Written,
    form_of,
    own,
    position,
    written,
)
from app.formats.json_text import Record, json_bytes, restored
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import clean_path, distinct
from app.formats.splits import SPLITS, split_of

NAME: Final = "coco"

Row = tuple[Picture, str]
"""A picture and the ``file_name`` that it gets."""


def write(dataset: Dataset) -> Written:
    """``annotations/instances_<split>.json``, or the documents that were read."""
    ledger = Ledger()
    mine = own(dataset, NAME, ledger)
    leaving_out.note_class_details(mine.classes, ledger)
    leaving_out.note_states(mine.pictures, ledger)
    leaving_out.note_splits((p for p in mine.pictures if p.split not in SPLITS), ledger)
    documents = [_document_of(picture) for picture in mine.pictures]
    names, places = _names(mine.pictures, documents, ledger)
    rows: dict[str, list[Row]] = {path: [] for path in _forms(mine)}
    for path, picture, name in zip(documents, mine.pictures, names, strict=True):
        rows.setdefault(path, []).append((picture, name))
    if not rows:
        rows["annotations/instances_default.json"] = []
    return written(lambda to: _files(mine, rows, to), ledger, tuple(places), tuple(names))


def _forms(dataset: Dataset) -> Mapping[str, Any]:
    forms = form_of(dataset.extra).get("files")
    return forms if isinstance(forms, dict) else {}


def _document_of(picture: Picture) -> str:
    """The one it was read from, unless it was moved to another split since."""
    was = form_of(picture.extra).get("file")
    if isinstance(was, str) and split_of(was) == picture.split:
        return was
    split = picture.split if picture.split in SPLITS else "default"
    return f"annotations/instances_{split}.json"


def _names(
    pictures: Sequence[Picture], documents: Sequence[str], ledger: Ledger
) -> tuple[list[str], list[str]]:
    """What each picture is called in its document, and where its file belongs."""
    told = [str(records.image_as_was(picture, 0)["file_name"]) for picture in pictures]
    folders = [folder_of(path) for path in documents]
    wanted = [f + clean_path(n, "", Ledger()) for f, n in zip(folders, told, strict=True)]
    places = distinct(wanted, ledger)
    names = [
        name if place == was else place.removeprefix(folder)
        for name, place, was, folder in zip(told, places, wanted, folders, strict=True)
    ]
    return names, places


def folder_of(document: str) -> str:
    """Pictures lie beside their document, but for one in ``annotations``."""
    folder = PurePosixPath(document).parent
    if folder.name not in {"annotations", ""}:
        return f"{folder}/"
    split = split_of(document)
    return f"images/{split}/" if split else "images/"


def _files(dataset: Dataset, rows: Mapping[str, Sequence[Row]], ledger: Ledger) -> Files:
    forms = _forms(dataset)
    for path, mine in rows.items():
        yield path, json_bytes(_document(dataset, forms.get(path, {}), mine, ledger))


def _document(
    dataset: Dataset, form: Mapping[str, Any], rows: Sequence[Row], ledger: Ledger
) -> Record:
    ordered = sorted(rows, key=lambda row: position(row[0].extra))
    ids = _ids([picture.foreign_id for picture, _ in ordered], ledger)
    images = [
        {**records.image_as_was(picture, id_), "file_name": name}
        for (picture, name), id_ in zip(ordered, ids, strict=True)
    ]
    items = [
        (item, id_)
        for (picture, _), id_ in zip(ordered, ids, strict=True)
        for item in picture.items
        if records.can_hold(item, ledger)
    ]
    items.sort(key=lambda row: position(row[0].extra))
    used = {item.label for item, _ in items}
    categories = _categories(dataset.classes, form.get("categories"), used, ledger)
    annotations = _annotations(items, categories, ledger)
    return restored(records.frame(images, annotations, categories), form.get("frame", {}))


def _categories(
    classes: Sequence[ClassDef], told: Any, used: set[str], ledger: Ledger
) -> list[Record]:
    """The document's own list where it was another than the classes make, without classes
    that are gone, and with those that are new or used."""
    if not isinstance(told, list):
        ordered = sorted(classes, key=lambda each: position(each.extra))
        ids = _ids([each.foreign_id for each in ordered], ledger)
        return list(map(records.category_as_was, ordered, ids))
    names = {each.name for each in classes}
    result = [found for found in told if records.name_of(found) in names]
    known = set(map(records.name_of, result))
    new = [c for c in classes if c.name not in known and (c.name in used or not c.extra)]
    ids = _ids([*(found["id"] for found in result), *(c.foreign_id for c in new)], ledger)
    return result + list(map(records.category_as_was, new, ids[len(result) :]))


def _annotations(
    items: Sequence[tuple[Item, ForeignId]], categories: Iterable[Record], ledger: Ledger
) -> list[Record]:
    names = {found["id"]: records.name_of(found) for found in categories}
    numbers = {name: id_ for id_, name in reversed(list(names.items()))}
    ids = _ids([item.foreign_id for item, _ in items], ledger)
    return [
        records.annotation_as_was(item, (id_, image_id, numbers[item.label]), names, ledger)
        for (item, image_id), id_ in zip(items, ids, strict=True)
    ]


def _ids(wanted: Sequence[ForeignId], ledger: Ledger) -> list[ForeignId]:
    """New numbers, behind all others, for what has none, and, told, for the second of two."""
    free = count(1 + max((id_ for id_ in wanted if isinstance(id_, int)), default=0))
    taken: set[ForeignId] = {None}
    result: list[ForeignId] = []
    for id_ in wanted:
        if id_ is not None and id_ in taken:
            ledger.add(LossCode.IDS_CHANGED)
        result.append(next(free) if id_ in taken else id_)
        taken.add(id_)
    return result
