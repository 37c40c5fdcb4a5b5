"""CSV by RFC 4180, with the delimiters of spreadsheets, and cells that run no formula.

A spreadsheet runs a cell that begins with = + - @, wide or not, or a tab or a line end. Such
a text, unless it is a number, is written with an apostrophe before it; one that already begins
with apostrophes before such a character gets one more. Reading takes one off in the same
cases, so every text comes back as it was, and a text like ``'tis`` is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.names import refuse

DELIMITERS: Final = (",", ";", "\t")
_RUNS: Final = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_GUARDED: Final = re.compile(r"'+[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_CELL: Final = {
    delimiter: re.compile(
        rf'("[^"]*(?:""[^"]*)*"|[^"{delimiter}\r\n]*)({delimiter}|\r\n|\n|\Z)'
    )
    for delimiter in DELIMITERS
}

Row = tuple[int, tuple[str, ...]]
"""The number of the line at which it begins, and its cells."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """``is_quoted``: every cell is in quotes; ``ends``: so does the last line."""

    delimiter: str = ","
    newline: str = "\r\n"
    is_quoted: bool = False
    has_mark: bool = False
    ends: bool = True


def dialect_of(text: str, has_mark: bool) -> Dialect:
    """By the first line: the delimiter that is there most often."""
    head = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=head.count)
    newline = "\r\n" if head.endswith("\r") else "\n"
    ends = text.endswith("\n")
    return Dialect(delimiter, newline, head.startswith('"'), has_mark, ends)


def read_rows(
    text: str, dialect: Dialect, name: str, gaps: list[str] | None = None
) -> Iterator[Row]:
    """Rows that are not empty; ``InvalidInput`` where a quote stands alone. ``gaps`` gets what
    is before, between and behind them."""
    pattern = _CELL[dialect.delimiter]
    at, line, first = 0, 1, 1
    cells: list[str] = []
    gap = ""
    while at < len(text) or cells:
        found = pattern.match(text, at)
        if found is None:
            raise refuse(f"{name}:{line}", "A quote in a cell is written twice, in quotes.")
        raw, end = found.groups()
        line += raw.count("\n")
        cells.append(raw[1:-1].replace('""', '"') if raw.startswith('"') else raw)
        at = found.end()
        if end != dialect.delimiter:
            if cells == [""]:
                gap += raw + end
            else:
                if gaps is not None:
                    gaps.append(gap)
                yield first, tuple(cells)
                gap = end
            line += end.count("\n")
            cells, first = [], line
    if gaps is not None:
        gaps.append(gap)


def write_row(cells: Sequence[str], dialect: Dialect) -> str:
    """One line; what needs quotes gets them."""
    return dialect.delimiter.join(_quoted(cell, dialect) for cell in cells) + dialect.newline


def runs(text: str) -> bool:
    """Whether a spreadsheet would run it, or it must be told from a guarded one."""
    return _RUNS.match(text) is not None and not _NUMBER.fullmatch(text)


def guarded(text: str) -> str:
    return f"'{text}" if runs(text) else text


def unguarded(cell: str) -> str:
    return cell[1:] if _GUARDED.match(cell) else cell


def _quoted(cell: str, dialect: Dialect) -> str:
    needs = dialect.is_quoted or any(c in cell for c in ('"', "\r", "\n", dialect.delimiter))
    return '"' + cell.replace('"', '""') + '"' if needs else cell
