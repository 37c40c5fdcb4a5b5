"""ZIP files for tests: sound ones, and those that somebody made to do harm."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import BinaryIO


def pack(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def entry(name: str, content: bytes = b"x", *, mode: int = 0o100644, flags: int = 0) -> bytes:
    """One entry whose name and mode are taken as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        info = zipfile.ZipInfo("n" * len(name.encode()))
        info.external_attr = mode << 16
        archive.writestr(info, content)
    raw = out.getvalue().replace(b"n" * len(name.encode()), name.encode())
    return with_flags(raw, flags) if flags else raw


def with_flags(raw: bytes, flags: int) -> bytes:
    """The same archive with flags of its first entry set, in both headers."""
    changed = bytearray(raw)
    central = raw.index(b"PK\x01\x02")
    for at in (6, central + 8):
        struct.pack_into("<H", changed, at, struct.unpack_from("<H", raw, at)[0] | flags)
    return bytes(changed)


def shared(copies: int) -> bytes:
    """Entries that all point to the same data (D. Fifield, "A better zip bomb", 2019)."""
    raw = pack({"a.json": bytes(1 << 20)})
    central_at = raw.index(b"PK\x01\x02")
    end_at = raw.index(b"PK\x05\x06")
    central = raw[central_at:end_at]
    many = b"".join(central.replace(b"a.json", f"{n:06d}".encode(), 1) for n in range(copies))
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, copies, copies, len(many), central_at, 0)
    return raw[:central_at] + many + end


def lying(name: str, content: bytes, told: int) -> bytes:
    """An entry that says another size than it unpacks to."""
    raw = bytearray(pack({name: content}))
    central = raw.index(b"PK\x01\x02")
    struct.pack_into("<L", raw, 22, told)
    struct.pack_into("<L", raw, central + 24, told)
    return bytes(raw)


def crowded(entries: int) -> bytes:
    """An end record that tells of very many entries; the list itself is not there."""
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0, 0)
    end64 = struct.pack(
        "<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, entries, entries, 46 * entries, 0
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, 4, 1)
    return b"PK\x03\x04" + end64 + locator + end


class Endless(io.RawIOBase, BinaryIO):  # type: ignore[misc]
    """A stored ZIP of ``blocks`` MiB of zeros in one picture, made while it is read."""

    BLOCK = 1 << 20

    def __init__(self, blocks: int, name: str = "images/big.png") -> None:
        super().__init__()
        size, crc = blocks * self.BLOCK, 0
        for _ in range(blocks):
            crc = zlib.crc32(bytes(self.BLOCK), crc)
        told = name.encode()
        self._head = struct.pack(
            "<4s5H3L2H", b"PK\x03\x04", 20, 0, 0, 0, 33, crc, size, size, len(told), 0
        ) + told  # fmt: skip
        central = struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 33, crc, size, size, len(told),
            0, 0, 0, 0, 0o100644 << 16, 0,
        ) + told  # fmt: skip
        start = len(self._head) + size
        self._tail = central + struct.pack(
            "<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(central), start, 0
        )
        self._body = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        whole = len(self._head) + self._body + len(self._tail)
        self._at = (0, self._at, whole)[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        whole = len(self._head) + self._body + len(self._tail)
        left = whole - self._at
        wanted = left if size is None or size < 0 else min(size, left)
        made = b"".join(self._parts(self._at, wanted))
        self._at += len(made)
        return made

    def _parts(self, at: int, wanted: int):  # type: ignore[no-untyped-def]
        start = len(self._head)
        for begin, part in ((0, self._head), (start + self._body, self._tail)):
            if begin and at < begin and wanted:
                zeros = min(wanted, begin - at)
                yield bytes(zeros)
                at, wanted = at + zeros, wanted - zeros
            if begin <= at < begin + len(part) and wanted:
                piece = part[at - begin : at - begin + wanted]
                yield piece
                at, wanted = at + len(piece), wanted - len(piece)
