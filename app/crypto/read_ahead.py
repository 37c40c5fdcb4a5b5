"""Sealed chunks, read by a thread while the ones before them are opened and sent."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from queue import SimpleQueue
from types import TracebackType
from typing import Self

from app.crypto.source import PreadSource, read_exactly


class ReadAhead:
    """Iterates over pieces of a source, each ``(offset, length)``, at most one ahead.

    ``widest`` is the length of the longest, in bytes. A context manager; the thread is gone
    when it is left, also before the last piece. A piece is valid until the next one is
    asked for. An error of the source is raised in the place of the piece.
    """

    def __init__(
        self, source: PreadSource, places: Iterable[tuple[int, int]], widest: int
    ) -> None:
        self._source = source
        self._places = places
        self._free: SimpleQueue[memoryview | None] = SimpleQueue()
        for _ in range(2):
            self._free.put(memoryview(bytearray(widest)))
        self._full: SimpleQueue[tuple[memoryview, int] | BaseException | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="read-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._free.put(None)
        self._thread.join()

    def __iter__(self) -> Iterator[memoryview]:
        while (piece := self._full.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            buffer, length = piece
            yield buffer[:length]
            self._free.put(buffer)

    def _serve(self) -> None:
        """Ends by a None or an error in ``_full``, or by a None in ``_free``."""
        for offset, length in self._places:
            buffer = self._free.get()
            if buffer is None:
                return
            try:
                read_exactly(self._source, buffer[:length], offset)
            except BaseException as error:  # noqa: BLE001 - raised again by the iteration
                self._full.put(error)
                return
            self._full.put((buffer, length))
        self._full.put(None)
