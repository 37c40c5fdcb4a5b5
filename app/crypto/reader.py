"""Reading blobs: verified, seekable, never more than two chunks of plaintext."""

from __future__ import annotations

import hmac
import io
from collections.abc import Iterator
from typing import Final, Protocol
from uuid import UUID

from app.crypto.blob_header import (
    HEADER_BYTES,
    BlobHeader,
    header_tag,
    parse_header,
    subkeys_of,
)
from app.crypto.chunking import TAG_BYTES, ChunkCipher, Geometry
from app.crypto.context import Role
from app.crypto.keys import SecretKey
from app.crypto.length_verdicts import LengthVerdicts
from app.crypto.seekable import BlobFile
from app.errors import DecryptionFailed

VERDICTS: Final = LengthVerdicts()


class PreadSource(Protocol):
    """A sealed blob that can be read at any place; one open file for its whole life.

    ``size`` is in bytes; ``identity`` is (device, inode, size, mtime in ns) or whatever
    changes with the file, empty if nothing does. ``pread_into`` returns the number of bytes
    it read, 0 only at the end, and raises `StoreUnavailable` for an I/O error.
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


def read_header(source: PreadSource) -> BlobHeader:
    """The header of a blob, before any key is known; raises `DecryptionFailed`."""
    raw = bytearray(HEADER_BYTES)
    _read_exactly(source, memoryview(raw), 0)
    return parse_header(bytes(raw))


class BlobReader:
    """Opens one blob for whoever asked for this file, role and variant.

    The ids and the header tag are verified here, the length before it is told, every chunk
    before a byte of it is handed out. Not for several threads at once.

    Raises `DecryptionFailed`, here and in every method, without saying what was wrong.
    """

    def __init__(
        self,
        source: PreadSource,
        header: BlobHeader,
        key: SecretKey,
        *,
        file_id: UUID,
        role: Role,
        variant: int = 0,
    ) -> None:
        if (header.file_id, header.role, header.variant) != (file_id, role, variant):
            raise DecryptionFailed(operation="blob.open")
        packed = header.pack()
        subkeys = subkeys_of(packed, key)
        if not hmac.compare_digest(header_tag(subkeys, packed), header.header_tag):
            raise DecryptionFailed(operation="blob.open")
        self.header = header
        self._source = source
        self._cipher = ChunkCipher(subkeys, packed)
        self._geometry = Geometry.of_sealed(source.size, header.chunk_size)
        self._sealed = memoryview(b"")
        self._held_index = -1
        self._held = b""

    @property
    def plain_size(self) -> int:
        """Bytes of plaintext; told only when the final chunk has opened once."""
        source, final = self._source, self._geometry.count - 1
        if self._held_index != final and not VERDICTS.knows(
            source.identity, self.header.header_tag
        ):
            self._open(final)
        return self._geometry.plain_size

    def read_all(self) -> bytes:
        """The whole plaintext."""
        if self._geometry.count == 1:
            return self._open(0)
        whole = io.BytesIO()
        for chunk in self.chunks():
            whole.write(chunk)
        return whole.getvalue()

    def chunks(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes of ``plaintext[start:stop]``, at most a chunk at a time.

        The length and the first chunk are verified by the first ``next``, which also raises
        ValueError for a negative bound.
        """
        if start < 0 or (stop is not None and stop < 0):
            raise ValueError("a byte range has no negative bounds")
        size = self.plain_size
        stop = size if stop is None else min(stop, size)
        if start >= stop:
            return
        for index, begin, end in self._geometry.spans(start, stop):
            chunk = self._open(index)
            yield chunk if end - begin == len(chunk) else chunk[begin:end]

    def verify(self) -> None:
        """Open every chunk and keep none."""
        for index in range(self._geometry.count):
            self._open(index)

    def as_file(self) -> BlobFile:
        """The plaintext as a seekable file; closing it leaves the source open."""
        return BlobFile(self)

    def _open(self, index: int) -> bytes:
        if index != self._held_index:
            last = self._geometry.is_last(index)
            self._held = self._cipher.open(index, last, self._sealed_chunk(index))
            self._held_index = index
            if last:
                VERDICTS.add(self._source.identity, self.header.header_tag)
        return self._held

    def _sealed_chunk(self, index: int) -> memoryview:
        offset = self._geometry.offset(index)
        length = self._geometry.plain_length(index) + TAG_BYTES
        if isinstance(self._source, MemorySource):
            return self._source.sealed[offset : offset + length]
        if not self._sealed:
            self._sealed = memoryview(bytearray(self._geometry.widest + TAG_BYTES))
        chunk = self._sealed[:length]
        _read_exactly(self._source, chunk, offset)
        return chunk


def open_bytes(
    sealed: bytes | bytearray | memoryview,
    key: SecretKey,
    *,
    file_id: UUID,
    role: Role,
    variant: int = 0,
) -> bytes:
    """The plaintext of a blob in memory; raises `DecryptionFailed`."""
    source = MemorySource(sealed)
    header = read_header(source)
    reader = BlobReader(source, header, key, file_id=file_id, role=role, variant=variant)
    return reader.read_all()


def _read_exactly(source: PreadSource, buffer: memoryview, offset: int) -> None:
    """Fill the buffer; a source that ends early was cut, and fails like any damage."""
    while buffer:
        taken = source.pread_into(buffer, offset)
        if taken <= 0:
            raise DecryptionFailed(operation="blob.read")
        buffer, offset = buffer[taken:], offset + taken
