"""Where sealed chunks go: straight to the sink, or through a thread that writes meanwhile.

For a large file the disk and the cipher then work at the same time.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from app.errors import EncryptionError


class ByteSink(Protocol):
    """Takes sealed bytes.

    ``write`` takes all of them before it returns: the buffer is used again afterwards. If
    it returns an int, that is the number of bytes it took. `seal_stream` calls it from
    another thread for large files, one call at a time and none after it has returned.
    """

    def write(self, data: memoryview | bytes, /) -> object: ...


class Outlet(Protocol):
    """``space`` gives a buffer for the next bytes, ``put`` sends it off when it is filled.

    ``put`` follows each ``space`` with the very buffer. Either may raise what the sink
    raised.
    """

    def space(self, length: int, /) -> memoryview: ...

    def put(self, data: memoryview, /) -> None: ...


class WriteThrough:
    """Writes each piece at once, through one reused buffer."""

    def __init__(self, sink: ByteSink, buffer: memoryview) -> None:
        self._sink = sink
        self._buffer = buffer

    def space(self, length: int, /) -> memoryview:
        return self._buffer[:length]

    def put(self, data: memoryview, /) -> None:
        _write_all(self._sink, data)


class WriteBehind:
    """Leaves the writing to a thread, through two buffers in turn, each when it is full.

    A context manager: when it is left, the thread is gone, and everything was written or
    an error is raised.
    """

    def __init__(self, sink: ByteSink, buffers: tuple[memoryview, memoryview]) -> None:
        self._sink = sink
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        for buffer in buffers:
            self._free.put(buffer)
        self._full: SimpleQueue[tuple[memoryview, int] | None] = SimpleQueue()
        self._buffer = memoryview(b"")
        self._used = 0
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="write-behind", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self._full.put((self._buffer, self._used))
        self._full.put(None)
        self._thread.join()
        if error is None:
            self._raise()

    def space(self, length: int, /) -> memoryview:
        if self._used + length > len(self._buffer):
            if self._used:
                self._full.put((self._buffer, self._used))
            self._buffer, self._used = self._free.get(), 0
            self._raise()
        return self._buffer[self._used : self._used + length]

    def put(self, data: memoryview, /) -> None:
        self._used += len(data)

    def _serve(self) -> None:
        """After an error the rest is thrown away, so that nobody waits for a buffer."""
        while (piece := self._full.get()) is not None:
            buffer, used = piece
            if self._error is None:
                self._write(buffer[:used])
            self._free.put(buffer)

    def _write(self, data: memoryview) -> None:
        try:
            _write_all(self._sink, data)
        except BaseException as error:  # noqa: BLE001 - raised again in the sealing thread
            self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error


def _write_all(sink: ByteSink, data: memoryview) -> None:
    taken = sink.write(data)
    if isinstance(taken, int) and taken != len(data):
        raise EncryptionError("The sink did not take every byte", operation="blob.seal")
