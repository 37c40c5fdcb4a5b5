"""What comes back for the parts of a picture, and the check of all that the child says."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from app.media.framing import COLOURS, DEPTH, KEPT
from app.media.limits import DecodeLimits

Rectangle = tuple[int, int, int, int]
"""Left, top, right, bottom: half open, in pixels of the picture as it is shown."""

MOST_CROPS: Final = 64
"""Of one request: each has the time of a whole file."""
_BYTES_A_PIXEL: Final = 8
_SLACK_BYTES: Final = 5 * 1024 * 1024
"""For the colour profile, and a file of one pixel."""
_HEAD: Final = struct.Struct(">8sI4sII")
_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Survey:
    """``width`` and ``height`` (pixels) when upright; ``keeps``: whether crops have every
    pixel as the file has it (`framing.KEPT`), or what changes."""

    width: int
    height: int
    keeps: str


def check_survey(header: Mapping[str, object], limits: DecodeLimits) -> Survey:
    """Raises ValueError for what no honest decoder sends."""
    width, height = (_count(header.get(name), limits.max_side) for name in ("width", "height"))
    keeps = header.get("keeps")
    if not isinstance(keeps, str) or keeps not in {KEPT, COLOURS, DEPTH}:
        raise ValueError("not a word about pixels")
    return Survey(width, height, keeps)


def check_crop(
    header: Mapping[str, object], read_part: Callable[[int], bytes], wanted: Rectangle
) -> bytes:
    """A PNG of the size that was asked for. Raises ValueError."""
    width, height = wanted[2] - wanted[0], wanted[3] - wanted[1]
    most = (width * _BYTES_A_PIXEL + 1) * height * 2 + _SLACK_BYTES
    part = read_part(_count(header.get("bytes"), most))
    if len(part) < _HEAD.size:
        raise ValueError("not a PNG")
    signature, _, kind, told_width, told_height = _HEAD.unpack_from(part)
    if (
        signature != _SIGNATURE
        or kind != b"IHDR"
        or (told_width, told_height) != (width, height)
    ):
        raise ValueError("not the part that was asked for")
    return part


def _count(value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError("a number out of range")
    return value
