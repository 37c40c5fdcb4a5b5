"""WebP: RIFF chunks (RFC 9649, 2.3 to 2.7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.media.stripping.exif import orientation_only, without_gps

NEEDED: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP"})
HAS_EXIF, HAS_XMP = 0x08, 0x04
_JPEG_PREFIX: Final = b"Exif\0\0"


def strip_webp(data: bytes, everything: bool) -> bytes:
    """The picture with flags that tell what is left. ``ValueError``."""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        raise ValueError("no WebP")
    kept = [
        (kind, left)
        for kind, body in _chunks(data)
        if (left := _kept(kind, body, everything=everything)) is not None
    ]
    kinds = {kind for kind, _ in kept}
    body = b"".join(_chunk(kind, _flagged(kind, left, kinds)) for kind, left in kept)
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _kept(kind: bytes, body: bytes, *, everything: bool) -> bytes | None:
    if kind == b"EXIF":
        block = body.removeprefix(_JPEG_PREFIX)
        return orientation_only(block) if everything else without_gps(block)
    if kind == b"XMP ":
        return None if everything or b"GPS" in body else body
    return body if kind in NEEDED or not everything else None


def _flagged(kind: bytes, body: bytes, kinds: set[bytes]) -> bytes:
    if kind != b"VP8X":
        return body
    flags = body[0] & ~(HAS_EXIF | HAS_XMP)
    flags |= HAS_EXIF if b"EXIF" in kinds else 0
    flags |= HAS_XMP if b"XMP " in kinds else 0
    return bytes((flags,)) + body[1:]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at, end = 12, min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    while at + 8 <= end:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        if at + 8 + size > len(data):
            raise ValueError("a chunk beyond the end")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
