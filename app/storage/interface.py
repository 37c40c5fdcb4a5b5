"""What a blob store must do, whether it is a folder, a bucket or a test's dictionary.

A store keeps immutable byte strings under keys (``dam/c-k3v…/3f/image_….jpg.enc``) and knows
nothing of their content: all of it is sealed before it arrives. The duties below are tried
for every implementation by ``tests/contracts/test_blob_store.py``.

Duties that every implementation has:

* A key shows either nothing or one complete blob, at any moment, to any reader, after any
  crash. What is being written is not visible under its key, nor in :meth:`BlobStore.keys`.
* ``durable=True`` means that a blob whose ``commit`` or ``put`` returned survives a loss of
  power. With ``durable=False`` it may be lost or, after a loss of power only, damaged.
* A handle goes on reading the blob that it opened, even when the key is replaced or deleted.
* A key that :func:`app.storage.object_paths.check_key` refuses is never touched: reads and
  writes raise ``BlobNotFound``.
* Errors: a missing key is ``BlobNotFound``, a taken one ``BlobExists``, a full disk or an
  exhausted quota ``StoreFull``, every other trouble of the medium ``StoreUnavailable``.
  No other exception leaves a store, and none of them names a file of a user.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self


class BlobHandle(Protocol):
    """One opened blob; usable by several threads at once, since it has no position.

    ``size`` is in bytes. ``identity`` differs between any two contents that were ever
    visible under any key: verdicts about a blob may be cached under it.
    """

    @property
    def size(self) -> int: ...

    @property
    def identity(self) -> tuple[int, ...]: ...

    def pread_into(self, buffer: memoryview, offset: int, /) -> int:
        """Fill ``buffer`` from ``offset``; the count is short only at the end of the blob."""
        ...

    def close(self) -> None:
        """Give the descriptor back. Closing twice is allowed."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class StagedBlob(Protocol):
    """A blob that is being written and not yet visible.

    As a context manager it aborts unless it was committed. After an error in ``write`` or
    ``commit`` only ``abort`` may follow. A commit that fails leaves the key as it was, or,
    with ``replace`` and a failing medium, with the complete new blob: never with a part.
    """

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append all of ``data`` and return its length in bytes."""
        ...

    def review(self) -> BlobHandle:
        """Make what was written durable, if it is to be, and open it for reading.

        It is as invisible as before. Nothing may be written afterwards; the caller closes
        the handle, before or after the commit.
        """
        ...

    def commit(self, *, replace: bool = False, settle: bool = True) -> None:
        """Make the blob visible at once; ``BlobExists`` if the key is taken.

        ``settle=False`` saves time where a durable commit in the same folder follows: the
        bytes are durable, their name only when that one returns.
        """
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


@dataclass(frozen=True, slots=True)
class Temporary:
    """Something half-written: the key of its temporary file, and when it last grew."""

    key: str
    modified_ms: int


class BlobStore(Protocol):
    """Keys to immutable blobs. Every method may raise ``StoreUnavailable``."""

    def open(self, key: str) -> BlobHandle:
        """Open for reading; ``BlobNotFound``."""
        ...

    def stage(self, key: str, *, durable: bool = True, tag: str | None = None) -> StagedBlob:
        """Begin to write a blob; ``StoreFull`` may come here, in write or in commit.

        ``tag`` (32 hex digits, in use once at a time) names what is being written, so that
        ``delete(temporary_beside(key, tag))`` removes what a killed writer left. Without
        it the name is random. ``BlobExists`` if something of that name is there.
        """
        ...

    def put(
        self,
        key: str,
        data: bytes,
        *,
        replace: bool = False,
        durable: bool = True,
        tag: str | None = None,
    ) -> None:
        """Stage, write and commit in one call."""
        ...

    def read(self, key: str, limit: int) -> bytes:
        """The whole blob; ``StoreError`` if it holds more than ``limit`` bytes."""
        ...

    def delete(self, key: str, *, durable: bool = True) -> bool:
        """Remove a blob or a temporary file; False if there was none."""
        ...

    def exists(self, key: str) -> bool:
        """Whether a blob is visible under the key."""
        ...

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Every visible key that starts with ``prefix``, but for the store's marker.

        Keys of one folder (what stands before the last slash) come together; the order is
        otherwise free. A blob that comes or goes meanwhile may be listed or not.
        """
        ...

    def temporaries(self) -> Iterator[Temporary]:
        """What writers have left behind or are writing now."""
        ...

    def lock(self, key: str) -> AbstractContextManager[None]:
        """Keep every other holder of the same key out, in all threads and processes.

        Not re-entrant, and whoever holds one takes no second. Released when the holder
        dies. ``StoreUnavailable`` if it cannot be had within half a minute.
        """
        ...

    def free_bytes(self) -> int | None:
        """What may still be written, in bytes; None where nobody can say."""
        ...

    def check(self) -> None:
        """Raise ``StoreUnavailable`` unless blobs can be read and written now."""
        ...
