"""The allow list: one row for each kind of file that may be stored.

A format that is not in this table is refused. What a browser would run (SVG, PDF), what
would start another program (EPS), and decoders with a bad record (JPEG 2000, PSD, WMF) stay
out on purpose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.errors import UnsupportedType

Kind = Literal["image", "video"]


@dataclass(frozen=True, slots=True)
class FileType:
    """What a file is by its content. ``extension`` has no dot and names the stored file."""

    kind: Kind
    mime_type: str
    extension: str


@dataclass(frozen=True, slots=True)
class Format:
    """A row of the table.

    ``pillow`` are the names handed to ``Image.open``; ``inline`` tells that a browser shows
    it, else it is sent as an attachment; ``guesses`` are the MIME types under which
    ``filetype`` may know the same content; ``animated`` tells that its frames are moments or
    pages (a HEIC or MPO file holds alternative pictures instead).
    """

    name: str
    file_type: FileType
    pillow: tuple[str, ...]
    inline: bool
    guesses: frozenset[str]
    animated: bool = False


def _picture(
    name: str,
    subtype: str,
    extension: str,
    pillow: str,
    *,
    inline: bool = True,
    guesses: tuple[str, ...] = (),
    animated: bool = False,
) -> Format:
    mime_type = f"image/{subtype}"
    return Format(
        name,
        FileType("image", mime_type, extension),
        (pillow,),
        inline,
        frozenset((mime_type, *guesses)),
        animated,
    )


def _clip(name: str, subtype: str, extension: str, *, inline: bool) -> Format:
    mime_type = f"video/{subtype}"
    guesses = frozenset((mime_type, "video/mp4", "video/x-m4v", "video/quicktime"))
    if subtype in {"webm", "x-matroska"}:
        guesses = frozenset(("video/webm", "video/x-matroska"))
    return Format(name, FileType("video", mime_type, extension), (), inline, guesses)


JPEG = _picture("JPEG", "jpeg", "jpg", "JPEG")
PNG = _picture("PNG", "png", "png", "PNG", guesses=("image/apng",), animated=True)
GIF = _picture("GIF", "gif", "gif", "GIF", animated=True)
WEBP = _picture("WebP", "webp", "webp", "WEBP", animated=True)
# filetype calls any picture with the brand mif1 or msf1 image/heic.
AVIF = _picture("AVIF", "avif", "avif", "AVIF", guesses=("image/heic",), animated=True)
HEIC = _picture("HEIC", "heic", "heic", "HEIF", inline=False)
HEIF = _picture("HEIF", "heif", "heif", "HEIF", inline=False, guesses=("image/heic",))
TIFF = _picture("TIFF", "tiff", "tif", "TIFF", inline=False, animated=True)
BMP = _picture("BMP", "bmp", "bmp", "BMP", inline=False)
MP4 = _clip("MP4", "mp4", "mp4", inline=True)
MOV = _clip("QuickTime", "quicktime", "mov", inline=False)
WEBM = _clip("WebM", "webm", "webm", inline=True)
MKV = _clip("Matroska", "x-matroska", "mkv", inline=False)

FORMATS = (JPEG, PNG, GIF, WEBP, AVIF, HEIC, HEIF, TIFF, BMP, MP4, MOV, WEBM, MKV)
_BY_MIME_TYPE = {row.file_type.mime_type: row for row in FORMATS}

ACCEPTED = "Accepted are JPEG, PNG, GIF, WebP, AVIF, HEIC, TIFF and BMP pictures."
CLIPS_REFUSED = f"Clips cannot be stored yet. {ACCEPTED}"


def format_of(mime_type: str) -> Format:
    """The row of a MIME type. Raises UnsupportedType where there is none."""
    row = _BY_MIME_TYPE.get(mime_type)
    if row is None:
        raise UnsupportedType(
            f"Files of this type are not stored. {ACCEPTED}", operation="media.format"
        )
    return row


def shows_inline(mime_type: str) -> bool:
    """Whether a browser shows this type by itself; anything unknown is an attachment."""
    row = _BY_MIME_TYPE.get(mime_type)
    return row is not None and row.inline
