"""CVAT documents made of a data set; what was read comes back as it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, Final

from app.domain.attribute_types import AttributeKind
from app.domain.names import refuse
from app.formats.cvat_labels import (
    Types,
    inferred,
    label_element,
    note_lost,
    restored_label,
    types_of,
)
from app.formats.cvat_shapes import inner_of, item_element
from app.formats.dataset import (
    FIELDS,
    FORM,
    ClassDef,
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
from app.formats.json_text import Record, restored
from app.formats.leaving_out import note_class_details, note_states
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import clean_path, distinct
from app.formats.positions import ASIDE, aside, in_place, position
from app.formats.splits import split_of
from app.formats.texts import whole
from app.formats.xml_text import DECLARATION, Element, element, lines_of, node, opening

NAME: Final = "cvat"
FILE: Final = "annotations.xml"
FOLDER: Final = "images/"
IMAGE: Final = frozenset({"id", "name", "subset", "width", "height"})


def write(dataset: Dataset, options: Options) -> Written:
    """``annotations.xml``, or the documents that were read."""
    ledger = Ledger()
    mine = own(dataset, NAME, ledger)
    note_states(mine.pictures, ledger)
    note_class_details(mine.classes, ledger, colours=True, definitions=True)
    for known in mine.classes:
        note_lost(types_of(known).values(), ledger)
    names = distinct([picture.file_name for picture in mine.pictures], ledger)
    pictures = [
        _sized(replace(picture, file_name=name), options)
        for picture, name in zip(mine.pictures, names, strict=True)
    ]
    kept = fields_of(mine.extra).get("files")
    files: dict[str, Any] = kept if isinstance(kept, dict) and kept else {FILE: {}}

    def render(ledger: Ledger) -> Files:
        types = dict(_types(mine))
        for path, was in files.items():
            rest = [p for p in pictures if _file_of(p.extra, files) == path]
            document = _Document(path, was, mine.classes, types, ledger)
            yield path, document.text(rest, is_first=path == next(iter(files))).encode()

    places = (n if n.startswith(FOLDER) else FOLDER + n for n in names)
    return written(render, ledger, tuple(places), tuple(names))


def image(picture: Picture, id_: int | str) -> Record:
    """The attributes of an ``image`` of our own."""
    told: Record = {"id": str(id_), "name": picture.file_name}
    if picture.split:
        told["subset"] = picture.split
    if picture.width and picture.height:
        told |= {"width": str(picture.width), "height": str(picture.height)}
    return told


def split_word(subset: str) -> str | None:
    return split_of(subset) or (subset if subset not in {"", "default"} else None)


def id_of(told: Mapping[str, str]) -> int | str | None:
    text = told.get("id")
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 16 else text


def size_of(told: Mapping[str, str], place: str) -> Size | None:
    """None where a side is missing; ``InvalidInput`` for what is no size."""
    if not told.get("width") or not told.get("height"):
        return None
    width, height = whole(told["width"], place), whole(told["height"], place)
    if not (0 < width < 2**31 and 0 < height < 2**31):
        raise refuse(place, "A picture has a width and a height above 0.")
    return width, height


def labels_of(meta: Element | None) -> Element | None:
    """``labels`` of the task, job or project."""
    parts = meta.children if meta else ()
    return next((found for part in parts if (found := part.child("labels"))), None)


class _Document:
    """One file: ``was`` is what was kept of it, {} for a new one."""

    def __init__(
        self,
        path: str,
        was: Mapping[str, Any],
        classes: Sequence[ClassDef],
        types: Mapping[str, Types],
        ledger: Ledger,
    ) -> None:
        self._path, self._was, self._types, self._ledger = path, was, types, ledger
        self._classes = classes

    def text(self, pictures: Sequence[Picture], *, is_first: bool) -> str:
        labels = self._labels(is_first)
        heads = self._was.get(ASIDE) or _heads(len(pictures))
        head = [(at, self._lines(element(found), labels)) for at, found in heads]
        ids = _ids((picture.foreign_id for picture in pictures), self._ledger)
        images = [
            [(position(picture.extra), self._image(picture, id_))]
            for picture, id_ in zip(pictures, ids, strict=True)
        ]
        root = opening("annotations", self._was.get("attributes", {}), self._ledger)
        lines = [line for part in in_place(images, head) for line in part]
        text = "\n".join([root, *lines, "</annotations>"])
        return DECLARATION + text + str(self._was.get("tail", "\n"))

    def _labels(self, is_first: bool) -> list[Element]:
        own = [
            [(position(known.extra), found)]
            for known in self._classes
            if (found := self._label(known, is_first)) is not None
        ]
        kept = aside({FIELDS: {ASIDE: self._was.get("labels", [])}})
        return in_place(own, ((at, element(found)) for at, found in kept))

    def _label(self, known: ClassDef, is_first: bool) -> Element | None:
        """None for a class of another file, and for one that the file did not define."""
        types = self._types[known.name]
        if not known.extra:
            return label_element(known, types) if is_first else None
        was = fields_of(known.extra).get("label")
        if was is None or form_of(known.extra).get("file") != self._path:
            return None
        return restored_label(element(was), known, types, self._ledger)

    def _lines(self, found: Element, labels: list[Element]) -> Sequence[str]:
        place = labels_of(found) if found.tag == "meta" else None
        if place is not None and labels:
            place.children, place.text = labels, ""
        return lines_of(found, 1, self._ledger)

    def _image(self, picture: Picture, id_: int | str) -> list[str]:
        was = {
            FIELDS: fields_of(picture.extra).get("members", {}),
            FORM: form_of(picture.extra),
        }
        size, path = (picture.width, picture.height), picture.file_name
        checks = (
            (("id",), lambda r: id_of(r) == id_),
            (("name",), lambda r: clean_path(r["name"], "", Ledger()) == path),
            (("subset",), lambda r: split_word(r.get("subset", "")) == picture.split),
            (("width", "height"), lambda r: size_of(r, "") in {None, size}),
        )
        told = restored(image(picture, id_), was, checks)
        items = [
            [(position(i.extra), item_element(i, self._types.get(i.label, {}), self._ledger))]
            for i in picture.items
        ]
        kept = ((at, element(found)) for at, found in aside(picture.extra))
        return self._block(Element("image", told, children=in_place(items, kept)), 1)

    def _block(self, found: Element, depth: int) -> list[str]:
        """As CVAT writes it: the end on a line of its own, even where nothing is inside."""
        indent = "  " * depth
        lines = [indent + opening(found.tag, found.attributes, self._ledger)]
        for child in found.children:
            if child.children or (not child.text.strip() and depth == 1):
                lines += self._block(child, depth + 1)
            else:
                lines += lines_of(child, depth + 1, self._ledger)
        return [*lines, f"{indent}</{found.tag}>"]


def _types(dataset: Dataset) -> Iterator[tuple[str, Types]]:
    """The typed attributes of each class: what it defines, and what its values show. A file
    that was read gets definitions only where text would not do."""
    items = [item for picture in dataset.pictures for item in picture.items]
    used: dict[str, list[Mapping[str, Any]]] = {}
    for item in items:
        used.setdefault(item.label, []).append(inner_of(item))
    for known in dataset.classes:
        defined = types_of(known)
        more = inferred(defined, used.get(known.name, ()))
        if known.extra:
            has_label = "label" in fields_of(known.extra)
            is_text = AttributeKind.TEXT
            more = {n: t for n, t in more.items() if has_label and t.kind is not is_text}
        yield known.name, {**defined, **more}


def _heads(pictures: int) -> list[tuple[int, list[object]]]:
    """``version`` and ``meta`` of a new document."""
    told = {"size": str(pictures), "mode": "annotation"}
    task = [Element(name, {}, 0, text) for name, text in told.items()]
    labels = Element("labels", {}, 0, "")
    meta = Element("meta", {}, children=[Element("task", {}, children=[*task, labels])])
    return [(-1, node(Element("version", {}, 0, "1.1"))), (-1, node(meta))]


def _ids(wanted: Iterable[int | str | None], ledger: Ledger) -> list[int | str]:
    """Each once; new ones get the least numbers that are free."""
    told = list(wanted)
    taken = set(told)
    free = (n for n in count() if n not in taken)
    seen: set[int | str] = set()
    found: list[int | str] = []
    for each in told:
        if each in seen:
            ledger.add(LossCode.IDS_CHANGED)
        id_ = next(free) if each is None or each in seen else each
        seen.add(id_)
        found.append(id_)
    return found


def _file_of(extra: Mapping[str, object], files: Mapping[str, Any]) -> str:
    told = form_of(extra).get("file")
    return told if isinstance(told, str) and told in files else next(iter(files))


def _sized(picture: Picture, options: Options) -> Picture:
    size = options.sizes.get(picture.file_name)
    if size is None or (picture.width and picture.height):
        return picture
    return replace(picture, width=size[0], height=size[1])
