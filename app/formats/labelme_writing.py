"""LabelMe files made of a data set; what was read comes back as it was."""

from __future__ import annotations

import json
import posixpath
from dataclasses import replace
from typing import Any, Final

from app.domain.shapes import WholePicture
from app.domain.states import AnnotationState
from app.formats.dataset import (
    FIELDS,
    FORM,
    Dataset,
    Files,
    Options,
    Picture,
    Size,
    Written,
    fields_of,
    form_of,
    own,
    written,
)
from app.formats.json_text import Record, restored, text
from app.formats.labelme_shapes import item_record
from app.formats.leaving_out import note_class_details, note_splits, note_unused
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import clean_path, distinct, split_suffix
from app.formats.positions import aside, in_place, position

NAME: Final = "labelme"
_VERSION: Final = "5.5.0"  # of the LabelMe whose files look like ours
_LOOKED_AT: Final = frozenset({None, AnnotationState.DONE, AnnotationState.ACCEPTED})


def write(dataset: Dataset, options: Options) -> Written:
    """A label file beside each picture that has annotations or was looked at."""
    ledger = Ledger()
    mine = own(dataset, NAME, ledger)
    places = distinct([p.file_name for p in mine.pictures], ledger, without_suffix=True)
    pictures = [
        replace(picture, file_name=place)
        for picture, place in zip(mine.pictures, places, strict=True)
    ]
    for picture in pictures:
        _tell_what_is_left_out(picture, ledger)
    note_class_details(mine.classes, ledger)
    note_unused(mine, ledger)
    note_splits(mine.pictures, ledger)

    def render(ledger: Ledger) -> Files:
        for picture in filter(_has_file, pictures):
            place = _label_file(picture)
            document = _document(picture, place, options.sizes.get(picture.file_name), ledger)
            told = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
            yield place, told.encode()

    return written(render, ledger, tuple(places))


def frame(picture: Picture, place: str, size: Size | None = None) -> Record:
    """A document of our own at ``place``, without its shapes."""
    width, height = _size_of(picture) or size or (None, None)
    return {
        "version": _VERSION,
        "flags": dict.fromkeys(_labels(picture), True),
        "shapes": [],
        "imagePath": posixpath.relpath(picture.file_name, posixpath.dirname(place) or "."),
        "imageData": None,
        "imageHeight": height,
        "imageWidth": width,
    }


def picture_path(told: object, name: str, ledger: Ledger) -> str:
    """``imagePath`` leads from the folder of the label file; ``InvalidInput``."""
    place = f"{name}:$.imagePath"
    path, folder = text(told, place).replace("\\", "/"), posixpath.dirname(name)
    if path.startswith("/") or path[1:2] == ":" or not path.strip() or not folder:
        return clean_path(told, place, ledger)
    if path != told:
        ledger.add(LossCode.BACKSLASHES, place)
    return clean_path(posixpath.normpath(posixpath.join(folder, path)), place, ledger)


def flags(document: Record) -> dict[str, Any]:
    """What is said of the whole picture."""
    value = document.get("flags")
    return value if isinstance(value, dict) else {}


def told_size(document: Record) -> Size | None:
    """None unless both sides are whole numbers above 0."""
    sides = document.get("imageWidth"), document.get("imageHeight")
    width, height = (side if type(side) is int and 0 < side < 2**31 else 0 for side in sides)
    return (width, height) if width and height else None


def _document(picture: Picture, place: str, size: Size | None, ledger: Ledger) -> Record:
    shapes = [item for item in picture.items if not isinstance(item.shape, WholePicture)]
    placed = [[(position(item.extra), item_record(item, ledger))] for item in shapes]
    was = {FIELDS: fields_of(picture.extra).get("members", {}), FORM: form_of(picture.extra)}
    on, sizes = _labels(picture), {None, _size_of(picture)}
    checks = (
        (("imagePath",), lambda r: _leads_to(r["imagePath"], place, picture)),
        (("flags",), lambda r: [n for n, is_on in flags(r).items() if is_on is True] == on),
        (("imageHeight", "imageWidth"), lambda r: told_size(r) in sizes),
    )
    found = restored(frame(picture, place, size), was, checks)
    return {**found, "shapes": in_place(placed, aside(picture.extra))}


def beside(picture: Picture) -> str:
    """Where its label file belongs; a picture may itself be called ``a.json``."""
    place = split_suffix(picture.file_name)[0] + ".json"
    return place if place != picture.file_name else f"{place}.json"


def _label_file(picture: Picture) -> str:
    """Where it was read from, unless that was of a picture of another name."""
    form = form_of(picture.extra)
    was_of_it = form.get("of") == picture.file_name
    return str(form["file"]) if was_of_it else beside(picture)


def _leads_to(told: object, place: str, picture: Picture) -> bool:
    return picture_path(told, place, Ledger()) == picture.file_name


def _has_file(picture: Picture) -> bool:
    return bool(picture.items) or picture.state in _LOOKED_AT


def _labels(picture: Picture) -> list[str]:
    whole = (item for item in picture.items if isinstance(item.shape, WholePicture))
    return list(dict.fromkeys(item.label for item in whole))


def _size_of(picture: Picture) -> Size | None:
    width, height = picture.width, picture.height
    return None if width is None or height is None else (width, height)


def _tell_what_is_left_out(picture: Picture, ledger: Ledger) -> None:
    has_no_file_and_is_new = not _has_file(picture) and picture.state is AnnotationState.NEW
    if picture.state not in {None, AnnotationState.DONE} and not has_no_file_and_is_new:
        ledger.add(LossCode.STATE, picture.file_name)
    whole = [item for item in picture.items if isinstance(item.shape, WholePicture)]
    if len(whole) > len(_labels(picture)):
        ledger.add(LossCode.WHOLE_PICTURE, picture.file_name)
    if any(item.attributes for item in whole):
        ledger.add(LossCode.ATTRIBUTES, picture.file_name)
