"""COCO instances: one JSON document a split, with images, annotations and categories.

https://cocodataset.org/#format-data; also as CVAT (``attributes`` of annotations), Roboflow
(``train/_annotations.coco.json``) and Detectron2 (turned boxes) write it. Written documents
are ``annotations/instances_<split>.json``, pictures belong into ``images/``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from app.domain.names import refuse
from app.formats import coco_records as writing
from app.formats import reading
from app.formats.coco_shapes import shape_of
from app.formats.coco_writing import NAME, folder_of
from app.formats.coco_writing import write as _write
from app.formats.dataset import (
    ClassDef,
    Dataset,
    ForeignId,
    Item,
    Options,
    Parsed,
    Picture,
    Size,
    Written,
    extra,
    placed,
)
from app.formats.json_text import Record, array, kept, read_json, record, records
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import Known, base_name, clean_path
from app.formats.splits import split_of

WORDS: Final = "COCO instances"
READS: Final = ("*.json",)

__all__ = ["NAME", "READS", "WORDS", "parse", "write"]


def parse(files: Mapping[str, bytes], options: Options) -> Parsed:
    """One document or several; ``InvalidInput`` with ``file:$.path``."""
    paths = sorted(path for path in files if path.lower().endswith(".json"))
    if not paths:
        raise refuse("", "There is no JSON file among these files.")
    state = _State(Known(options.sizes, options.same))
    pictures = [p for path in paths for p in _read_file(path, files[path], state)]
    forms: dict[str, object] = {}
    alike = [writing.category_as_was(c, c.foreign_id) for c in state.classes.values()]
    for path, (form, categories) in state.forms.items():
        own = {} if categories == alike else {"categories": categories}
        forms[path] = {"frame": form, **own}
    classes = tuple(state.classes.values())
    dataset = Dataset(classes, tuple(pictures), extra({}, {"files": forms}), NAME)
    return Parsed(dataset, state.ledger.losses)


def write(dataset: Dataset, options: Options) -> Written:  # noqa: ARG001 - the interface
    """Of classes, pictures and items whatever COCO holds."""
    return _write(dataset)


@dataclass(slots=True)
class _State:
    """What the documents that were read so far have said."""

    known: Known
    ledger: Ledger = field(default_factory=Ledger)
    classes: dict[str, ClassDef] = field(default_factory=dict)
    forms: dict[str, tuple[object, list[Record]]] = field(default_factory=dict)


def _read_file(path: str, data: bytes, state: _State) -> Iterator[Picture]:
    document = record(read_json(data, path), path)
    for name in ("images", "annotations"):
        if name not in document:
            raise refuse(f"{path}:$.{name}", "A COCO document has this list.")
    told: Any = document.get("categories", [])
    names = _read_categories(told, f"{path}:$.categories", state)
    pictures = _read_images(document["images"], path, state)
    items = _read_annotations(document["annotations"], path, names, pictures, state)
    lists = dict.fromkeys(("images", "annotations", "categories"))
    frame = {name: lists.get(name, value) for name, value in document.items()}
    state.forms[path] = kept(frame, writing.frame(None, None, None), writing.FRAME), told
    in_turn = [n for id_ in pictures for n, _ in items[id_]]
    nested = in_turn == sorted(in_turn)
    for id_, picture in pictures.items():
        mine = (i if nested else replace(i, extra=placed(i.extra, n)) for n, i in items[id_])
        yield replace(picture, items=tuple(mine))


def _read_categories(told: object, path: str, state: _State) -> dict[ForeignId, str]:
    names: dict[ForeignId, str] = {}
    seen: set[str] = set()
    reading.check_classes(len(array(told, path)), path)
    for n, (place, found) in enumerate(records(told, path)):
        id_ = _id(found.get("id"), f"{place}.id")
        if id_ in names:
            raise refuse(f"{place}.id", "Another category has this id.")
        name = reading.label(found.get("name"), f"{place}.name", state.ledger)
        if name in seen:
            state.ledger.add(LossCode.TWIN_CLASSES, place)
        elif name not in state.classes:
            class_ = ClassDef(name, foreign_id=id_)
            was = kept(found, writing.category(class_, id_), writing.CATEGORY)
            state.classes[name] = replace(class_, extra=placed(was, n))
        elif state.classes[name].foreign_id != id_:
            state.ledger.add(LossCode.CLASS_ORDER, place)
        names[id_] = name
        seen.add(name)
    return names


def _read_images(told: object, path: str, state: _State) -> dict[ForeignId, Picture]:
    pictures: dict[ForeignId, Picture] = {}
    for n, (place, found) in enumerate(records(told, f"{path}:$.images")):
        id_ = _id(found.get("id"), f"{place}.id")
        if id_ in pictures:
            raise refuse(f"{place}.id", "Another image has this id.")
        name = clean_path(found.get("file_name"), f"{place}.file_name", state.ledger)
        name, is_found = _found(name, path, state.known)
        real = state.known.size(name, f"{place}.file_name", state.ledger)
        size = writing.size_of(found, place)
        reading.note_size(size, real, place, state.ledger)
        width, height = size or real or (None, None)
        picture = Picture(name, width, height, split=split_of(path), foreign_id=id_)
        bare = picture if is_found else replace(picture, file_name=base_name(name))
        was = kept(found, writing.image(bare, id_), writing.IMAGE)
        pictures[id_] = replace(picture, extra=placed(was, n, file=path))
    return pictures


def _found(name: str, document: str, known: Known) -> tuple[str, bool]:
    """The path of the picture where its name alone leaves open which is meant and it lies
    where those of the document do; else the name as it is."""
    place = folder_of(document) + name
    is_found = place in known.sizes and known.find(name, "", Ledger()) is None
    return (place if is_found else name), is_found


def _read_annotations(
    told: object,
    path: str,
    names: Mapping[ForeignId, str],
    pictures: Mapping[ForeignId, Picture],
    state: _State,
) -> Mapping[ForeignId, list[tuple[int, Item]]]:
    """The items of each picture, with their places in the document."""
    items: dict[ForeignId, list[tuple[int, Item]]] = defaultdict(list)
    ids = {name: id_ for id_, name in reversed(list(names.items()))}
    for n, (place, found) in enumerate(records(told, f"{path}:$.annotations")):
        picture = pictures.get(_id(found.get("image_id"), f"{place}.image_id"))
        if picture is None:
            raise refuse(f"{place}.image_id", "No image of this document has this id.")
        label = names.get(_id(found.get("category_id"), f"{place}.category_id"))
        if label is None:
            raise refuse(f"{place}.category_id", "No category of this document has this id.")
        item = _item(found, label, place, state.ledger)
        if item is None:
            continue
        reading.note_outside(item.shape, _size_of(picture), place, state.ledger)
        named = (item.foreign_id, picture.foreign_id, ids[label])
        was = kept(found, writing.annotation(item, named, Ledger()), writing.ANNOTATION)
        mine = items[picture.foreign_id]
        mine.append((n, replace(item, extra=was)))
        reading.check_count(len(mine), place)
    return items


def _item(found: Record, label: str, place: str, ledger: Ledger) -> Item | None:
    """None, and told, for a box without an area."""
    shape = shape_of(found, place, ledger)
    if "keypoints" in found:
        ledger.add(LossCode.KEYPOINTS, place)
    attributes = writing.attributes_of(found, place, ledger)
    id_ = _id(found["id"], f"{place}.id") if "id" in found else None
    return None if shape is None else Item(label, shape, attributes, foreign_id=id_)


def _id(value: object, place: str) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise refuse(place, "An id is a whole number or a text.")
    return value


def _size_of(picture: Picture) -> Size | None:
    sides = picture.width, picture.height
    return None if sides[0] is None or sides[1] is None else (sides[0], sides[1])
