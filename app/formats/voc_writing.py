"""Files of Pascal VOC made of a data set; what was read comes back as it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from app.domain.states import AnnotationState
from app.formats import leaving_out
from app.formats.dataset import (
    Dataset,
    Files,
    Options,
    Picture,
    Written,
    fields_of,
    form_of,
    own,
    written,
)
from app.formats.losses import Ledger
from app.formats.picture_names import base_name, distinct, split_suffix
from app.formats.splits import SPLITS, split_of
from app.formats.texts import lines
from app.formats.voc_objects import Sheet, write_object
from app.formats.voc_sheets import filled, new_sheet, old_sheet, sheet_text

NAME: Final = "voc"


@dataclass(frozen=True, slots=True)
class _Plan:
    dataset: Dataset
    places: Sequence[str]
    lists: Mapping[str, str]
    """Texts of ``ImageSets`` as they were."""


def write(dataset: Dataset, options: Options) -> Written:
    """``Annotations/a.xml`` for each picture that has annotations, or was looked at and has
    none; ``ImageSets/Main/<split>.txt`` where there are splits; pictures in ``JPEGImages``."""
    ledger = Ledger()
    mine = own(dataset, NAME, ledger)
    leaving_out.note_class_details(mine.classes, ledger)
    leaving_out.note_unused(mine, ledger)
    leaving_out.note_states((p for p in mine.pictures if not _is_empty(p)), ledger)
    leaving_out.note_splits((p for p in mine.pictures if p.split not in SPLITS), ledger)
    lists: Any = form_of(mine.extra).get("lists")
    plan = _Plan(mine, _places(mine.pictures, ledger), lists if isinstance(lists, dict) else {})
    was = form_of(mine.extra).get("origin", options.origin)
    origin = 0 if was == 0 else 1
    return written(lambda to: _files(plan, origin, to), ledger, tuple(plan.places))


def picture_place(sheet: str, name: str) -> str:
    """Where the picture of a file lies: in ``JPEGImages`` beside ``Annotations``, or beside
    the file."""
    parts = list(PurePosixPath(sheet).parts[:-1])
    folders = ["JPEGImages" if part == "Annotations" else part for part in parts]
    return "/".join([*folders, name])


def stems_of(text: str) -> list[str]:
    """The names in a list of pictures, one a line."""
    return [line.strip() for _, line in lines(text) if line.strip()]


def _files(plan: _Plan, origin: int, ledger: Ledger) -> Files:
    yield from _split_lists(plan)
    for picture, place in zip(plan.dataset.pictures, plan.places, strict=True):
        if picture.items or _is_empty(picture):
            text = _text(picture, place, origin, ledger)
            if text is not None:
                yield _sheet_path(picture, place), text.encode()


def _text(picture: Picture, place: str, origin: int, ledger: Ledger) -> str | None:
    """None where nothing of it can be held: an empty file would say that nothing is there."""
    told = Sheet("", origin, None)
    found = [write_object(item, told, ledger) for item in picture.items]
    objects = [each for each in found if each is not None]
    if found and not objects:
        return None
    form, name = form_of(picture.extra), base_name(place)
    tree = fields_of(picture.extra).get("document")
    if tree is None:
        sheet = filled(new_sheet(picture, name, origin), (), objects)
    else:
        was = str(form.get("filename", ""))
        kept = was if base_name(was.replace("\\", "/")) == name else name
        sheet = filled(*old_sheet(tree, picture, kept), objects)
    return sheet_text(sheet, form.get("style"), ledger)


def _split_lists(plan: _Plan) -> Files:
    """``ImageSets``, where a split is told by no folder."""
    stems: dict[str, list[str]] = {}
    for picture, place in zip(plan.dataset.pictures, plan.places, strict=True):
        if picture.split in SPLITS and split_of(str(PurePosixPath(place).parent)) is None:
            stem = split_suffix(base_name(place))[0]
            stems.setdefault(str(picture.split), []).append(stem)
    told = {f"ImageSets/Main/{split}.txt": found for split, found in stems.items()}
    paths = {path.lower().rpartition("imagesets/")[2]: path for path in plan.lists}
    for path, found in told.items():
        was = paths.get(path.lower().rpartition("imagesets/")[2], path)
        text = str(plan.lists.get(was, ""))
        same = sorted(stems_of(text)) == sorted(found)
        yield was, (text if same else "".join(f"{stem}\n" for stem in found)).encode()


def _places(pictures: Sequence[Picture], ledger: Ledger) -> list[str]:
    wanted = []
    for picture in pictures:
        sheet = str(form_of(picture.extra).get("file", "Annotations/new.xml"))
        wanted.append(picture_place(sheet, base_name(picture.file_name)))
    return distinct(wanted, ledger, without_suffix=True)


def _sheet_path(picture: Picture, place: str) -> str:
    """As it was while the picture is called the same, else by its name."""
    was = form_of(picture.extra).get("file")
    stem = split_suffix(base_name(place))[0]
    if not isinstance(was, str):
        return f"Annotations/{stem}.xml"
    same = base_name(place) == base_name(picture.file_name)
    kept = same and form_of(picture.extra).get("name") == base_name(picture.file_name)
    return was if kept else str(PurePosixPath(was).with_name(f"{stem}.xml"))


def _is_empty(picture: Picture) -> bool:
    """Looked at, and nothing was there: a file without objects says so."""
    return picture.state is AnnotationState.DONE and not picture.items
