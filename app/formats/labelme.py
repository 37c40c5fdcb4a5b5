"""LabelMe and X-AnyLabeling: one JSON file a picture, beside it.

``{"version", "flags": {…}, "shapes": […], "imagePath", "imageData", "imageHeight",
"imageWidth"}``: https://github.com/wkentaro/labelme, https://github.com/CVHub520/X-AnyLabeling.
``flags`` that are true are labels of the whole picture. A file that is there was looked at:
without shapes its picture is done and empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Final

from app.domain.names import refuse
from app.domain.shapes import WholePicture
from app.domain.states import AnnotationState
from app.formats import labelme_writing, reading
from app.formats.dataset import (
    ClassDef,
    Dataset,
    Item,
    Options,
    Parsed,
    Picture,
    Written,
    extra,
    fields_of,
    form_of,
)
from app.formats.json_text import Record, kept, read_json, record, records
from app.formats.labelme_shapes import EMPTY, read_item
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import Known
from app.formats.positions import ASIDE

NAME: Final = labelme_writing.NAME
WORDS: Final = "LabelMe, X-AnyLabeling"
READS: Final = ("*.json",)

_KNOWN: Final = frozenset(
    ("version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth")
)


def parse(files: Mapping[str, bytes], options: Options) -> Parsed:
    """``InvalidInput`` with ``file:$.path``."""
    ledger, known = Ledger(), Known(options.sizes, options.same)
    pictures: dict[str, Picture] = {}
    for name in (name for name in files if fnmatchcase(name.lower(), READS[0])):
        document = record(read_json(files[name], name), f"{name}:$")
        picture = _picture(document, name, known, ledger)
        if picture.file_name in pictures:
            raise refuse(f"{name}:$.imagePath", "Another file is of this picture, too.")
        pictures[picture.file_name] = picture
    if not pictures:
        raise refuse("", "There is no JSON file among these files.")
    labels = dict.fromkeys(item.label for p in pictures.values() for item in p.items)
    classes = tuple(ClassDef(label) for label in labels)
    return Parsed(Dataset(classes, tuple(pictures.values()), source=NAME), ledger.losses)


def write(dataset: Dataset, options: Options) -> Written:
    return labelme_writing.write(dataset, options)


def _picture(document: Record, name: str, known: Known, ledger: Ledger) -> Picture:
    place = f"{name}:$"
    path = labelme_writing.picture_path(document.get("imagePath"), name, ledger)
    real, told = known.size(path, f"{place}.imagePath", ledger), _size(document, place)
    reading.note_size(told, real, place, ledger)
    width, height = told or real or (None, None)
    items: list[Item] = []
    left: list[Any] = []
    for n, (where, entry) in enumerate(records(document.get("shapes"), f"{place}.shapes")):
        reading.check_count(n, f"{place}.shapes")
        item = read_item(entry, n, where, ledger)
        if item is None:
            left.append([n, entry])
            continue
        reading.note_outside(item.shape, told or real, where, ledger)
        items.append(item)
    items += _flagged(document, f"{place}.flags", ledger)
    reading.check_count(len(items), f"{place}.shapes")
    picture = Picture(path, width, height, tuple(items), AnnotationState.DONE)
    return replace(picture, extra=_kept(document, picture, name, left, ledger))


def _kept(
    document: Record, picture: Picture, name: str, left: list[Any], ledger: Ledger
) -> dict[str, object]:
    bare = {**document, "shapes": []}
    if document.get("imageData"):
        ledger.add(LossCode.EMBEDDED_PICTURE, f"{name}:$.imageData")
        bare["imageData"] = None
    empty = [member for member, value in document.items() if value in EMPTY]
    was = kept(bare, labelme_writing.frame(picture, name), _KNOWN.union(empty))
    parts = {"members": fields_of(was), ASIDE: left}
    fields = {part: value for part, value in parts.items() if value}
    beside = labelme_writing.beside(picture)
    file = {} if name == beside else {"file": name, "of": picture.file_name}
    return extra(fields, {**form_of(was), **file})


def _flagged(document: Record, place: str, ledger: Ledger) -> list[Item]:
    on = [name for name, is_on in labelme_writing.flags(document).items() if is_on is True]
    return [Item(reading.label(name, place, ledger), WholePicture()) for name in on]


def _size(document: Record, place: str) -> tuple[int, int] | None:
    size = labelme_writing.told_size(document)
    for member in ("imageWidth", "imageHeight"):
        if size is None and document.get(member) is not None:
            raise refuse(f"{place}.{member}", "This must be a whole number of pixels above 0.")
    return size
