"""Text of files, and texts of numbers: one way to read them, with places.

A place is ``file``, ``file:line`` or ``file:$.path``. Sums and differences of coordinates are
done on their decimal texts, so that nothing is rounded: 0.1 and 0.2 end at "0.3", and lead
back to 0.1 and 0.2.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from typing import Final

from app.domain.names import refuse

MAX_FILE: Final = 256 * 1024 * 1024
"""Bytes of one file: a document for a whole data set of a million boxes."""

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,4})?", re.ASCII)
_LONGEST: Final = 800  # characters; the longest exact float64 has 767 digits
_EXACT: Final = Context(prec=2000)


def read_text(data: bytes, name: str, *, longest: int = MAX_FILE) -> str:
    """The text of UTF-8, with or without a byte order mark; ``InvalidInput``."""
    if len(data) > longest:
        raise refuse(name, f"This file is longer than {longest >> 20} MiB.")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise refuse(name, "This file is UTF-16. Save it as UTF-8.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = 1 + data.count(b"\n", 0, wrong.start)
        raise refuse(f"{name}:{line}", "This is no UTF-8. Save the file as UTF-8.") from None
    if "\0" in text:
        line = 1 + text.count("\n", 0, text.index("\0"))
        raise refuse(f"{name}:{line}", "A zero byte has no place in a text.")
    return text


def lines(text: str) -> Iterator[tuple[int, str]]:
    """Number, from 1, and text of each line; only LF and CRLF end one."""
    for number, line in enumerate(text.split("\n"), 1):
        yield number, line.removesuffix("\r")


def gaps_of(text: str) -> list[str]:
    """What is before, between and behind the lines that say something: line ends, and lines
    of space alone. One more than there are such lines."""
    gaps, gap, at = [], "", 0
    for _, line in lines(text):
        whole = text[at : at + len(line) + 2]
        end = "\r\n" if whole[len(line) :] == "\r\n" else whole[len(line) : len(line) + 1]
        at += len(line) + len(end)
        if line.strip():
            gaps.append(gap)
            gap = end
        else:
            gap += line + end
    return [*gaps, gap]


def even_gaps(count: int, newline: str, *, ends: bool = True) -> list[str]:
    """Those of so many lines without blank ones between them."""
    return ["", *[newline] * (count - 1), newline if ends else ""] if count else [""]


def joined(rows: Sequence[str], gaps: object) -> str | None:
    """The rows in the gaps of as many; None where they do not fit."""
    if not isinstance(gaps, list) or len(gaps) != len(rows) + 1:
        return None
    return "".join(str(gap) + row for gap, row in zip(gaps, [*rows, ""], strict=True))


def decimal(text: str, place: str) -> Decimal:
    """The number that a text says, exactly; ``InvalidInput`` unless a float64 can hold it."""
    number(text, place)
    return Decimal(text.strip())


def number(text: str, place: str) -> float:
    """The float64 nearest to what a text says; ``InvalidInput``."""
    text = text.strip()
    if len(text) <= _LONGEST and _NUMBER.fullmatch(text):
        found = float(text)
        if math.isfinite(found):
            return found
    raise refuse(place, "This must be a finite number.")


def whole(text: str, place: str) -> int:
    """A whole number of at most 18 digits; ``InvalidInput``."""
    if not re.fullmatch(r"\s*[+-]?\d{1,18}\s*", text, re.ASCII):
        raise refuse(place, "This must be a whole number.")
    return int(text)


def minus(number: Decimal, by: int) -> Decimal:
    """The exact difference."""
    return _EXACT.subtract(number, Decimal(by))


def remainder(number: Decimal, by: int) -> Decimal:
    """What is left beyond whole times ``by``, exactly, with the sign of the number."""
    return _EXACT.remainder(number, Decimal(by))


def less(first: Decimal, second: Decimal) -> float:
    """The difference, rounded once; infinite beyond the largest float64."""
    return float(_EXACT.subtract(first, second))


def total(*numbers: float) -> str:
    """The sum of what the shortest texts of the numbers say, as a decimal text."""
    result = Decimal(0)
    for each in numbers:
        result = _EXACT.add(result, Decimal(repr(each)))
    return plain(result)


def plain(exact: Decimal) -> str:
    """Without an exponent and without zeros at the end: ``48``, ``0.5``."""
    text = format(exact, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
