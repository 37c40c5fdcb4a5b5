"""A YOLO data set made of a data set; what was read comes back as it was."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, Final

from app.domain.shapes import Polygon, RotatedBox
from app.domain.states import AnnotationState
from app.formats import leaving_out
from app.formats.dataset import (
    Dataset,
    Files,
    Options,
    Picture,
    Task,
    Written,
    form_of,
    own,
    written,
)
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import base_name, distinct, split_suffix
from app.formats.splits import SPLITS
from app.formats.texts import joined
from app.formats.yolo_lines import Page, write_line
from app.formats.yolo_names import Head, Names, classes_of, head_files, numbered, read_head

NAME: Final = "yolo"


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is written where. ``places`` of pictures, None where one is left out."""

    dataset: Dataset
    names: Names
    task: Task
    places: tuple[str | None, ...]
    heads: Mapping[str, str]


def write(dataset: Dataset, options: Options) -> Written:
    """``data.yaml`` or what named the classes, and a label file for each picture that has
    annotations, or was looked at and has none."""
    ledger = Ledger()
    mine = own(dataset, NAME, ledger)
    leaving_out.note_class_details(mine.classes, ledger, numbers=True)
    leaving_out.note_states((p for p in mine.pictures if not _is_empty(p)), ledger)
    leaving_out.note_splits((p for p in mine.pictures if p.split not in SPLITS), ledger)
    task = options.task or _task(mine)
    names = numbered(mine.classes, ledger)
    heads = _heads(mine)
    places = _places(mine.pictures, _read(heads), ledger)
    plan = _Plan(mine, names, task, tuple(places), heads)
    return replace(written(lambda to: _files(plan, to), ledger, plan.places), task=task)


def in_images(label_file: str) -> str:
    """Where the picture of a label file lies, but for its suffix: the last ``labels`` of the
    path is ``images`` there."""
    return _other_folder(label_file, "labels", "images")


def _files(plan: _Plan, ledger: Ledger) -> Files:
    used = {item.label for picture in plan.dataset.pictures for item in picture.items}
    if _still_right(plan, used):
        for path, text in plan.heads.items():
            yield path, text.encode()
    else:
        yield from head_files(plan.names, plan.heads, _folders(plan, ledger))
    keypoints = form_of(plan.dataset.extra).get("keypoints")
    columns = keypoints if isinstance(keypoints, int) else 0
    for picture, place in zip(plan.dataset.pictures, plan.places, strict=True):
        if place is not None and (picture.items or _is_empty(picture)):
            size = picture.width or 1, picture.height or 1
            page = Page(plan.names, size, plan.task, columns)
            told = _text(picture, page, ledger)
            if told is not None:
                yield _label_file(place), told.encode()


def _text(picture: Picture, page: Page, ledger: Ledger) -> str | None:
    """None where nothing of it can be held: an empty file would say that nothing is there."""
    form = form_of(picture.extra)
    found = [write_line(item, page, ledger) for item in picture.items]
    rows = [line for line in found if line is not None]
    if not rows:
        return None if found else str(form.get("blank", ""))
    whole = joined(rows, form.get("gaps"))
    if whole is not None:
        return whole
    newline = str(form.get("newline", "\n"))
    return newline.join(rows) + str(form.get("end", newline))


def _still_right(plan: _Plan, used: set[str]) -> bool:
    """Whether the files that named classes and folders say what is to be written."""
    if not plan.heads:
        return False
    head = _read(plan.heads)
    told = {each.name: each.number for each in classes_of(head.names, used)}
    if told != {name: number for number, name in plan.names.items()} or head.has_lists:
        return False
    return all(
        place is None or head.split(_parent(place)) == picture.split
        for picture, place in zip(plan.dataset.pictures, plan.places, strict=True)
    )


def _folders(plan: _Plan, ledger: Ledger) -> dict[str, str]:
    """Of pictures, by split. Where they were told as lists of pictures, or otherwise, the
    new layout is told."""
    if _read(plan.heads).has_lists:
        ledger.add(LossCode.LAYOUT)
    parents: dict[str, list[str]] = defaultdict(list)
    for picture, place in zip(plan.dataset.pictures, plan.places, strict=True):
        if place is not None and picture.split in SPLITS:
            parents[str(picture.split)].append(_parent(place))
    return {split: posixpath.commonpath(found) for split, found in parents.items()}


def _read(heads: Mapping[str, str]) -> Head:
    files = {path: text.encode() for path, text in heads.items()}
    return read_head(files, Ledger()) if files else Head({}, {})


def _parent(path: str) -> str:
    return str(PurePosixPath(path).parent)


def _heads(dataset: Dataset) -> dict[str, str]:
    found: Any = form_of(dataset.extra).get("heads")
    return dict(found) if isinstance(found, dict) else {}


def _task(dataset: Dataset) -> Task:
    """As it was read, or what holds most of the shapes."""
    was = form_of(dataset.extra).get("task")
    if isinstance(was, str) and was in set(Task):
        return Task(was)
    shapes = [item.shape for picture in dataset.pictures for item in picture.items]
    if any(isinstance(shape, Polygon) for shape in shapes):
        return Task.SEGMENT
    return Task.OBB if any(isinstance(s, RotatedBox) for s in shapes) else Task.DETECT


def _places(pictures: Sequence[Picture], head: Head, ledger: Ledger) -> list[str | None]:
    is_parted = any(picture.split in SPLITS for picture in pictures)
    wanted = [
        _place_before(picture, head) or _place(picture, is_parted) for picture in pictures
    ]
    places = distinct(wanted, ledger, without_suffix=True)
    return [
        None if picture.items and not _has_size(picture, ledger) else place
        for picture, place in zip(pictures, places, strict=True)
    ]


def _place_before(picture: Picture, head: Head) -> str | None:
    """Where it was, unless it is called otherwise or in another split by now."""
    name = base_name(picture.file_name)
    was = form_of(picture.extra).get("file")
    if not isinstance(was, str) or split_suffix(base_name(was))[0] != split_suffix(name)[0]:
        return None
    place = str(PurePosixPath(in_images(was)).with_name(name))
    return place if head.split(_parent(place)) == picture.split else None


def _place(picture: Picture, is_parted: bool) -> str:
    name = base_name(picture.file_name)
    split = picture.split if picture.split in SPLITS else "rest"
    return f"images/{split}/{name}" if is_parted else f"images/{name}"


def _has_size(picture: Picture, ledger: Ledger) -> bool:
    if picture.width and picture.height:
        return True
    ledger.add(LossCode.SIZE_UNKNOWN, picture.file_name)
    return False


def _is_empty(picture: Picture) -> bool:
    """Looked at, and nothing was there: an empty file says so."""
    return picture.state is AnnotationState.DONE and not picture.items


def _label_file(place: str) -> str:
    return split_suffix(_other_folder(place, "images", "labels"))[0] + ".txt"


def _other_folder(path: str, one: str, other: str) -> str:
    parts = path.split("/")
    for n in range(len(parts) - 2, -1, -1):
        if parts[n] == one:
            parts[n] = other
            break
    return "/".join(parts)
