"""Why a picture was refused: the decoder sends a reason and numbers, never text.

The child's output is not trusted, so the sentences are built on this side of the pipe.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from app.errors import UndecodableMedia

Reason = Literal[
    "pixels", "side", "frames", "text", "file", "cut", "damaged", "memory", "time", "crash"
]

_SENTENCES: dict[str, str] = {
    "pixels": "The picture has {found} megapixels, the limit is {limit}.",
    "side": "The longest side has {found} pixels, the limit is {limit}.",
    "frames": "The file holds {found} frames or pages, the limit is {limit}.",
    "text": "Text, profiles and metadata in the file exceed the limit of {limit} bytes.",
    "file": "The file has {found} bytes, too many to decode: the limit is {limit}.",
    "cut": "The file is cut short: the end of the picture is missing.",
    "damaged": "The file is damaged, or of a variety that cannot be read.",
    "memory": "The picture took too much memory to decode.",
    "time": "The picture took too long to decode.",
    "crash": "The decoder gave up on this file: it is damaged, or made to do harm.",
}


class Refusal(Exception):
    """Raised within the decoder. ``found`` and ``limit`` are counts in the reason's unit."""

    def __init__(self, reason: Reason, *, found: int = 0, limit: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.found = found
        self.limit = limit


def undecodable(reason: str, facts: Mapping[str, object] | None = None) -> UndecodableMedia:
    """The error for the caller; an unknown reason counts as a crash."""
    known = reason if reason in _SENTENCES else "crash"
    given = facts or {}
    found, limit = (_count(given.get(name)) for name in ("found", "limit"))
    if known == "pixels":
        message = _SENTENCES[known].format(found=_megapixels(found), limit=_megapixels(limit))
    else:
        message = _SENTENCES[known].format(found=found, limit=limit)
    return UndecodableMedia(message, operation="media.decode", details={"reason": known})


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1 << 64 else 0


def _megapixels(pixels: int) -> str:
    """Rounded up, so that what is over a limit never looks equal to it."""
    if pixels >= 1_000_000_000:
        return str(math.ceil(pixels / 1_000_000))
    return f"{math.ceil(pixels / 100_000) / 10:g}"
