"""Writing blobs: from pieces or from a file object."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.crypto.blob_header import HEADER_BYTES, BlobHeader, new_header
from app.crypto.buffers import POOL
from app.crypto.chunking import TAG_BYTES, ChunkCipher, ChunkPolicy, Geometry
from app.crypto.context import BlobContext
from app.crypto.keys import SecretKey
from app.crypto.outlet import (
    ByteSink,
    Outlet,
    WriteBehind,
    WriteThrough,
)
from app.errors import EncryptionError

DEFAULT_POLICY = ChunkPolicy()


class ByteSource(Protocol):
    """Gives plaintext, as a file opened ``rb`` does; 0 means the end."""

    def readinto(self, buffer: memoryview, /) -> int | None: ...


@dataclass(frozen=True, slots=True)
class SealedFacts:
    """What is known of a blob that was sealed: sizes in bytes, both tags."""

    header: BlobHeader
    enc_size: int
    plain_size: int
    header_tag: bytes
    final_tag: bytes


class BlobWriter:
    """Seals what is written to it, piece by piece, into a sink.

    With ``size`` (bytes of plaintext) known, exactly so many must come. Without it, up to
    ``policy.single_chunk_limit`` bytes are held back until it is clear how to cut the blob.
    At most one chunk of plaintext is held after that, and what comes whole is not copied
    first. Half a blob is never resumed.

    Raises `EncryptionError` for a wrong size and for use after `finish`.
    """

    def __init__(
        self,
        sink: ByteSink,
        key: SecretKey,
        context: BlobContext,
        policy: ChunkPolicy = DEFAULT_POLICY,
        size: int | None = None,
    ) -> None:
        self._sink, self._key, self._context = sink, key, context
        self._policy, self._size = policy, size
        self._received = 0
        self._early = bytearray()
        self._run: SealingRun | None = None
        self._loans: list[bytearray] = []
        self._chunk = memoryview(b"")
        self._width = self._fill = 0
        self._ended = self._finished = False
        if size is not None:
            self._start_for(size)

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take all of ``data``; returns its length in bytes."""
        view = memoryview(data).cast("B")
        self._received += len(view)
        if self._finished or (self._size is not None and self._received > self._size):
            raise EncryptionError("More was written than was announced", operation="blob.seal")
        if self._size is None:
            self._decide()
        if self._run is None:
            self._early += view
        else:
            self._feed(self._run, view)
        return len(view)

    def finish(self) -> SealedFacts:
        """Seal the final chunk; the blob is complete only after this."""
        if self._finished or (self._size is not None and self._received != self._size):
            raise EncryptionError("Less was written than was announced", operation="blob.seal")
        self._finished = True
        run = self._run or self._start_for(self._received)
        if not self._ended:
            run.seal(self._chunk[: self._fill], last=True)
        self._chunk = memoryview(b"")
        while self._loans:
            POOL.give_back(self._loans.pop())
        return run.facts()

    def _decide(self) -> None:
        """Of an unknown size: cut the blob as soon as it is too long for one chunk."""
        if self._received > self._policy.single_chunk_limit:
            stream_chunk = self._policy.stream_chunk
            Geometry.of_plain(self._received, stream_chunk)  # refuses what is too large
            if self._run is None:
                self._start(stream_chunk, stream_chunk)

    def _start_for(self, size: int) -> SealingRun:
        geometry = Geometry.of_plain(size, self._policy.chunk_size(size))
        return self._start(geometry.chunk_size, geometry.widest)

    def _start(self, chunk_size: int, widest: int) -> SealingRun:
        outlet = WriteThrough(self._sink, self._borrow(_sealed_width(widest)))
        self._run = SealingRun(outlet, self._key, self._context, chunk_size)
        self._width = widest
        early, self._early = self._early, bytearray()
        self._feed(self._run, memoryview(early))
        return self._run

    def _borrow(self, length: int) -> memoryview:
        """A spare buffer until `finish`; a writer that is given up just drops it."""
        self._loans.append(POOL.take(length))
        return memoryview(self._loans[-1])[:length]

    def _feed(self, run: SealingRun, view: memoryview) -> None:
        """Seal every chunk that is followed by a byte, and the final one once all are here."""
        width, all_here = self._width, self._received == self._size
        while view:
            if self._fill == width:
                run.seal(self._chunk, last=False)
                self._fill = 0
            if self._fill == 0 and (all_here or len(view) > width):
                self._ended = len(view) <= width
                run.seal(view[:width], last=self._ended)
                view = view[width:]
            else:
                view = view[self._hold(view) :]

    def _hold(self, view: memoryview) -> int:
        """Keep what fits into the chunk that is being filled; returns how much."""
        if not self._chunk:
            self._chunk = self._borrow(self._width)
        taken = min(self._width - self._fill, len(view))
        self._chunk[self._fill : self._fill + taken] = view[:taken]
        self._fill += taken
        return taken


class SealingRun:
    """One encryption run: a header, then consecutive chunks, into an outlet."""

    def __init__(
        self, outlet: Outlet, key: SecretKey, context: BlobContext, chunk_size: int
    ) -> None:
        self._header, packed, subkeys = new_header(context, chunk_size, key)
        self._cipher = ChunkCipher(subkeys, packed)
        self._outlet = outlet
        self._index = self._plain_size = 0
        self._enc_size = len(packed)
        self._final_tag = b""
        space = outlet.space(len(packed))
        space[:] = packed
        outlet.put(space)

    def seal(self, plain: memoryview, *, last: bool) -> None:
        sealed = self._outlet.space(len(plain) + TAG_BYTES)
        self._cipher.seal_into(self._index, last, plain, sealed)
        if last:
            self._final_tag = bytes(sealed[-TAG_BYTES:])
        self._index += 1
        self._plain_size += len(plain)
        self._enc_size += len(sealed)
        self._outlet.put(sealed)

    def facts(self) -> SealedFacts:
        return SealedFacts(
            header=self._header,
            enc_size=self._enc_size,
            plain_size=self._plain_size,
            header_tag=self._header.header_tag,
            final_tag=self._final_tag,
        )


def seal_stream(
    source: ByteSource,
    sink: ByteSink,
    key: SecretKey,
    context: BlobContext,
    policy: ChunkPolicy = DEFAULT_POLICY,
    *,
    size: int,
) -> SealedFacts:
    """Seal exactly ``size`` bytes of ``source``; what follows is left unread.

    Buffers of min(chunk, size) are reused: one for plaintext; one for ciphertext, or two
    for a large file, which is written while it is sealed. Raises `EncryptionError` when the
    source ends early, and what the source and the sink raise.
    """
    geometry = Geometry.of_plain(size, policy.chunk_size(size))
    width = _sealed_width(geometry.widest)
    batch = geometry.batch(geometry.count) * width
    with POOL.borrow(geometry.widest) as plain:
        if not batch:
            with POOL.borrow(width) as sealed:
                outlet = WriteThrough(sink, sealed)
                run = SealingRun(outlet, key, context, geometry.chunk_size)
                return _seal_chunks(source, run, geometry, plain)
        with (
            POOL.borrow(batch) as one,
            POOL.borrow(batch) as other,
            WriteBehind(sink, (one, other)) as behind,
        ):
            run = SealingRun(behind, key, context, geometry.chunk_size)
            return _seal_chunks(source, run, geometry, plain)


def _seal_chunks(
    source: ByteSource, run: SealingRun, geometry: Geometry, buffer: memoryview
) -> SealedFacts:
    for index in range(geometry.count):
        plain = buffer[: geometry.plain_length(index)]
        _fill(source, plain)
        run.seal(plain, last=geometry.is_last(index))
    return run.facts()


def _sealed_width(widest: int) -> int:
    """Of a buffer that holds the largest sealed chunk, and the header."""
    return max(widest + TAG_BYTES, HEADER_BYTES)


def _fill(source: ByteSource, buffer: memoryview) -> None:
    while buffer:
        taken = source.readinto(buffer)
        if not taken:
            raise EncryptionError(
                "Less could be read than was announced", operation="blob.seal"
            )
        buffer = buffer[taken:]
