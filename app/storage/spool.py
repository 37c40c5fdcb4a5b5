"""Where the body of an upload waits until it was looked at: never in clear on a disk.

Up to 16 MiB stay in memory. What is larger goes, sealed as it comes, into a file without a
name below the instance, under a key that exists in this object only.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from uuid import uuid4

from app.crypto.chunking import ChunkPolicy
from app.crypto.context import BlobContext, Role
from app.crypto.keys import generate_key
from app.crypto.stream import BlobReader, BlobWriter, read_header
from app.storage.file_handle import FileHandle
from app.storage.unlinked_file import UnlinkedFile

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MEMORY_LIMIT = 16 * 1024 * 1024
# From 256 KiB on the cipher releases the interpreter's lock; more would only cost memory.
CHUNK = 256 * 1024
_POLICY = ChunkPolicy(single_chunk_limit=CHUNK, stream_chunk=CHUNK)
_READ_BUFFER = 64 * 1024
_NO_KEY_VERSION = bytes(16)

if TYPE_CHECKING:

    class _Stream(io.BufferedIOBase, BinaryIO):
        """Binary files are both; the two stubs disagree about details."""
else:
    _Stream = io.BufferedIOBase


class SealedSpool(_Stream):
    """A binary file that is written once from start to end, then read as often as needed.

    The first ``seek``, ``read`` or ``readline`` ends the writing. It can be given to
    Werkzeug's form parser as a stream, and to whatever reads a binary file. It has no
    descriptor and no name to give away. ``close``, or its end, leaves nothing.

    Writing raises ``StoreFull`` or ``StoreUnavailable``; reading moreover
    ``DecryptionFailed``, should somebody touch the file.
    """

    def __init__(self, folder: Path, memory_limit: int = MEMORY_LIMIT) -> None:
        """``folder`` lies below the instance; ``memory_limit`` is in bytes."""
        super().__init__()
        self._folder = folder
        self._memory_limit = memory_limit
        self._size = 0
        self._memory = io.BytesIO()
        self._sealed: _SealedFile | None = None
        self._reader: io.BytesIO | io.BufferedReader | None = None

    @classmethod
    def for_body(cls, folder: Path, total: int | None) -> SealedSpool:
        """For a part of a body of ``total`` bytes (None: unknown): the limit is of the body."""
        fits = total is not None and total <= MEMORY_LIMIT
        return cls(folder, MEMORY_LIMIT if fits else 0)

    def __repr__(self) -> str:
        return f"<SealedSpool of {self._size} bytes>"

    @property
    def size(self) -> int:
        """Bytes of plaintext written so far."""
        return self._size

    @property
    def is_on_disk(self) -> bool:
        return self._sealed is not None

    @property
    def mode(self) -> str:
        return "w+b"

    @property
    def name(self) -> str:
        return "<spool>"

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return self._reader is None

    def seekable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Append all of ``data``; ``io.UnsupportedOperation`` once reading has begun."""
        self._refuse_closed()
        if self._reader is not None:
            raise io.UnsupportedOperation("a spool is written before it is read")
        view = memoryview(data).cast("B")
        if self._sealed is None and self._size + len(view) > self._memory_limit:
            self._move_to_disk()
        target = self._sealed or self._memory
        target.write(view)
        self._size += len(view)
        return len(view)

    def tell(self) -> int:
        self._refuse_closed()
        return self._size if self._reader is None else self._reader.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        return self._reading().seek(offset, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        return self._reading().read(-1 if size is None else size)

    def read1(self, size: int = -1, /) -> bytes:
        return self._reading().read1(size)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        return self._reading().readinto(buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._reading().readline(-1 if size is None else size)

    def close(self) -> None:
        """Forget the plaintext and the key; the file is gone with its descriptor."""
        if not self.closed:
            self._memory.close()
            if self._sealed is not None:
                self._sealed.close()
        super().close()

    def _move_to_disk(self) -> None:
        sealed = _SealedFile(self._folder)
        with self._memory.getbuffer() as early:
            try:
                sealed.write(early)
            except BaseException:
                sealed.close()
                raise
        self._memory = io.BytesIO()
        self._sealed = sealed

    def _reading(self) -> io.BytesIO | io.BufferedReader:
        """What is read from; at first it stands where the writing ended."""
        self._refuse_closed()
        if self._reader is None:
            self._reader = self._memory if self._sealed is None else self._sealed.finish()
            self._reader.seek(self._size)
        return self._reader

    def _refuse_closed(self) -> None:
        if self.closed:
            raise ValueError("the spool is closed")


class _SealedFile:
    """The part of a spool that is on disk: a blob of role 06 under a key of its own."""

    def __init__(self, folder: Path) -> None:
        self._key = generate_key()
        self._file_id = uuid4()
        context = BlobContext(
            file_id=self._file_id, role=Role.UPLOAD_PART, key_version_id=_NO_KEY_VERSION
        )
        self._file = UnlinkedFile(folder)
        self._writer = BlobWriter(self._file, self._key, context, _POLICY)
        self._handle: FileHandle | None = None

    def write(self, data: memoryview, /) -> int:
        return self._writer.write(data)

    def finish(self) -> io.BufferedReader:
        """Seal the last chunk; what is returned verifies all that it reads."""
        self._writer.finish()
        self._handle = handle = self._file.reader()
        reader = BlobReader(
            handle,
            read_header(handle),
            self._key,
            file_id=self._file_id,
            role=Role.UPLOAD_PART,
        )
        return io.BufferedReader(reader.as_file(), _READ_BUFFER)

    def close(self) -> None:
        self._file.close()
        if self._handle is not None:
            self._handle.close()
