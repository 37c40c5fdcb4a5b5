"""What is taken out of which kind of file; the compressed picture is copied as it stands.

``gps``: EXIF loses its GPS directory; XMP that tells a place, and what is appended to a
JPEG (other pictures with EXIF of their own), go whole. ``all``: everything that is not
needed to show the picture goes; its colour profile and orientation stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from app.media.stripping.gif import strip_gif
from app.media.stripping.jpeg import strip_jpeg
from app.media.stripping.png import strip_png
from app.media.stripping.tiff import strip_tiff
from app.media.stripping.webp import strip_webp


class Policy(StrEnum):
    KEEP = "keep"
    GPS = "gps"
    ALL = "all"


POLICIES: Final = tuple(Policy)
_TURN_IN_XMP: Final = re.compile(rb"tiff:Orientation(?:=[\"']|>)[2-8]")
_EXIF_MARKS: Final = (b"Exif\0\0", b"eXIf", b"EXIF")
_STRIPPERS: Final[dict[str, Callable[[bytes, bool], bytes]]] = {
    "image/jpeg": strip_jpeg,
    "image/png": strip_png,
    "image/webp": strip_webp,
    "image/gif": strip_gif,
    "image/tiff": strip_tiff,
    "image/bmp": lambda data, _everything: data,  # has none
}


@dataclass(frozen=True, slots=True, repr=False)
class Stripped:
    """``clean`` False: the file could not be understood, and is as it was."""

    data: bytes
    clean: bool


def can_strip(mime_type: str) -> bool:
    """Whether metadata of such a file can be taken out without a loss."""
    return mime_type in _STRIPPERS


def strip(data: bytes, mime_type: str, policy: Policy) -> Stripped:
    """The same picture without what the policy names."""
    if policy is Policy.KEEP:
        return Stripped(data, clean=True)
    stripper = _STRIPPERS.get(mime_type)
    if stripper is None:
        return Stripped(data, clean=False)
    try:
        left = stripper(data, policy is Policy.ALL)
    except (ValueError, IndexError):
        return Stripped(data, clean=False)
    if _loses_its_turn(data, left):
        return Stripped(data, clean=False)
    return Stripped(left, clean=True)


def _loses_its_turn(before: bytes, after: bytes) -> bool:
    """Whether only XMP told how the picture lies, which decoders believe where no EXIF does."""
    told = _TURN_IN_XMP.search(before) and not _TURN_IN_XMP.search(after)
    return bool(told) and not any(mark in after for mark in _EXIF_MARKS)
