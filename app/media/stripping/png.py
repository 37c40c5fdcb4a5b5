"""PNG and APNG: chunks (PNG 3rd edition, 5.3 and 11)."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from app.media.stripping.exif import orientation_only, without_gps

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
NEEDED: Final = frozenset(
    (
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP"),
        *(b"cICP", b"mDCV", b"cLLI", b"sBIT", b"bKGD", b"hIST", b"pHYs"),
        *(b"acTL", b"fcTL", b"fdAT"),
    )
)
TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})


def strip_png(data: bytes, everything: bool) -> bytes:
    """The picture up to its end chunk. ``ValueError``."""
    if not data.startswith(SIGNATURE):
        raise ValueError("no PNG")
    parts = [SIGNATURE]
    parts += [_kept(kind, raw, everything=everything) for kind, raw in _chunks(data)]
    return b"".join(parts)


def _kept(kind: bytes, raw: bytes, *, everything: bool) -> bytes:
    body = raw[8:-4]
    if kind == b"eXIf":
        left = orientation_only(body) if everything else without_gps(body)
        return _chunk(kind, left) if left is not None else b""
    if kind in TEXTS and not everything:
        return b"" if _tells_a_place(body) else raw
    return raw if kind in NEEDED or not everything else b""


def _tells_a_place(body: bytes) -> bool:
    """EXIF and XMP as text cannot be searched where they are packed: they go."""
    keyword = body.partition(b"\0")[0]
    return keyword.startswith(b"Raw profile type") or keyword == b"XML:com.adobe.xmp"


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body).to_bytes(4, "big")
    return len(body).to_bytes(4, "big") + kind + body + check


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise ValueError("a chunk beyond the end")
        kind = data[at + 4 : at + 8]
        yield kind, data[at:end]
        if kind == b"IEND":
            return
        at = end
    raise ValueError("no end")
