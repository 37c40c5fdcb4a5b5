"""Writing blobs: from pieces, from a file object, or from memory."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Protocol

from app.crypto.blob_header import BlobHeader, new_header
from app.crypto.chunking import TAG_BYTES, ChunkCipher, ChunkPolicy, Geometry
from app.crypto.context import BlobContext
from app.crypto.keys import SecretKey
from app.errors import EncryptionError

DEFAULT_POLICY = ChunkPolicy()


class ByteSink(Protocol):
    """Takes sealed bytes.

    ``write`` takes all of them before it returns: the buffer is used again afterwards. If
    it returns an int, that is the number of bytes it took.
    """

    def write(self, data: memoryview | bytes, /) -> object: ...


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
    At most one chunk of plaintext is held after that. Half a blob is never resumed.

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
        self._chunk = memoryview(b"")
        self._fill = 0
        self._finished = False
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
        run.seal(self._chunk[: self._fill], last=True)
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
        self._run = SealingRun(self._sink, self._key, self._context, chunk_size, widest)
        self._chunk = memoryview(bytearray(widest))
        early, self._early = self._early, bytearray()
        self._feed(self._run, memoryview(early))
        return self._run

    def _feed(self, run: SealingRun, view: memoryview) -> None:
        """Seal every chunk that is followed by a byte; keep the rest for `finish`."""
        width = len(self._chunk)
        while view:
            if self._fill == width:
                run.seal(self._chunk, last=False)
                self._fill = 0
            if self._fill == 0 and len(view) > width:
                run.seal(view[:width], last=False)
                view = view[width:]
            else:
                taken = min(width - self._fill, len(view))
                self._chunk[self._fill : self._fill + taken] = view[:taken]
                self._fill += taken
                view = view[taken:]


class SealingRun:
    """One encryption run: a header, then consecutive chunks, through one reused buffer.

    ``widest`` is the plaintext bytes of the largest chunk that will come. A variant that
    seals ahead of the sink in threads would replace this class: `ChunkCipher` does not mind
    the order of chunks.
    """

    def __init__(
        self,
        sink: ByteSink,
        key: SecretKey,
        context: BlobContext,
        chunk_size: int,
        widest: int,
    ) -> None:
        self._header, packed, subkeys = new_header(context, chunk_size, key)
        self._cipher = ChunkCipher(subkeys, packed)
        self._sink = sink
        self._sealed = memoryview(bytearray(widest + TAG_BYTES))
        self._index = self._plain_size = self._enc_size = 0
        self._final_tag = b""
        self._put(packed)

    def seal(self, plain: memoryview, *, last: bool) -> None:
        sealed = self._sealed[: len(plain) + TAG_BYTES]
        self._cipher.seal_into(self._index, last, plain, sealed)
        self._put(sealed)
        self._index += 1
        self._plain_size += len(plain)
        if last:
            self._final_tag = bytes(sealed[-TAG_BYTES:])

    def facts(self) -> SealedFacts:
        return SealedFacts(
            header=self._header,
            enc_size=self._enc_size,
            plain_size=self._plain_size,
            header_tag=self._header.header_tag,
            final_tag=self._final_tag,
        )

    def _put(self, data: memoryview | bytes) -> None:
        taken = self._sink.write(data)
        if isinstance(taken, int) and taken != len(data):
            raise EncryptionError("The sink did not take every byte", operation="blob.seal")
        self._enc_size += len(data)


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

    Two buffers of min(chunk, size) are reused for all chunks. Raises `EncryptionError` when
    the source ends early.
    """
    geometry = Geometry.of_plain(size, policy.chunk_size(size))
    run = SealingRun(sink, key, context, geometry.chunk_size, geometry.widest)
    buffer = memoryview(bytearray(geometry.widest))
    for index in range(geometry.count):
        plain = buffer[: geometry.plain_length(index)]
        _fill(source, plain)
        run.seal(plain, last=geometry.is_last(index))
    return run.facts()


def _fill(source: ByteSource, buffer: memoryview) -> None:
    while buffer:
        taken = source.readinto(buffer)
        if not taken:
            raise EncryptionError(
                "Less could be read than was announced", operation="blob.seal"
            )
        buffer = buffer[taken:]


def seal_bytes(
    plain: bytes | bytearray | memoryview,
    key: SecretKey,
    context: BlobContext,
    policy: ChunkPolicy = DEFAULT_POLICY,
) -> tuple[bytes, SealedFacts]:
    """A whole blob in memory: for thumbnails, records and other small ones."""
    view = memoryview(plain).cast("B")
    geometry = Geometry.of_plain(len(view), policy.chunk_size(len(view)))
    header, packed, subkeys = new_header(context, geometry.chunk_size, key)
    cipher = ChunkCipher(subkeys, packed)
    blob = _zeros(geometry.sealed_size)
    with blob.getbuffer() as sealed:
        sealed[: len(packed)] = packed
        for index in range(geometry.count):
            begin = index * geometry.chunk_size
            length = geometry.plain_length(index)
            offset = geometry.offset(index)
            cipher.seal_into(
                index,
                geometry.is_last(index),
                view[begin : begin + length],
                sealed[offset : offset + length + TAG_BYTES],
            )
        final_tag = bytes(sealed[-TAG_BYTES:])
    facts = SealedFacts(header, geometry.sealed_size, len(view), header.header_tag, final_tag)
    return blob.getvalue(), facts


def _zeros(size: int) -> io.BytesIO:
    """A writable buffer whose ``getvalue`` is bytes without a copy of them."""
    buffer = io.BytesIO()
    buffer.seek(size - 1)
    buffer.write(b"\x00")
    return buffer
