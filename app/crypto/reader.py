"""Reading blobs: verified, seekable, never more than two chunks of plaintext."""

from __future__ import annotations

import hmac
import io
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Final
from uuid import UUID

from app.crypto.blob_header import (
    HEADER_BYTES,
    BlobHeader,
    header_tag,
    parse_header,
    subkeys_of,
)
from app.crypto.buffers import POOL
from app.crypto.chunking import TAG_BYTES, ChunkCipher, Geometry
from app.crypto.context import Role
from app.crypto.keys import SecretKey
from app.crypto.length_verdicts import LengthVerdicts
from app.crypto.read_ahead import ReadAhead
from app.crypto.seekable import BlobFile
from app.crypto.source import MemorySource, PreadSource, read_exactly
from app.errors import DecryptionFailed

VERDICTS: Final = LengthVerdicts()


def read_header(source: PreadSource) -> BlobHeader:
    """The header of a blob, before any key is known; raises `DecryptionFailed`."""
    raw = bytearray(HEADER_BYTES)
    read_exactly(source, memoryview(raw), 0)
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
        first, after = self._geometry.touched(start, stop)
        with closing(self._opened(first, after)) as opened:
            for begin, end in self._geometry.cuts(start, stop):
                # No local name for the chunk: it would keep a third one in memory.
                yield _cut(next(opened), begin, end)

    def verify(self) -> None:
        """Open every chunk and keep none."""
        for _ in self._opened(0, self._geometry.count):
            pass

    def as_file(self) -> BlobFile:
        """The plaintext as a seekable file; closing it leaves the source open."""
        return BlobFile(self)

    def _opened(self, first: int, after: int) -> Generator[bytes]:
        """The whole chunks first to after - 1; a thread reads ahead in a long range.

        The first two are opened without it, so that a look at the start costs no thread.
        """
        on_disk = not isinstance(self._source, MemorySource)
        batch = self._geometry.batch(after - first) if on_disk else 0
        alone = first + 2 if batch else after
        for index in range(first, alone):
            yield self._open(index)
        if alone < after:
            yield from self._opened_ahead(range(alone, after), batch)

    def _opened_ahead(self, indexes: range, batch: int) -> Generator[bytes]:
        step = self._geometry.chunk_size + TAG_BYTES
        starts = range(0, len(indexes), batch)
        batches = (indexes[start : start + batch] for start in starts)
        places = (self._geometry.place(some[0], some[-1] + 1) for some in batches)
        with ReadAhead(self._source, places, batch * step) as ahead:
            for start, sealed in zip(starts, ahead, strict=True):
                for nth, index in enumerate(indexes[start : start + batch]):
                    yield self._keep(index, sealed[nth * step : (nth + 1) * step])

    def _open(self, index: int) -> bytes:
        if index == self._held_index:
            return self._held
        offset, length = self._geometry.place(index, index + 1)
        if isinstance(self._source, MemorySource):
            return self._keep(index, self._source.sealed[offset : offset + length])
        with POOL.borrow(length) as sealed:
            read_exactly(self._source, sealed, offset)
            return self._keep(index, sealed)

    def _keep(self, index: int, sealed: memoryview) -> bytes:
        """Open a chunk and hold it, but not the one before."""
        self._held_index, self._held = -1, b""
        last = self._geometry.is_last(index)
        self._held = self._cipher.open(index, last, sealed)
        self._held_index = index
        if last:
            VERDICTS.add(self._source.identity, self.header.header_tag)
        return self._held


def _cut(chunk: bytes, begin: int, end: int) -> bytes:
    return chunk if end - begin == len(chunk) else chunk[begin:end]
