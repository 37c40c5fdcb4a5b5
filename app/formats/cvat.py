"""CVAT for images, XML 1.1: one document with ``meta``, and an ``image`` for each picture.

https://docs.cvat.ai/docs/other/xml_format. Exports of tasks, jobs and projects (``subset``)
are read; labels are typed by ``meta``. Pictures belong into ``images/``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any, Final

from app.domain.names import refuse
from app.formats import cvat_writing, reading
from app.formats.cvat_labels import Types, class_of, is_class, types_of
from app.formats.cvat_shapes import read_item
from app.formats.dataset import (
    ClassDef,
    Dataset,
    Item,
    Options,
    Parsed,
    Picture,
    Size,
    Written,
    extra,
    fields_of,
    form_of,
)
from app.formats.json_text import Record, kept
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import Known, clean_path
from app.formats.positions import ASIDE
from app.formats.xml_text import Element, node, read_xml

NAME: Final = cvat_writing.NAME
WORDS: Final = "CVAT for images 1.1"
READS: Final = ("*.xml",)


def parse(files: Mapping[str, bytes], options: Options) -> Parsed:
    """``InvalidInput`` with ``file:line``."""
    reader = _Reader(options)
    for name in (name for name in files if fnmatchcase(name.lower(), READS[0])):
        reader.read(name, files[name])
    if not reader.files:
        raise refuse("", "There is no XML file among these files.")
    return Parsed(reader.dataset(), reader.ledger.losses)


def write(dataset: Dataset, options: Options) -> Written:
    return cvat_writing.write(dataset, options)


class _Reader:
    def __init__(self, options: Options) -> None:
        self.ledger = Ledger()
        self.files: dict[str, Any] = {}
        self._known = Known(options.sizes, options.same)
        self._classes: dict[str, ClassDef] = {}
        self._types: dict[str, Types] = {}
        self._pictures: dict[str, Picture] = {}

    def dataset(self) -> Dataset:
        found = tuple(self._classes.values()), tuple(self._pictures.values())
        return Dataset(*found, extra({"files": self.files}, {}), NAME)

    def read(self, name: str, data: bytes) -> None:
        root = read_xml(data, name, self.ledger)
        if root.tag != "annotations":
            raise refuse(f"{name}:{root.line}", "A CVAT file begins with <annotations>.")
        left: list[list[object]] = []
        labels = self._read_labels(cvat_writing.labels_of(root.child("meta")), name)
        for at, child in enumerate(root.children):
            if child.tag == "image":
                self._read_image(child, at, name)
            else:
                left.append([at, node(child)])
            if child.tag not in {"image", "version", "meta"}:
                self.ledger.add(LossCode.RECORDS_KEPT, f"{name}:{child.line}")
        tail = data[data.rfind(b">") + 1 :].decode("ascii", "replace")
        self.files[name] = {
            ASIDE: left,
            "labels": labels,
            "attributes": root.attributes,
            "tail": tail if not tail.strip() else "",
        }

    def _read_labels(self, labels: Element | None, name: str) -> list[list[object]]:
        """Take what are classes out of ``meta``: they come back from the classes. The rest,
        with positions, is returned."""
        found = labels.children if labels else []
        reading.check_classes(len(found), name)
        left = [
            [at, node(label)]
            for at, label in enumerate(found)
            if not (is_class(label) and self._read_class(label, at, name))
        ]
        found.clear()
        return left

    def _read_class(self, label: Element, at: int, name: str) -> bool:
        found = class_of(label, name, self.ledger)
        if found.name in self._classes:
            self.ledger.add(LossCode.TWIN_CLASSES, f"{name}:{label.line}")
            return False
        self._types[found.name] = types_of(found)
        was = extra({"label": node(label)}, {"at": at, "file": name})
        self._classes[found.name] = replace(found, extra=was)
        return True

    def _read_image(self, found: Element, at: int, name: str) -> None:
        place = f"{name}:{found.line}"
        told = found.attributes
        path = clean_path(told.get("name"), place, self.ledger)
        if path in self._pictures:
            raise refuse(place, "Another image of this data set has this name.")
        size = cvat_writing.size_of(told, place)
        real = self._known.size(path, place, self.ledger)
        reading.note_size(size, real, place, self.ledger)
        size = size or real
        left: list[list[object]] = []
        items = tuple(self._items(found, name, size, left))
        reading.check_count(len(items), place)
        width, height = size or (None, None)
        split = cvat_writing.split_word(told.get("subset", ""))
        picture = Picture(
            path, width, height, items, split=split, foreign_id=cvat_writing.id_of(told)
        )
        was = kept(dict(told), cvat_writing.image(picture, 0), cvat_writing.IMAGE)
        fields = {"members": fields_of(was), ASIDE: left}
        form: Record = {**form_of(was), "at": at, "file": name}
        fields = {part: value for part, value in fields.items() if value}
        self._pictures[path] = replace(picture, extra=extra(fields, form))

    def _items(
        self, image: Element, name: str, size: Size | None, left: list[list[object]]
    ) -> Iterator[Item]:
        for at, each in enumerate(image.children):
            types = self._types.get(each.attributes.get("label", "").strip(), {})
            item = read_item(each, at, name, types, self.ledger)
            if item is None:
                left.append([at, node(each)])
                continue
            reading.note_outside(item.shape, size, f"{name}:{each.line}", self.ledger)
            without = ClassDef(item.label, extra=extra({}, {"file": name}))
            self._classes.setdefault(item.label, without)
            yield item
