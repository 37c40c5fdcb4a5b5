"""GIF: blocks (GIF89a, 18 to 27). It knows no EXIF; XMP is an application extension."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_COMMENT, _APPLICATION = 0xFE, 0xFF
NEEDED: Final = frozenset({b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"})
"""How often an animation runs, and the colour profile."""


def strip_gif(data: bytes, everything: bool) -> bytes:
    """The picture up to its trailer. ``ValueError``."""
    if data[:6] not in {b"GIF87a", b"GIF89a"}:
        raise ValueError("no GIF")
    at = 13 + _table(data[10])
    parts = [data[:at]]
    parts += [raw for raw in _blocks(data, at) if _is_kept(raw, everything=everything)]
    return b"".join(parts)


def _is_kept(raw: bytes, *, everything: bool) -> bool:
    if raw[0] != _EXTENSION:
        return True
    if raw[1] == _COMMENT:
        return not everything
    if raw[1] != _APPLICATION:
        return True
    name = raw[3:14]
    return name in NEEDED or (not everything and not (name == b"XMP DataXMP" and b"GPS" in raw))


def _table(packed: int) -> int:
    """Bytes of the colour table that this byte announces."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _blocks(data: bytes, at: int) -> Iterator[bytes]:
    while True:
        kind = data[at]
        if kind == _TRAILER:
            yield data[at : at + 1]
            return
        if kind == _EXTENSION:
            end = _sub_blocks(data, at + 2)
        elif kind == _IMAGE:
            end = _sub_blocks(data, at + 10 + _table(data[at + 9]) + 1)
        else:
            raise ValueError("no block")
        yield data[at:end]
        at = end


def _sub_blocks(data: bytes, at: int) -> int:
    while size := data[at]:
        at += size + 1
    return at + 1
