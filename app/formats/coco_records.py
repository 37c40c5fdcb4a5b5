"""The records of a COCO document as they are written, and what says that one still holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.domain.annotation import Attributes
from app.domain.shape_document import read_number
from app.domain.shapes import Points, WholePicture
from app.errors import InvalidInput
from app.formats import reading
from app.formats.coco_shapes import geometry, shape_of
from app.formats.dataset import ClassDef, ForeignId, Item, Picture, Size
from app.formats.json_text import Record, restored, same
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import base_name, clean_path

FRAME: Final = ("info", "licenses", "images", "annotations", "categories")
CATEGORY: Final = ("id", "name", "supercategory")
IMAGE: Final = ("id", "width", "height", "file_name")
GEOMETRY: Final = ("segmentation", "area", "bbox")
ANNOTATION: Final = ("id", "image_id", "category_id", *GEOMETRY, "iscrowd", "attributes")

ROTATION: Final = "rotation"
"""An attribute that is part of the shape: CVAT writes it."""

Ids = tuple[ForeignId, ForeignId, ForeignId]
"""Of an annotation, its image and its category."""


def frame(images: object, annotations: object, categories: object) -> Record:
    lists = {"images": images, "annotations": annotations, "categories": categories}
    return {"info": {}, "licenses": [], **lists}


def category(class_: ClassDef, id_: ForeignId) -> Record:
    return {"id": id_, "name": class_.name, "supercategory": ""}


def image(picture: Picture, id_: ForeignId) -> Record:
    """Without width and height where they are not known."""
    sides = {"width": picture.width, "height": picture.height}
    size = {name: side for name, side in sides.items() if side is not None}
    return {"id": id_, **size, "file_name": picture.file_name}


def annotation(item: Item, ids: Ids, ledger: Ledger) -> Record:
    """Of an item that COCO can hold."""
    attributes = {name: value for name, value in item.attributes.items() if name != ROTATION}
    if len(attributes) < len(item.attributes):
        ledger.add(LossCode.ATTRIBUTES)
    told = {"attributes": attributes} if attributes else {}
    named = dict(zip(("id", "image_id", "category_id"), ids, strict=True))
    return {**named, **geometry(item.shape, ledger), **told}


def can_hold(item: Item, ledger: Ledger) -> bool:
    """Whether COCO has such a shape; else it is told."""
    if isinstance(item.shape, Points | WholePicture):
        is_whole = isinstance(item.shape, WholePicture)
        ledger.add(LossCode.WHOLE_PICTURE if is_whole else LossCode.SHAPE)
        return False
    return True


def name_of(found: Record) -> str:
    """The class that a category means."""
    return reading.label(found["name"], "", Ledger())


def size_of(found: Record, place: str) -> Size | None:
    """Of an image, in whole pixels; None where a side is missing or 0. ``InvalidInput``."""
    if not found.get("width") or not found.get("height"):
        return None
    width, height = (
        int(read_number(found[name], f"{place}.{name}")) for name in ("width", "height")
    )
    return width, height


def category_as_was(class_: ClassDef, id_: ForeignId) -> Record:
    checks = ((("name",), lambda found: name_of(found) == class_.name),)
    return restored(category(class_, id_), class_.extra, checks)


def image_as_was(picture: Picture, id_: ForeignId) -> Record:
    """The folders of the name are those of the document, as long as the name itself is."""
    size = (picture.width, picture.height)

    def names_it(found: Record) -> bool:
        was = clean_path(found["file_name"], "", Ledger())
        return base_name(was) == base_name(picture.file_name)

    def measures_it(found: Record) -> bool:
        return size_of(found, "") in {size, None}

    checks = ((("file_name",), names_it), (("width", "height"), measures_it))
    return restored(image(picture, id_), picture.extra, checks)


def annotation_as_was(
    item: Item, ids: Ids, names: Mapping[ForeignId, str], ledger: Ledger
) -> Record:
    """Whatever of its geometry is written anew tells what it loses."""
    codes = Ledger()
    rendered = annotation(item, ids, codes)
    if not item.extra:
        ledger.take(codes)
        return rendered
    found = restored(
        rendered,
        item.extra,
        (
            (GEOMETRY, lambda was: _shape(was) == item.shape),
            (("category_id",), lambda was: names.get(was["category_id"]) == item.label),
            (
                ("attributes",),
                lambda was: same(attributes_of(was, "", Ledger()), item.attributes),
            ),
        ),
    )
    if all(found.get(name) is rendered[name] for name in ("segmentation", "bbox")):
        ledger.take(codes)
    return found


def _shape(found: Record) -> object:
    try:
        return shape_of(found, "", Ledger())
    except InvalidInput:
        return None


def attributes_of(found: Record, place: str, ledger: Ledger) -> Attributes:
    """Without what is part of the shape."""
    told = found.get("attributes")
    read = reading.attributes(told, f"{place}.attributes", ledger)
    return {name: value for name, value in read.items() if name != ROTATION}
