"""Pascal VOC: one XML file a picture, as the VOC, labelImg, CVAT and Roboflow write it.

Whether pixels count from 0 or from 1 is found out from all files together: a box that begins
at 0, or within a pixel, counts from 0; so does labelImg ("Unknown" as database, and a path);
the VOC's own files count from 1, and so does what reaches the picture's last column but no 0.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Final

from app.domain.names import refuse
from app.domain.states import AnnotationState
from app.formats import reading
from app.formats.dataset import (
    ClassDef,
    Dataset,
    Options,
    Parsed,
    Picture,
    Size,
    Written,
    extra,
    fields_of,
    form_of,
)
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import Known, base_name, clean_path, split_suffix
from app.formats.splits import split_of
from app.formats.texts import decimal, read_text
from app.formats.voc_objects import Sheet, corners, read_object
from app.formats.voc_sheets import sheet_tree, style_of
from app.formats.voc_writing import NAME, stems_of
from app.formats.voc_writing import write as _write
from app.formats.xml_text import Element, read_xml

WORDS: Final = "Pascal VOC"
READS: Final = ("*.xml", "*imagesets/main/train.txt", "*imagesets/main/val.txt",
                "*imagesets/main/test.txt")  # fmt: skip
_SPLIT_LIST: Final = re.compile(r"(?:^|/)imagesets/main/(train|val|test)\.txt$")
_STANDARD: Final = re.compile(r"The VOC ?\d{4}|PASCAL VOC ?\d{4}", re.IGNORECASE)

__all__ = ["NAME", "READS", "WORDS", "parse", "write"]

Roots = Mapping[str, Element]


def parse(files: Mapping[str, bytes], options: Options) -> Parsed:
    """``InvalidInput`` with ``file:line``."""
    ledger = Ledger()
    roots = {p: _root(files[p], p, ledger) for p in sorted(files) if p.lower().endswith(".xml")}
    if not roots:
        raise refuse("", "There is no XML file among these files.")
    origin = _origin(roots, ledger) if options.origin is None else options.origin
    lists = {p: read_text(files[p], p) for p in sorted(files) if _SPLIT_LIST.search(p.lower())}
    parts = _parts(lists)
    named = _named(roots, Known(options.sizes, options.same), ledger)
    pictures = tuple(
        _picture(roots[path], Sheet(path, origin, size), name, parts, ledger)
        for path, name, size in named
    )
    styled = tuple(_with_style(picture, files) for picture in pictures)
    labels = dict.fromkeys(item.label for picture in pictures for item in picture.items)
    form: dict[str, object] = {"origin": origin, "lists": lists}
    classes = tuple(map(ClassDef, labels))
    return Parsed(Dataset(classes, styled, extra({}, form), NAME), ledger.losses)


def _picture(
    root: Element, sheet: Sheet, name: str, parts: Mapping[str, str], ledger: Ledger
) -> Picture:
    """``sheet.size`` is that of the picture itself, where it is there."""
    path = sheet.file
    told = _size(root, path)
    reading.note_size(told, sheet.size, path, ledger)
    real = replace(sheet, size=sheet.size or told)
    found = [read_object(o, real, ledger) for o in root.children if o.tag == "object"]
    reading.check_count(len(found), path)
    split = parts.get(split_suffix(base_name(path))[0])
    form = {"file": path, "name": base_name(name)}
    if root.child("filename") is not None:
        form["filename"] = root.text_of("filename")
    width, height = told or real.size or (None, None)
    return Picture(
        name,
        width,
        height,
        tuple(item for item in found if item is not None),
        None if found else AnnotationState.DONE,
        split or split_of(str(PurePosixPath(path).parent)),
        extra({"document": sheet_tree(root)}, form),
    )


def _parts(lists: Mapping[str, str]) -> dict[str, str]:
    """The split of each name in the lists of ``ImageSets``; a 1 or -1 may stand behind."""
    parts: dict[str, str] = {}
    for path, text in lists.items():
        found = _SPLIT_LIST.search(path.lower())
        for name in stems_of(text) if found else ():
            parts[name] = found.group(1) if found else ""
            parts.setdefault(re.sub(r"\s+-?[01]$", "", name), parts[name])
    return parts


def _with_style(picture: Picture, files: Mapping[str, bytes]) -> Picture:
    """The text is looked at for its layout alone: it was read already."""
    form = form_of(picture.extra)
    text = files[str(form["file"])].decode("utf-8", "replace").removeprefix("\ufeff")
    told = {**form, "style": style_of(text)}
    return replace(picture, extra=extra(fields_of(picture.extra), told))


def write(dataset: Dataset, options: Options) -> Written:
    """Of classes, pictures and items whatever VOC holds."""
    return _write(dataset, options)


def _root(data: bytes, path: str, ledger: Ledger) -> Element:
    root = read_xml(data, path, ledger)
    if root.tag != "annotation":
        raise refuse(f"{path}:{root.line}", "A file of VOC is an annotation element.")
    return root


def _origin(roots: Roots, ledger: Ledger) -> int:
    """0 or 1, by what speaks for it; told where nothing does."""
    notes = set(_sources(roots, "annotation"))
    if "pixels from 0" in notes or "pixels from 1" in notes:
        return 0 if "pixels from 0" in notes else 1
    sides = list(_all_sides(roots))
    if any(_is_from_zero(found) for found, _ in sides):
        return 0
    if any(map(_STANDARD.search, _sources(roots, "database"))):
        return 1
    if any(map(_is_of_labelimg, roots.values())):
        return 0
    if not any(size and _reaches(found, size) for found, size in sides):
        ledger.add(LossCode.ORIGIN_GUESSED, next(iter(roots)))
    return 1


def _all_sides(roots: Roots) -> Iterator[tuple[Mapping[str, Decimal], Size | None]]:
    for path, root in roots.items():
        size = _size(root, path)
        for found in root.children:
            if found.tag == "object" and found.child("bndbox") is not None:
                yield dict(corners(found, Sheet(path, 0, None))), size


def _is_from_zero(sides: Mapping[str, Decimal]) -> bool:
    """It begins before 1, or is not made of whole pixels."""
    begins = min(sides["xmin"], sides["ymin"])
    return begins < 1 or any(side != side.to_integral_value() for side in sides.values())


def _reaches(sides: Mapping[str, Decimal], size: Size) -> bool:
    return sides["xmax"] == size[0] or sides["ymax"] == size[1]


def _is_of_labelimg(root: Element) -> bool:
    return root.child("path") is not None and "Unknown" in _sources({"": root}, "database")


def _sources(roots: Roots, tag: str) -> Iterator[str]:
    for root in roots.values():
        source = root.child("source")
        if source is not None:
            yield source.text_of(tag).strip()


def _named(
    roots: Roots, known: Known, ledger: Ledger
) -> Iterable[tuple[str, str, Size | None]]:
    """File, picture and its size. The name in the file counts unless another file gives the
    same, or no picture has it while one is called as the file is."""
    told = {path: _told_name(root, path, ledger) for path, root in roots.items()}
    often = Counter(told.values())
    stems = {split_suffix(path)[0]: path for path in known.sizes}
    marks = {stem: known.same.get(path, path) for stem, path in stems.items()}
    beside = Known(dict.fromkeys(stems, (0, 0)), marks)
    for path, name in told.items():
        if name and often[name] > 1:
            ledger.add(LossCode.DUPLICATE_NAMES, path)
        own = name if often[name] == 1 else ""
        found = known.find(own, path, ledger) if own else None
        if found is None:
            match = beside.find(split_suffix(path)[0], path, Ledger())
            found = None if match is None else stems[match]
        name_now = found or own or split_suffix(base_name(path))[0]
        yield path, name_now, known.sizes[found] if found else None


def _told_name(root: Element, path: str, ledger: Ledger) -> str:
    """With its folder, which tells pictures of the same name apart."""
    name = root.text_of("filename").strip()
    if not name:
        return ""
    return clean_path(name, f"{path}:{root.line}", ledger)


def _size(root: Element, path: str) -> Size | None:
    """None where a side is missing or 0."""
    size = root.child("size")
    if size is None:
        return None
    sides = []
    for tag in ("width", "height"):
        found = size.child(tag)
        place = f"{path}:{found.line if found else size.line}"
        sides.append(int(decimal(found.text, place)) if found and found.text.strip() else 0)
    width, height = sides
    return (width, height) if width > 0 and height > 0 else None
