"""CSV: one row an annotation, and one for a picture without any.

Columns are in `csv_layout`, cells in `csv_text`. Files of others are read by the names of
their columns (``filename,width,height,class,xmin,ymin,xmax,ymax`` of TensorFlow and Roboflow)
and written with the same columns again. Coordinates are pixels from 0; xmax and ymax are
beyond the last pixel.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Final

from app.domain.names import refuse
from app.formats import csv_layout as columns
from app.formats import reading
from app.formats.csv_layout import Cells, Layout
from app.formats.csv_text import dialect_of, read_rows
from app.formats.csv_writing import NAME, layout_form
from app.formats.csv_writing import write as _write
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
    placed,
)
from app.formats.losses import Ledger
from app.formats.picture_names import Known, clean_path
from app.formats.splits import split_of
from app.formats.texts import read_text

WORDS: Final = "CSV"
READS: Final = ("*.csv", "*.tsv")
CONTRADICTION: Final = "A row without a label says that its picture has no other row: keep one."

__all__ = ["NAME", "READS", "WORDS", "parse", "write"]


def parse(files: Mapping[str, bytes], options: Options) -> Parsed:
    """``InvalidInput`` with ``file:line``."""
    paths = sorted(path for path in files if path.lower().endswith((".csv", ".tsv")))
    if not paths:
        raise refuse("", "There is no CSV file among these files.")
    ledger, known = Ledger(), Known(options.sizes, options.same)
    pictures: list[Picture] = []
    forms: dict[str, object] = {}
    for path in paths:
        file = _read_file(path, files[path], known, ledger)
        forms[path] = layout_form(file.layout, file.gaps)
        pages = file.pages.values()
        pictures += (replace(page.picture, items=tuple(page.items)) for page in pages)
    labels = dict.fromkeys(item.label for picture in pictures for item in picture.items)
    dataset = Dataset(
        tuple(map(ClassDef, labels)), tuple(pictures), extra({}, {"files": forms}), NAME
    )
    return Parsed(dataset, ledger.losses)


def write(dataset: Dataset, options: Options) -> Written:  # noqa: ARG001 - the interface
    """``annotations.csv``, or the files that were read."""
    return _write(dataset)


@dataclass(slots=True)
class _Page:
    """A picture while its rows are read; ``facts`` are its cells in the first of them."""

    picture: Picture
    facts: tuple[str, ...]
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    layout: Layout
    known: Known
    ledger: Ledger
    pages: dict[str, _Page] = field(default_factory=dict)
    gaps: list[str] = field(default_factory=list)


def _read_file(path: str, data: bytes, known: Known, ledger: Ledger) -> _File:
    text = read_text(data, path)
    dialect = dialect_of(text, data.startswith(b"\xef\xbb\xbf"))
    gaps: list[str] = []
    rows = read_rows(text, dialect, path, gaps)
    head = next(rows, (1, ()))
    layout = columns.layout_of(head[1], dialect, f"{path}:1")
    file = _File(path, layout, known, ledger, gaps=gaps)
    for n, (line, cells) in enumerate(rows):
        if len(cells) != len(file.layout.names):
            raise refuse(f"{path}:{line}", "This row has more or fewer cells than the first.")
        _read_row(n, cells, f"{path}:{line}", file)
    return file


def _read_row(n: int, cells: Sequence[str], place: str, file: _File) -> None:
    meant = file.layout.meaning(cells)
    page = _page(meant, place, file)
    was = placed(extra(_more(cells, file.layout), {}), n, cells=list(cells))
    item = columns.read_item(meant, file.layout, place, file.ledger)
    if item is not None:
        reading.note_outside(item.shape, _size(page.picture), place, file.ledger)
        page.items.append(replace(item, extra=was))
        reading.check_count(len(page.items), place)
        if "cells" in form_of(page.picture.extra):
            raise refuse(place, CONTRADICTION)
    elif not meant["label"].strip():
        if page.items or "cells" in form_of(page.picture.extra):
            raise refuse(place, CONTRADICTION)
        form = {**form_of(was), **form_of(page.picture.extra)}
        page.picture = replace(page.picture, extra=extra(fields_of(was), form))


def _page(meant: Cells, place: str, file: _File) -> _Page:
    """That of the row's picture, new with the first of its rows."""
    name = clean_path(meant["file_name"], place, file.ledger)
    facts = tuple(meant.get(role, "").strip() for role in columns.OF_PICTURE[1:])
    page = file.pages.get(name)
    if page is None:
        page = file.pages[name] = _Page(_picture(name, facts, place, file), facts)
    if page.facts != facts:
        raise refuse(place, "An earlier row tells another size, split or state of the picture.")
    return page


def _picture(name: str, facts: Sequence[str], place: str, file: _File) -> Picture:
    width, height, split, state = facts
    beside = (PurePosixPath(file.path).parent / name).as_posix()
    real = file.known.size(beside, place, file.ledger)
    told = columns.read_side(width, place), columns.read_side(height, place)
    size = (told[0], told[1]) if told[0] and told[1] else None
    reading.note_size(size, real, place, file.ledger)
    sides = size or real or (None, None)
    return Picture(
        name,
        sides[0],
        sides[1],
        state=columns.read_state(state, place),
        split=split or (None if "split" in file.layout else split_of(file.path)),
        extra=extra({}, {"file": file.path, "name": name}),
    )


def _more(cells: Sequence[str], layout: Layout) -> dict[str, object]:
    """What other columns say."""
    rows = zip(layout.names, layout.roles, cells, strict=True)
    told = {name: cell for name, role, cell in rows if cell and not role}
    return {"columns": told} if told else {}


def _size(picture: Picture) -> Size | None:
    sides = picture.width, picture.height
    return None if sides[0] is None or sides[1] is None else (sides[0], sides[1])
