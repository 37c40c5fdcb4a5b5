"""Spare buffers: a file of some megabytes should not begin with fresh memory.

The first touch of every fresh page costs more than sealing the bytes that fill it.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final

SMALLEST_KEPT: Final = 64 * 1024
LARGEST_KEPT: Final = 8 * 1024 * 1024
MOST_IDLE: Final = 16 * 1024 * 1024

# Kept sizes are powers of two and this much more: a chunk with its tag, not twice a chunk.
_SLACK: Final = 4 * 1024


class BufferPool:
    """Lends buffers and keeps up to ``most_idle`` bytes of returned ones. For all threads.

    Their content is whatever the last borrower left: fill a buffer before it is read.
    Small ones are not kept, because fresh ones are as cheap; nor are very large ones.
    """

    def __init__(self, most_idle: int = MOST_IDLE) -> None:
        self._most_idle = most_idle
        self._idle: dict[int, list[bytearray]] = {}
        self._idle_bytes = 0
        self._lock = threading.Lock()

    def borrow(self, length: int) -> Loan:
        """A context manager that gives a memoryview of exactly ``length`` bytes."""
        return Loan(self, length)

    def take(self, length: int) -> bytearray:
        """A buffer of at least ``length`` bytes."""
        if not SMALLEST_KEPT <= length <= LARGEST_KEPT:
            return bytearray(length)
        size = _kept_size(length)
        with self._lock:
            if spare := self._idle.get(size):
                self._idle_bytes -= size
                return spare.pop()
        return bytearray(size)

    def give_back(self, buffer: bytearray) -> None:
        size = len(buffer)
        if size < SMALLEST_KEPT or size != _kept_size(size):
            return
        with self._lock:
            if self._idle_bytes + size <= self._most_idle:
                self._idle.setdefault(size, []).append(buffer)
                self._idle_bytes += size


def _kept_size(length: int) -> int:
    return (1 << (length - _SLACK - 1).bit_length()) + _SLACK


class Loan:
    """One buffer, lent for the length of a ``with``."""

    __slots__ = ("_buffer", "_length", "_pool")

    def __init__(self, pool: BufferPool, length: int) -> None:
        self._pool = pool
        self._length = length

    def __enter__(self) -> memoryview:
        self._buffer = self._pool.take(self._length)
        return memoryview(self._buffer)[: self._length]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.give_back(self._buffer)


POOL: Final = BufferPool()
