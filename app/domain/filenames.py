"""The name that a person's file had, made harmless; it is sealed and never becomes a path."""

from __future__ import annotations

import re
from typing import Final

from app.domain.text_rules import is_forbidden, to_nfc

MAX_FILENAME: Final = 255
UNNAMED: Final = "unnamed"

_SLASHES = re.compile(r"[/\\]")


def clean_filename(raw: str | None) -> str:
    """The last part of an uploaded path, both kinds of slash parting it.

    Control characters, lone surrogates and direction marks are dropped, spaces and dots at
    the ends too; the rest is NFC and at most 255 characters, of which the extension is kept.
    ``unnamed`` when nothing remains. Never refuses: a picture is not lost for its name.
    """
    last = _SLASHES.split(raw or "")[-1]
    kept = "".join(character for character in last if not is_forbidden(character))
    name = to_nfc(kept).strip().strip(".").strip()
    return _shorten(name) or UNNAMED


def _shorten(name: str) -> str:
    if len(name) <= MAX_FILENAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 16:
        return name[:MAX_FILENAME]
    return stem[: MAX_FILENAME - len(extension) - 1] + dot + extension
