"""Reads the structure of a derivative: only what draws pixels may be in it."""

from __future__ import annotations

import struct

# SOF0, DHT, SOI, EOI, SOS, DQT and the JFIF segment; no APPn, no comment.
_JPEG_MARKERS = {0xC0, 0xC4, 0xDB, 0xE0}
_WEBP_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}


def foreign_parts(data: bytes) -> list[str]:
    """The names of all segments or chunks that do not draw."""
    if data[:4] == b"RIFF":
        return [name for name in _webp_chunks(data) if name.encode() not in _WEBP_CHUNKS]
    assert data[:2] == b"\xff\xd8"
    return [hex(marker) for marker in _jpeg_markers(data) if marker not in _JPEG_MARKERS]


def _jpeg_markers(data: bytes) -> list[int]:
    markers, place = [], 2
    while data[place + 1] != 0xDA:
        assert data[place] == 0xFF
        markers.append(data[place + 1])
        (length,) = struct.unpack_from(">H", data, place + 2)
        if data[place + 1] == 0xE0:
            assert data[place + 4 : place + 9] == b"JFIF\0"
            assert length == 16, "a JFIF thumbnail"
        place += 2 + length
    return markers


def _webp_chunks(data: bytes) -> list[str]:
    names, place = [], 12
    while place < len(data):
        names.append(data[place : place + 4].decode("ascii"))
        (length,) = struct.unpack_from("<I", data, place + 4)
        place += 8 + length + length % 2
    return names
