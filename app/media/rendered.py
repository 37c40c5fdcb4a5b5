"""What comes back for a picture, and the check of everything that the child says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.media.formats import FileType, format_of
from app.media.framing import PLACEHOLDER
from app.media.limits import DecodeLimits

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_SLACK_BYTES = 64 * 1024
_MAX_PLACEHOLDER_BYTES = 4 * 1024


@dataclass(frozen=True, slots=True)
class Rendered:
    """A decoded picture. What a person could read or see is left out of the repr.

    ``width`` and ``height`` (pixels) are of the original when upright. ``frames`` counts the
    frames of an animation or pages, else 1. ``taken_at`` is RFC 3339 without a zone.
    ``metadata`` is plain JSON (see ``metadata.metadata_of``) and ``orientation``.
    ``derivatives`` maps a size to a JPEG, or a WebP where there is transparency;
    ``placeholder`` is a WebP of at most 16 pixels.
    """

    mime_type: str
    extension: str
    width: int
    height: int
    frames: int
    taken_at: str | None = field(repr=False)
    metadata: dict[str, Any] = field(repr=False)
    derivatives: dict[int, bytes] = field(repr=False)
    placeholder: bytes = field(repr=False)


def check_answer(
    header: Mapping[str, Any],
    read_part: Callable[[int], bytes],
    file_type: FileType,
    sizes: Sequence[int],
    limits: DecodeLimits,
) -> Rendered:
    """Build the result from an answer that may come from a decoder taken over by a file.

    Raises ValueError for a type, size or range that no honest decoder sends.
    """
    width, height = (_count(header.get(name), limits.max_side) for name in ("width", "height"))
    if width * height > limits.max_pixels:
        raise ValueError("more pixels than allowed")
    frames = _count(header.get("frames"), limits.max_frames)
    parts = _parts(header.get("parts"), read_part, sizes)
    return Rendered(
        mime_type=file_type.mime_type,
        extension=file_type.extension,
        width=width,
        height=height,
        frames=frames if format_of(file_type.mime_type).animated else 1,
        taken_at=_moment(header.get("taken_at")),
        metadata=_object(header.get("metadata")),
        placeholder=parts.pop(PLACEHOLDER),
        derivatives=parts,
    )


def _parts(
    listed: object, read_part: Callable[[int], bytes], sizes: Sequence[int]
) -> dict[int, bytes]:
    wanted = {PLACEHOLDER, *sizes}
    if not isinstance(listed, list) or len(listed) != len(wanted):
        raise ValueError("not the parts that were asked for")
    parts: dict[int, bytes] = {}
    for size, length in listed:
        if size not in wanted or size in parts:
            raise ValueError("a part that was not asked for")
        parts[size] = read_part(_count(length, _most_bytes(size)))
    if not all(_is_picture(part) for part in parts.values()):
        raise ValueError("a part that is neither JPEG nor WebP")
    return parts


def _most_bytes(size: int) -> int:
    """Encoded pixels never take more than plain ones."""
    return size * size * 4 + _SLACK_BYTES if size != PLACEHOLDER else _MAX_PLACEHOLDER_BYTES


def _is_picture(part: bytes) -> bool:
    return part[:3] == b"\xff\xd8\xff" or (part[:4] == b"RIFF" and part[8:12] == b"WEBP")


def _count(value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError("a number out of range")
    return value


def _moment(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("not a moment")
    return value


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("metadata is an object")
    return value
