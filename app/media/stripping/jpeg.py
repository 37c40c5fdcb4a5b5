"""JPEG: segments before and between the scans (ISO/IEC 10918-1, annex B)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.media.stripping.exif import orientation_only, without_gps

EXIF: Final = b"Exif\0\0"
XMP: Final = (b"http://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xmp/extension/\0")
MORE_PICTURES: Final = b"MPF\0"
_APP0, _APP1, _APP2, _APP14, _COM = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})


def strip_jpeg(data: bytes, everything: bool) -> bytes:
    """The first picture of the file; what is appended to it goes. ``ValueError``."""
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG")
    parts = [data[:2]]
    turned = False
    for marker, raw in _segments(data):
        kept = _kept(marker, raw, everything=everything, first_exif=not turned)
        turned = turned or (marker == _APP1 and raw[4:10] == EXIF)
        parts.append(kept)
    return b"".join(parts)


def _kept(marker: int, raw: bytes, *, everything: bool, first_exif: bool) -> bytes:
    if not _APP0 <= marker <= 0xEF and marker != _COM:
        return raw
    body = raw[4:]
    if marker == _APP1 and body.startswith(EXIF):
        return _exif(body[len(EXIF) :], everything=everything) if first_exif else b""
    if marker == _APP2 and body.startswith(MORE_PICTURES):
        return b""  # it points to what was appended
    if everything:
        return raw if _is_needed(marker, body) else b""
    return b"" if marker == _APP1 and body.startswith(XMP) and b"GPS" in body else raw


def _is_needed(marker: int, body: bytes) -> bool:
    """The density, the colour profile, and how Adobe's programs mixed the colours."""
    return (
        (marker == _APP0 and body.startswith(b"JFIF\0"))
        or (marker == _APP2 and body.startswith(b"ICC_PROFILE\0"))
        or (marker == _APP14 and body.startswith(b"Adobe"))
    )


def _exif(block: bytes, *, everything: bool) -> bytes:
    if everything:
        small = orientation_only(block)
        return _segment(_APP1, EXIF + small) if small is not None else b""
    return _segment(_APP1, EXIF + without_gps(block))


def _segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2, "big") + body


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Markers with their bytes up to the end of the picture; a scan comes with its data."""
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            raise ValueError("no marker where one belongs")
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker == _EOI:
            yield marker, data[at : at + 2]
            return
        end = at + 2
        if marker not in _STANDALONE:
            end += int.from_bytes(data[at + 2 : at + 4], "big")
            if end < at + 4 or end > len(data):
                raise ValueError("a segment beyond the end")
        if marker == _SOS:
            end = _end_of_scan(data, end)
        yield marker, data[at:end]
        at = end
    # Cut before its end: decoders show what is there, and so do we.


def _end_of_scan(data: bytes, at: int) -> int:
    """Where the next marker is that is no stuffing and no restart."""
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        if data[at + 1] not in {0x00, *range(0xD0, 0xD8)}:
            return at
        at += 2
