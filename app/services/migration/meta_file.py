"""The ``.meta`` file beside an old sealed picture: its type, and its name where it has one.

The older program is only known to have stored "original file type and MIME type"; how it
wrote them is not. So one JSON object is read, or lines of ``name: value`` or ``name=value``,
or bare values; a member counts by its name without case, hyphens and underscores. What
cannot be read tells nothing: the content decides what a picture is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MAX_META: Final = 64 * 1024

_NAME = frozenset({"originalname", "originalfilename", "filename", "name", "title"})
_ID = frozenset({"fileid", "id", "keyreference", "keyid", "reference"})
_MIME = frozenset({"mimetype", "mime", "contenttype", "type", "originalmimetype"})
_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+", re.ASCII)
_PARTED = re.compile(r"\s*[:=]\s*")


@dataclass(frozen=True, slots=True)
class Meta:
    """What is known; None: it was not told."""

    mime_type: str | None = None
    name: str | None = None
    reference: str | None = None


def read_meta(path: Path | None) -> Meta:
    """Read a ``.meta`` file; raises ``OSError`` where it cannot be read."""
    if path is None:
        return Meta()
    with path.open("rb") as file:
        text = file.read(MAX_META).decode("utf-8", "replace")
    told = _members(text)
    mime = next((told[name].lower() for name in told if name in _MIME), None)
    return Meta(
        mime_type=mime if mime and _TYPE.fullmatch(mime) else None,
        name=next((told[name] for name in told if name in _NAME), None),
        reference=next((told[name] for name in told if name in _ID), None),
    )


def _members(text: str) -> dict[str, str]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None
    if isinstance(document, dict):
        pairs = [(name, value) for name, value in document.items() if isinstance(value, str)]
    else:
        pairs = [_pair(line) for line in text.splitlines() if line.strip()]
    return {re.sub(r"[-_ ]", "", name).lower(): value.strip() for name, value in pairs if value}


def _pair(line: str) -> tuple[str, str]:
    """``name: value``; a bare MIME type is one, any other bare value is nothing."""
    parts = _PARTED.split(line.strip(), maxsplit=1)
    if len(parts) == 2:
        return parts[0], parts[1]
    return ("mimetype", parts[0]) if _TYPE.fullmatch(parts[0].lower()) else ("", "")
