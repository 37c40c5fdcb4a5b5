"""Where sealed bytes are read from."""

from __future__ import annotations

from typing import Protocol

from app.errors import DecryptionFailed


class PreadSource(Protocol):
    """A sealed blob that can be read at any place; one open file for its whole life.

    ``size`` is in bytes; ``identity`` is (device, inode, size, mtime in ns) or whatever
    changes with the file, empty if nothing does. ``pread_into`` returns the number of bytes
    it read, 0 only at the end, and raises `StoreUnavailable` for an I/O error. Long ranges
    are read ahead by another thread.
    """

    @property
    def size(self) -> int: ...

    @property
    def identity(self) -> tuple[int, ...]: ...

    def pread_into(self, buffer: memoryview, offset: int, /) -> int: ...


class MemorySource:
    """A sealed blob that is in memory already."""

    identity: tuple[int, ...] = ()

    def __init__(self, sealed: bytes | bytearray | memoryview) -> None:
        self.sealed = memoryview(sealed).cast("B")
        self.size = len(self.sealed)

    def pread_into(self, buffer: memoryview, offset: int, /) -> int:
        piece = self.sealed[offset : offset + len(buffer)]
        buffer[: len(piece)] = piece
        return len(piece)


def read_exactly(source: PreadSource, buffer: memoryview, offset: int) -> None:
    """Fill the buffer; a source that ends early was cut, and fails like any damage."""
    while buffer:
        taken = source.pread_into(buffer, offset)
        if taken <= 0:
            raise DecryptionFailed(operation="blob.read")
        buffer, offset = buffer[taken:], offset + taken
