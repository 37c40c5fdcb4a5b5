"""Reading one file of the store, or of the spool, at any offset."""

from __future__ import annotations

import os
import stat
from types import TracebackType
from typing import Self

from app.errors import ForeignBlob
from app.storage.disk_errors import StoreErrors, close_quietly

# O_NONBLOCK: a pipe that somebody put into the store must not hold the request.
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


class FileHandle:
    """A ``BlobHandle`` over a descriptor, which it owns and closes.

    ``identity`` is (dev, inode, size in bytes, mtime in ns), as section 1 of the store
    format names it. Raises ``ForeignBlob`` for what is not a regular file.
    """

    __slots__ = ("_descriptor", "identity", "size")

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise ForeignBlob("The store holds something that is no file.")
        except BaseException:
            self.close()
            raise
        self.size = facts.st_size
        self.identity: tuple[int, ...] = (
            facts.st_dev,
            facts.st_ino,
            facts.st_size,
            facts.st_mtime_ns,
        )

    def pread_into(self, buffer: memoryview, offset: int, /) -> int:
        """Fill ``buffer`` (bytes) from ``offset``; fewer only at the end of the file."""
        with StoreErrors("blob.read"):
            done = os.preadv(self._descriptor, (buffer,), offset)
            while 0 < done < len(buffer):
                more = os.preadv(self._descriptor, (buffer[done:],), offset + done)
                if not more:
                    break
                done += more
            return done

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        close_quietly(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
