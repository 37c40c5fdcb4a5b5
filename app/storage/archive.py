"""Where backups lie: a folder or a bucket, as a few calls of ``BlobStore``."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from app.storage.interface import BlobHandle, Temporary


class StagedFile(Protocol):
    """What is being written and not yet visible; as a context manager it aborts unless it
    was committed.
    """

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append all of ``data`` and return its length in bytes."""
        ...

    def commit(self, *, replace: bool = False) -> None:
        """Make it visible at once, whole and durable."""
        ...

    def abort(self) -> None:
        """Forget what was written. Harmless after a commit or an abort."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Archive(Protocol):
    """A part of ``BlobStore`` with the same duties and errors: ``LocalDisk`` is one.

    Nobody writes into it but one backup at a time, hence no locks.
    """

    def open(self, key: str) -> BlobHandle:
        """Open for reading; ``BlobNotFound``."""
        ...

    def stage(self, key: str) -> StagedFile:
        """Begin to write a blob that appears whole with its commit."""
        ...

    def put(self, key: str, data: bytes, *, replace: bool = False) -> None:
        """Stage, write and commit in one call."""
        ...

    def read(self, key: str, limit: int) -> bytes:
        """The whole blob; ``StoreError`` if it holds more than ``limit`` bytes."""
        ...

    def delete(self, key: str) -> bool:
        """Remove a blob or a temporary file; False if there was none."""
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Every key that starts with ``prefix``."""
        ...

    def temporaries(self) -> Iterator[Temporary]:
        """What an interrupted writer left behind, where the medium has such a thing."""
        ...

    def create(self) -> None:
        """Make the place where there is none; nothing for a bucket."""
        ...

    def check(self) -> None:
        """Raise ``StoreUnavailable`` unless it can be read and written now."""
        ...
