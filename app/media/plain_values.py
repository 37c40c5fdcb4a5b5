"""From the values that metadata holds to short JSON values, within one budget a picture."""

from __future__ import annotations

import math
import re
from typing import Any

Plain = str | int | float | list["Plain"]

MAX_TEXT = 1_000
MAX_ITEMS = 16
MAX_INTEGER = 1 << 53
BUDGET = 24_000
"""Characters of JSON that all metadata of a picture may take together."""

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# EXIF 2.32, 4.6.5: the first eight bytes of a user comment name its character code.
_COMMENT_CODES = {b"ASCII\0\0\0": "ascii", b"UNICODE\0": "utf-16", b"\0" * 8: "utf-8"}


class Budget:
    """Counts what was kept; ``spent`` tells that something was left out for its size."""

    def __init__(self, characters: int = BUDGET) -> None:
        self._left = characters
        self.spent = False

    def take(self, name: str, value: Plain) -> bool:
        cost = len(name) + len(str(value)) + 8
        if cost > self._left:
            self.spent = True
            return False
        self._left -= cost
        return True


def plain(value: Any) -> Plain | None:
    """A bounded JSON value, or None for what is empty, binary or not a number."""
    if isinstance(value, (bytes, bytearray)):
        return text_of(bytes(value))
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool | int):
        return int(value) if abs(value) <= MAX_INTEGER else None
    if isinstance(value, (tuple, list)):
        items = [plain(item) for item in value[:MAX_ITEMS]]
        return [item for item in items if item is not None] or None
    return number(value)


def number(value: Any) -> float | None:
    """A finite float of at most 15 digits; None for anything else (a rational n/0 is NaN)."""
    try:
        found = float(f"{float(value):.15g}")  # which may lead beyond the largest one
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def clean(text: str) -> str | None:
    """Without control characters and surrogates, cut to MAX_TEXT; None if nothing is left."""
    return _UNPRINTABLE.sub("", text[: 4 * MAX_TEXT]).strip()[:MAX_TEXT] or None


def text_of(raw: bytes) -> str | None:
    """Bytes that are text; None for binary."""
    start, encoding = raw[: 4 * MAX_TEXT], "utf-8"
    if raw[:8] in _COMMENT_CODES:
        start, encoding = start[8:], _COMMENT_CODES[raw[:8]]
    start = start if encoding == "utf-16" else start.rstrip(b"\0 ")
    text = start.decode(encoding, errors="replace")
    return None if "\ufffd" in text or "\0" in text.rstrip("\0") else clean(text)
