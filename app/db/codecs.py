"""What is sealed in an encrypted column: values as bytes and back.

The codec's number stands in clear in the token (store-format.md section 5) and under its
tag. The payload of a row-bound column begins with the 16-byte id of its row; then:

====  ======  =============================================================
 01   text    u16 length, UTF-8, zeros up to 32, 64, 128, 256, then by 256
 02   JSON    UTF-8, sorted keys, spaces up to the same sizes
 03   box     x, y, width, height as four float64, big endian: 32 bytes
 04   float   one float64, big endian: 8 bytes
====  ======  =============================================================

Row-bound payloads have the same numbers plus 10 hex, so a reader needs no table of columns.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import DecryptionFailed, InvalidInput

ROW_BOUND = 0x10
STEP = 256
SMALLEST = 32
SIZES = (SMALLEST, 64, 128, STEP)
TEXT_LIMIT = 65535

Box = tuple[float, float, float, float]

_LENGTH = struct.Struct(">H")
_BOX = struct.Struct(">4d")
_FLOAT = struct.Struct(">d")


@dataclass(frozen=True, slots=True)
class Codec:
    """One way to write a value; ``decode(payload, start)`` may raise any of ``DAMAGE``."""

    number: int
    name: str
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes, int], Any]


DAMAGE = (ValueError, IndexError, struct.error, RecursionError)


def padded_size(length: int) -> int:
    """The size in bytes that hides ``length``: 32, 64, 128, 256, then multiples of 256."""
    if length <= SMALLEST:
        return SMALLEST
    for size in SIZES:
        if length <= size:
            return size
    return -(-length // STEP) * STEP


def _refuse(message: str) -> InvalidInput:
    return InvalidInput(message, operation="column.seal")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # its text quotes what was to be sealed
        raise _refuse("Text holds half of a surrogate pair") from None


def encode_text(value: str) -> bytes:
    if not isinstance(value, str):
        raise _refuse("An encrypted text column takes text")
    raw = _utf8(value)
    length = len(raw)
    if length > TEXT_LIMIT:
        raise _refuse(f"Text is longer than {TEXT_LIMIT} bytes")
    return _LENGTH.pack(length) + raw.ljust(padded_size(length), b"\0")


def decode_text(payload: bytes, start: int) -> str:
    begin = start + 2
    end = begin + (payload[start] << 8 | payload[start + 1])
    if end > len(payload):
        raise DecryptionFailed(operation="column.open")
    return payload[begin:end].decode()


_json = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def encode_json(value: object) -> bytes:
    """Raises :class:`InvalidInput` for NaN, infinities and what is not JSON."""
    try:
        text = _json.encode(value)
    except (TypeError, ValueError, RecursionError):
        raise _refuse("The value is not JSON with finite numbers") from None
    raw = _utf8(text)
    return raw.ljust(padded_size(len(raw)), b" ")


def decode_json(payload: bytes, start: int) -> Any:
    return json.loads(payload[start:])


def encode_box(value: Sequence[float]) -> bytes:
    """Four finite numbers: x, y, width, height in pixels."""
    try:
        x, y, width, height = value
        finite = math.isfinite(x + y + width + height)
        raw = _BOX.pack(x, y, width, height)
    except (TypeError, ValueError, OverflowError, struct.error):
        raise _refuse("A box is four numbers") from None
    # The sum of finite numbers may overflow: then each one is asked.
    if not finite and not all(map(math.isfinite, value)):
        raise _refuse("A box needs finite numbers")
    return raw


def encode_float(value: float) -> bytes:
    try:
        raw = _FLOAT.pack(value)
    except (TypeError, OverflowError, struct.error):
        raise _refuse("An encrypted number column takes a number") from None
    if not math.isfinite(value):
        raise _refuse("The number is not finite")
    return raw


def decode_float(payload: bytes, start: int) -> float:
    value: float = _FLOAT.unpack_from(payload, start)[0]
    return value


TEXT = Codec(0x01, "text", encode_text, decode_text)
JSON = Codec(0x02, "json", encode_json, decode_json)
BOX = Codec(0x03, "box", encode_box, _BOX.unpack_from)
FLOAT = Codec(0x04, "float", encode_float, decode_float)
