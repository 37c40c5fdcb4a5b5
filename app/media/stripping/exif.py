"""The TIFF structure that EXIF is, changed in place: nothing moves, what goes is zeroed.

TIFF 6.0, section 2: 2-byte order, 42, offset of the first directory; a directory is a count,
entries of 12 bytes (tag, type, count, value or offset) and the offset of the next one.
Every function raises ``ValueError`` for what is no such structure.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

ORIENTATION: Final = 0x0112
GPS: Final = 0x8825
POINTERS: Final = frozenset({0x8769, GPS, 0xA005, 0x014A})
"""EXIF, GPS, interoperability and sub-directories."""
MOST_DIRECTORIES: Final = 64
_SIZES: Final = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
}
_ORDERS: Final = {b"II": "<", b"MM": ">"}


@dataclass(frozen=True, slots=True)
class Field:
    """``at``: where the entry begins; ``value_at``: where its value lies; sizes in bytes."""

    at: int
    tag: int
    kind: int
    count: int
    value_at: int
    value_size: int


class Block:
    """A TIFF structure in a buffer of its own."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)
        order = _ORDERS.get(bytes(self.data[:2]))
        if order is None or len(data) < 8 or self._number(order, "H", 2) != 42:
            raise ValueError("no TIFF structure")
        self._order = order
        self.first = self._number(order, "I", 4)

    def fields(self, directory: int) -> Iterator[Field]:
        """The entries of the directory at this offset."""
        for n in range(self.number("H", directory)):
            at = directory + 2 + 12 * n
            tag, kind = self.number("H", at), self.number("H", at + 2)
            count = self.number("I", at + 4)
            size = count * _SIZES.get(kind, 0)
            value_at = at + 8 if size <= 4 else self.number("I", at + 8)
            yield Field(at, tag, kind, count, value_at, size)

    def chain(self) -> Iterator[int]:
        """The offsets of the directories one after the other."""
        seen: set[int] = set()
        at = self.first
        while at:
            if at in seen or len(seen) >= MOST_DIRECTORIES:
                raise ValueError("directories in a circle")
            seen.add(at)
            yield at
            at = self.number("I", at + 2 + 12 * self.number("H", at))

    def drop(self, directory: int, unwanted: Callable[[int], bool]) -> None:
        """Take entries out, zero what they held, below them too; the others close up."""
        kept = bytearray()
        fields = list(self.fields(directory))
        for field in fields:
            if unwanted(field.tag):
                self._clear(field, 0)
            else:
                kept += self.data[field.at : field.at + 12]
        end = directory + 2 + 12 * len(fields)
        following = self.data[end : end + 4].ljust(4, b"\0")
        left = struct.pack(self._order + "H", len(kept) // 12) + kept + following
        self.data[directory : end + 4] = left.ljust(end + 4 - directory, b"\0")

    def number(self, form: str, at: int) -> int:
        return self._number(self._order, form, at)

    def _clear(self, field: Field, depth: int) -> None:
        if field.tag in POINTERS and field.kind in {4, 13} and depth < 3:
            for n in range(min(field.count, MOST_DIRECTORIES)):
                self._clear_directory(self.number("I", field.value_at + 4 * n), depth)
        if field.value_size > 4:
            self._zero(field.value_at, field.value_size)

    def _clear_directory(self, directory: int, depth: int) -> None:
        fields = list(self.fields(directory))
        for field in fields:
            self._clear(field, depth + 1)
        self._zero(directory, 2 + 12 * len(fields) + 4)

    def _zero(self, at: int, size: int) -> None:
        end = min(at + size, len(self.data))
        if at < end:
            self.data[at:end] = bytes(end - at)

    def _number(self, order: str, form: str, at: int) -> int:
        try:
            (value,) = struct.unpack_from(order + form, self.data, at)
        except struct.error:
            raise ValueError("an offset beyond the end") from None
        return int(value)


def without_gps(exif: bytes) -> bytes:
    """The same bytes with every GPS directory zeroed and named no more."""
    block = Block(exif)
    for directory in list(block.chain()):
        block.drop(directory, lambda tag: tag == GPS)
    return bytes(block.data)


def orientation_only(exif: bytes) -> bytes | None:
    """A structure that tells the orientation and nothing else; None where it is the usual."""
    try:
        block = Block(exif)
        turned = next(
            (
                block.number("H", field.value_at)
                for field in block.fields(block.first)
                if field.tag == ORIENTATION and field.kind == 3 and field.count == 1
            ),
            1,
        )
    except ValueError:
        return None
    if not 2 <= turned <= 8:
        return None
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, ORIENTATION, 3, 1, turned, 0, 0)
