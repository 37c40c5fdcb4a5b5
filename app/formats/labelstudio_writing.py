"""Label Studio documents made of a data set; what was read comes back as it was."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from app.domain.shapes import WholePicture
from app.domain.states import AnnotationState
from app.formats.dataset import (
    Dataset,
    Files,
    Item,
    Options,
    Picture,
    Size,
    Written,
    fields_of,
    form_of,
    own,
    written,
)
from app.formats.json_text import Record
from app.formats.labelstudio_items import ids_of, is_loose, item_records, reads_as, whole_record
from app.formats.labelstudio_min import MIN, collapsed
from app.formats.labelstudio_names import picture_path
from app.formats.leaving_out import note_class_details, note_splits, note_unused
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import distinct
from app.formats.positions import ASIDE, Placed, aside, in_place, position

NAME: Final = "labelstudio"
FILE: Final = "result.json"


def write(dataset: Dataset, options: Options) -> Written:
    """``result.json``, or the documents that were read."""
    ledger = Ledger()
    mine = own(dataset, NAME, ledger)
    note_class_details(mine.classes, ledger)
    note_unused(mine, ledger)
    note_splits(mine.pictures, ledger)
    names = distinct([picture.file_name for picture in mine.pictures], ledger)
    pictures = [
        _sized(replace(picture, file_name=name), options)
        for picture, name in zip(mine.pictures, names, strict=True)
    ]
    without = {id(p) for p in pictures if _size(p) is None and _has_shapes(p)}
    if without:
        ledger.add(LossCode.SIZE_UNKNOWN, count=len(without))
    kept = fields_of(mine.extra).get("files")
    files: dict[str, Any] = kept if isinstance(kept, dict) and kept else {FILE: {}}
    from_names = _from_names(pictures)

    def render(ledger: Ledger) -> Files:
        for path, was in files.items():
            tasks: list[list[Placed]] = [
                list(_tasks(picture, from_names, ledger))
                for picture in pictures
                if id(picture) not in without and _file_of(picture, files) == path
            ]
            document: Any = in_place(tasks, was.get(ASIDE, []))
            if was.get("alone") and len(document) == 1:
                document = document[0]
            told = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
            yield path, told.encode()

    places = (None if id(p) in without else p.file_name for p in pictures)
    return written(render, ledger, tuple(places))


def is_cancelled(annotation: Mapping[str, Any]) -> bool:
    return bool(annotation.get("was_cancelled") or annotation.get("skipped"))


def state_of(annotations: Sequence[Mapping[str, Any]] | None) -> AnnotationState | None:
    """What a task's annotations say; None for a task without the list."""
    if annotations is None:
        return None
    if not annotations:
        return AnnotationState.NEW
    skipped = all(map(is_cancelled, annotations))
    return AnnotationState.SKIPPED if skipped else AnnotationState.DONE


def told_size(results: Iterable[object]) -> Size | None:
    """The first size that a result tells."""
    for each in results:
        told = each if isinstance(each, dict) else {}
        sides = told.get("original_width"), told.get("original_height")
        width, height = (s if type(s) is int and 0 < s < 2**31 else 0 for s in sides)
        if width and height:
            return width, height
    return None


def _tasks(picture: Picture, from_names: Mapping[str, str], ledger: Ledger) -> Iterator[Placed]:
    """The task, or the records of JSON-MIN that it was; each with its position."""
    form, task = form_of(picture.extra), fields_of(picture.extra).get("task")
    results = _results(picture, from_names, ledger)
    if not isinstance(task, dict):
        yield None, _fresh(picture, results, ledger)
        return
    positions: Any = form.get("at")
    name, key = str(form.get("name")), str(form.get("key"))
    data, annotations = _data(task["data"], key, picture), _annotations(picture, results)
    has_list = bool(annotations or task.get(name) is not None)
    _note_state(picture, state_of(annotations if has_list else None), ledger)
    if annotations and MIN in annotations[0]:
        told = {} if data is task["data"] else {key: data[key]}
        for at, each in zip(positions, annotations, strict=True):
            yield at, collapsed(each, told)
        return
    yield positions[0], {**task, "data": data, **({name: annotations} if has_list else {})}


def _annotations(picture: Picture, results: list[Any]) -> list[Record]:
    """Those of the task, with these results in the one that was taken, or in a new one."""
    form, task = form_of(picture.extra), fields_of(picture.extra)["task"]
    told: Any = task.get(form.get("name")) if isinstance(task, dict) else None
    annotations: list[Record] = list(told or [])
    chosen = form.get("chosen")
    if isinstance(chosen, int):
        annotations[chosen] = {**annotations[chosen], "result": results}
    elif results or picture.state is AnnotationState.DONE:
        annotations.append({"was_cancelled": False, "result": results})
    if picture.state is AnnotationState.SKIPPED and not results:
        skipped = [{**each, "was_cancelled": True} for each in annotations]
        return annotations if all(map(is_cancelled, annotations)) else skipped
    return annotations


def _fresh(picture: Picture, results: list[Any], ledger: Ledger) -> Record:
    annotations: list[Record] = []
    skipped = picture.state is AnnotationState.SKIPPED and not results
    if results or skipped or picture.state is AnnotationState.DONE:
        annotations = [{"was_cancelled": skipped, "ground_truth": False, "result": results}]
    _note_state(picture, state_of(annotations), ledger)
    data = {"image": picture.file_name}
    return {"data": data, "annotations": annotations, "predictions": []}


def _results(picture: Picture, from_names: Mapping[str, str], ledger: Ledger) -> list[Any]:
    size = _size(picture) or (1, 1)
    placed: list[list[Placed]] = []
    mains = [position(items[0].extra) for items in _groups(picture.items).values()]
    for (kind, _), items in (groups := _groups(picture.items)).items():
        id_ = _new_id(picture, len(placed)) if items[0].foreign_id is None else ""
        if kind == "whole":
            placed.append([whole_record(items, from_names, id_)])
            if any(item.attributes for item in items):
                ledger.add(LossCode.ATTRIBUTES)
            continue
        told = item_records(items[0], size, from_names, id_)
        placed.append(told)
        if reads_as(told, size)[1] != items[0].shape:
            ledger.add(LossCode.ROUNDED)
    kept = aside(picture.extra)
    before: Any = form_of(picture.extra).get("loose", ())
    ids = ids_of([each for _, each in kept] + [each for told in placed for _, each in told])
    joined = [(at, each) for at, each in kept if at in before or not is_loose(each, ids)]
    if len(joined) < len(kept):
        ledger.add(LossCode.RELATIONS, count=len(kept) - len(joined))
    return in_place(placed, joined, mains) if groups or joined else []


def _groups(items: Sequence[Item]) -> dict[tuple[str, object], list[Item]]:
    """Regions one by one; labels of the whole picture together where one result told them."""
    groups: dict[tuple[str, object], list[Item]] = {}
    for n, item in enumerate(items):
        is_whole = isinstance(item.shape, WholePicture)
        key = ("whole", form_of(item.extra).get("at")) if is_whole else ("region", n)
        groups.setdefault(key, []).append(item)
    return groups


def _new_id(picture: Picture, n: int) -> str:
    """The id of a new region; Label Studio wants texts, each once in a task."""
    told = {str(item.foreign_id) for item in picture.items}
    id_ = f"r{n}"
    while id_ in told:
        id_ += "_"
    return id_


def _data(data: Record, key: str, picture: Picture) -> Record:
    """With the picture's name where that is another one now."""
    if picture_path(str(data.get(key)), "", Ledger()) == picture.file_name:
        return data
    return {**data, key: picture.file_name}


def _note_state(picture: Picture, told: AnnotationState | None, ledger: Ledger) -> None:
    if picture.state is not None and told is not picture.state:
        ledger.add(LossCode.STATE, picture.file_name)


def _from_names(pictures: Iterable[Picture]) -> dict[str, str]:
    """The ``from_name`` of each type and the ``to_name`` that the data set has."""
    found: dict[str, str] = {}
    for picture in pictures:
        for item in picture.items:
            records: Any = form_of(item.extra).get("records", ())
            for _, told in records:
                name, to_name = told.get("from_name"), told.get("to_name")
                if isinstance(name, str) and isinstance(told.get("type"), str):
                    found.setdefault(told["type"], name)
                if isinstance(to_name, str):
                    found.setdefault("to_name", to_name)
    return found


def _file_of(picture: Picture, files: Mapping[str, Any]) -> str:
    told = form_of(picture.extra).get("file")
    return told if isinstance(told, str) and told in files else next(iter(files))


def _has_shapes(picture: Picture) -> bool:
    return any(not isinstance(item.shape, WholePicture) for item in picture.items)


def _size(picture: Picture) -> Size | None:
    width, height = picture.width, picture.height
    return None if width is None or height is None else (width, height)


def _sized(picture: Picture, options: Options) -> Picture:
    size = options.sizes.get(picture.file_name)
    if size is None or _size(picture) is not None:
        return picture
    return replace(picture, width=size[0], height=size[1])
