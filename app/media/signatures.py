"""Our own reading of how each accepted kind of file begins (offset 0 only)."""

from __future__ import annotations

import struct

from app.media import formats
from app.media.formats import Format

_BMP_HEADER_SIZES = frozenset((12, 16, 40, 52, 56, 64, 108, 124))
_HEIC_BRANDS = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
)
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_STILL_BRANDS = frozenset((b"mif1", b"mif2", b"msf1", b"miaf"))
_MP4_BRANDS = frozenset(
    brand.encode()
    for brand in (
        *("isom", "iso2", "iso3", "iso4", "iso5", "iso6", "iso7", "iso8", "iso9"),
        *("mp41", "mp42", "mp71", "avc1", "av01", "hvc1", "M4V ", "M4VH", "M4VP"),
        *("MSNV", "dash", "mmp4", "f4v ", "XAVC", "cmfc", "cmf2"),
    )
)


def by_signature(head: bytes, size: int) -> Format | None:
    """The row of the table whose signature stands at the very start of the file, if any."""
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return _matroska(head)
    for row, matches in _SIGNATURES:
        if matches(head, size):
            return row
    return None


def _is_jpeg(head: bytes, _size: int) -> bool:
    # SOI, then a marker that may come first: tables, frame, comment or application segment.
    # `ff d8 ff 3c` (the start of "<script") is not one.
    return (
        head[:3] == b"\xff\xd8\xff"
        and len(head) > 3
        and (0xC0 <= head[3] <= 0xCF or 0xDB <= head[3] <= 0xFE)
    )


def _is_png(head: bytes, _size: int) -> bool:
    return head[:16] == b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


def _is_gif(head: bytes, size: int) -> bool:
    return head[:6] in {b"GIF87a", b"GIF89a"} and size > 13


def _is_webp(head: bytes, _size: int) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP" and head[12:15] == b"VP8"


def _is_tiff(head: bytes, size: int) -> bool:
    # Byte order, 42 and the offset of the first directory; or 43, BigTIFF with 8-byte offsets.
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 16:
        return False
    version, offset = struct.unpack_from(f"{order}HI", head, 2)
    if version == 43:
        return bool(struct.unpack_from(f"{order}HH", head, 4) == (8, 0))
    return bool(version == 42 and 8 <= offset < size)


def _is_bmp(head: bytes, _size: int) -> bool:
    if head[:2] != b"BM" or len(head) < 26:
        return False
    (header_size,) = struct.unpack_from("<I", head, 14)
    return header_size in _BMP_HEADER_SIZES


def _is_bare_quicktime(head: bytes, _size: int) -> bool:
    # QuickTime files from before the ftyp box begin with one of these atoms.
    return head[4:8] in {b"moov", b"mdat", b"wide"}


def _iso_media(head: bytes) -> Format | None:
    """ISO base media: the brands in the ftyp box (ISO/IEC 14496-12) tell what it is."""
    (box_size,) = struct.unpack_from(">I", head)
    brands = [head[8:12]]
    brands += [head[i : i + 4] for i in range(16, min(box_size, len(head), 512) - 3, 4)]
    if brands[0] in _STILL_BRANDS:
        if _AVIF_BRANDS.intersection(brands) and not _HEIC_BRANDS.intersection(brands):
            return formats.AVIF
        return formats.HEIF
    for row, known in _BRANDS:
        if brands[0] in known:
            return row
    return None


def _matroska(head: bytes) -> Format | None:
    """EBML: the DocType element (id 0x4282, RFC 8794) within the header says which."""
    place = head.find(b"\x42\x82", 4, 64)
    if place < 0:
        return None
    start, length = _element_size(head, place + 2)
    name = head[start : start + length].rstrip(b"\0")
    return {b"webm": formats.WEBM, b"matroska": formats.MKV}.get(name)


def _element_size(head: bytes, at: int) -> tuple[int, int]:
    """Where the data of an EBML element begins, and its length (sizes of 1 or 2 bytes)."""
    size = head[at : at + 2].ljust(2, b"\0")
    if size[0] & 0x80:
        return at + 1, size[0] & 0x7F
    return at + 2, (size[0] & 0x3F) << 8 | size[1]


_SIGNATURES = (
    (formats.JPEG, _is_jpeg),
    (formats.PNG, _is_png),
    (formats.GIF, _is_gif),
    (formats.WEBP, _is_webp),
    (formats.TIFF, _is_tiff),
    (formats.BMP, _is_bmp),
    (formats.MOV, _is_bare_quicktime),
)
_BRANDS = (
    (formats.AVIF, _AVIF_BRANDS),
    (formats.HEIC, _HEIC_BRANDS),
    (formats.MP4, _MP4_BRANDS),
    (formats.MOV, frozenset((b"qt  ",))),
)
