"""CSV files made of a data set; rows that were read come back as they were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from app.errors import InvalidInput
from app.formats import csv_layout as columns
from app.formats import leaving_out
from app.formats.csv_layout import OWN, Layout, layout_of
from app.formats.csv_text import Dialect, guarded, runs, write_row
from app.formats.dataset import (
    Dataset,
    Extra,
    Files,
    Item,
    Picture,
    Written,
    form_of,
    own,
    position,
    written,
)
from app.formats.json_text import same
from app.formats.losses import Ledger, LossCode
from app.formats.picture_names import base_name, clean_path, distinct
from app.formats.splits import split_of
from app.formats.texts import even_gaps, joined

NAME: Final = "csv"
_OWN_FILE: Final = "annotations.csv"
_SHAPE: Final = ("type", *columns.SIDES, *columns.ENDS, "angle", "points")

Page = tuple[Picture, str]
"""A picture and the ``file_name`` that it gets."""


def write(dataset: Dataset) -> Written:
    """``annotations.csv``, or the files that were read."""
    ledger = Ledger()
    mine = own(dataset, NAME, ledger)
    leaving_out.note_class_details(mine.classes, ledger)
    leaving_out.note_unused(mine, ledger)
    layouts = _layouts(mine)
    files = [_file_of(picture, layouts) for picture in mine.pictures]
    names, places = _names(mine.pictures, files, ledger)
    pages: dict[str, list[Page]] = {path: [] for path in layouts}
    for path, picture, name in zip(files, mine.pictures, names, strict=True):
        pages.setdefault(path, []).append((picture, name))
    if not pages:
        pages[_OWN_FILE] = []
    gaps = _gaps(mine)
    return written(
        lambda to: _files(pages, layouts, gaps, to), ledger, tuple(places), tuple(names)
    )


def layout_form(layout: Layout, gaps: Sequence[str]) -> dict[str, object]:
    """What `_layouts` reads again; ``gaps`` between the rows where they are not even."""
    told = layout.dialect
    even = even_gaps(len(gaps) - 1, told.newline, ends=told.ends)
    style = [told.delimiter, told.newline, told.is_quoted, told.has_mark, told.ends]
    form: dict[str, object] = {"names": list(layout.names), "style": style}
    return form if list(gaps) == even else form | {"gaps": list(gaps)}


def _layouts(dataset: Dataset) -> dict[str, Layout]:
    forms: Any = form_of(dataset.extra).get("files")
    return {
        path: layout_of(form["names"], Dialect(*form["style"]), path)
        for path, form in (forms if isinstance(forms, dict) else {}).items()
    }


def _gaps(dataset: Dataset) -> dict[str, object]:
    forms: Any = form_of(dataset.extra).get("files")
    told = forms if isinstance(forms, dict) else {}
    return {path: form.get("gaps") for path, form in told.items()}


def _file_of(picture: Picture, layouts: Mapping[str, Layout]) -> str:
    """The one it was read from, while that can tell its split."""
    was = form_of(picture.extra).get("file")
    if not isinstance(was, str) or was not in layouts:
        return _OWN_FILE
    can_tell = "split" in layouts[was] or split_of(was) == picture.split
    return was if can_tell else _OWN_FILE


def _names(
    pictures: Sequence[Picture], files: Sequence[str], ledger: Ledger
) -> tuple[list[str], list[str]]:
    """What each picture is called in its file, and where it belongs itself."""
    told = [_told(picture) for picture in pictures]
    folders = [_folder(path) for path in files]
    wanted = [folder + name for folder, name in zip(folders, told, strict=True)]
    places = distinct(wanted, ledger)
    rows = zip(places, folders, strict=True)
    return [place.removeprefix(folder) for place, folder in rows], places


def _told(picture: Picture) -> str:
    """With the folders of the file, as long as the name is the same."""
    was = str(form_of(picture.extra).get("name", ""))
    return was if base_name(was) == base_name(picture.file_name) else picture.file_name


def _folder(path: str) -> str:
    folder = str(PurePosixPath(path).parent)
    return "images/" if folder == "." else f"{folder}/"


def _files(
    pages: Mapping[str, Sequence[Page]],
    layouts: Mapping[str, Layout],
    gaps: Mapping[str, object],
    ledger: Ledger,
) -> Files:
    for path, mine in pages.items():
        layout = layouts.get(path, OWN)
        found = [row for page in mine for row in _rows(page, layout, ledger)]
        found.sort(key=lambda row: row[0])
        head = write_row(_cells(layout.names, {}, set(), layout, ledger), layout.dialect)
        end = layout.dialect.newline
        rows = [head, *(write_row(cells, layout.dialect) for _, cells in found)]
        text = joined([row.removesuffix(end) for row in rows], gaps.get(path))
        if text is None:
            text = "".join(rows) if layout.dialect.ends else "".join(rows).removesuffix(end)
        yield path, text.encode("utf-8-sig" if layout.dialect.has_mark else "utf-8")


def _rows(page: Page, layout: Layout, ledger: Ledger) -> Iterator[tuple[float, Sequence[str]]]:
    """Of each item; of the picture itself where it has none."""
    picture, name = page
    silent = {None, "new"}
    if "state" not in layout and picture.state not in silent:
        ledger.add(LossCode.STATE)
    facts = columns.picture_cells(picture) | {"file_name": name}
    for item in picture.items:
        cells = _item_row(item, facts, layout, ledger)
        if cells is not None:
            yield position(item.extra), cells
    if not picture.items and ("type" in layout or "cells" in form_of(picture.extra)):
        kept = _kept(picture.extra, layout)
        roles = {r for r in columns.OF_PICTURE if not _says(r, kept, facts, layout)}
        blank = dict.fromkeys((*columns.COLUMNS, *columns.ENDS), "") | facts
        yield position(picture.extra), _cells(kept, blank, roles, layout, ledger)


def _item_row(
    item: Item, facts: Mapping[str, str], layout: Layout, ledger: Ledger
) -> Sequence[str] | None:
    kept = _kept(item.extra, layout)
    before = _before(kept, layout)
    codes = Ledger()
    made = columns.item_cells(item, layout, codes)
    roles = {role for role in columns.OF_PICTURE if not _says(role, kept, facts, layout)}
    if before is None or before.label != item.label:
        roles.add("label")
    if before is None or before.shape != item.shape:
        roles |= set(_SHAPE)
    if before is None or not same(before.attributes, item.attributes):
        roles.add("attributes")
    if roles & {"attributes", *_SHAPE}:
        ledger.take(codes)
    if made is None and before is None:
        return None
    return _cells(kept, {**(made or {}), **facts}, roles, layout, ledger)


def _kept(was: Extra, layout: Layout) -> Sequence[str] | None:
    cells = form_of(was).get("cells")
    fits = isinstance(cells, list) and len(cells) == len(layout.names)
    return list(map(str, cells)) if fits and isinstance(cells, list) else None


def _before(kept: Sequence[str] | None, layout: Layout) -> Item | None:
    """What the row said when it was read."""
    if kept is None:
        return None
    try:
        return columns.read_item(layout.meaning(kept), layout, "", Ledger())
    except InvalidInput:
        return None


def _says(
    role: str, kept: Sequence[str] | None, facts: Mapping[str, str], layout: Layout
) -> bool:
    """Whether a cell still says this of the picture; nothing, and one side alone, say less
    than a size."""
    if kept is None:
        return False
    meant = layout.meaning(kept)
    was = meant.get(role, "").strip()
    if role == "file_name":
        return clean_path(was, "", Ledger()) == facts[role]
    sides = {"width", "height"}
    silent = role in sides and not all(meant.get(side, "").strip(" 0") for side in sides)
    return silent or was.lstrip("+0") == facts[role] or was == facts[role]


def _cells(
    kept: Sequence[str] | None,
    made: Mapping[str, str],
    roles: set[str],
    layout: Layout,
    ledger: Ledger,
) -> Sequence[str]:
    """The cells as they were but for some roles; what would run is guarded, and told."""
    was = kept or [""] * len(layout.names)
    result = []
    for role, cell in zip(layout.roles, was, strict=True):
        is_new = bool(role) and (role in roles or kept is None)
        text = made.get(role, "") if is_new else cell
        if runs(text) and (is_new or not text.startswith("'")):
            ledger.add(LossCode.CELLS_GUARDED)
            text = guarded(text)
        result.append(text)
    return result
