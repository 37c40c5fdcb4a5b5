"""The sealed parts of a backup: lines of JSON, compressed, then sealed as one blob."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, BlobWriter, ChunkPolicy, read_header
from app.errors import DecryptionFailed
from app.services.backup.manifest import NO_VERSION, Part
from app.storage.archive import Archive, StagedFile
from app.storage.interface import BlobHandle

PIECE: Final = 256 * 1024
"""Bytes of JSON that are compressed, or of an object that are hashed, at once."""
LONGEST_LINE: Final = 64 * 1024 * 1024
_POLICY = ChunkPolicy(single_chunk_limit=PIECE, stream_chunk=PIECE)


class PartWriter:
    """Writes one part; as a context manager it leaves nothing unless `finish` was called."""

    def __init__(self, archive: Archive, key: str, dek: SecretKey, backup_id: UUID) -> None:
        self._staged: StagedFile = archive.stage(key)
        self._sink = _Hashed(self._staged)
        context = BlobContext(
            file_id=backup_id, role=Role.JOB_RESULT, key_version_id=NO_VERSION
        )
        self._writer = BlobWriter(self._sink, dek, context, _POLICY)
        self._pack = zlib.compressobj(6)
        self._waiting: list[bytes] = []
        self._length = self.lines = 0

    def add(self, line: Mapping[str, Any] | Sequence[Any]) -> None:
        """Append one line."""
        text = json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"
        self._waiting.append(text)
        self._length += len(text)
        self.lines += 1
        if self._length >= PIECE:
            self._flush()

    def finish(self) -> Part:
        """Make the part visible, durably."""
        self._flush()
        self._writer.write(self._pack.flush())
        facts = self._writer.finish()
        self._staged.commit(replace=True)
        return Part(facts.enc_size, self._sink.digest.hexdigest(), facts.header_tag.hex())

    def _flush(self) -> None:
        self._writer.write(self._pack.compress(b"".join(self._waiting)))
        self._waiting, self._length = [], 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._staged.abort()


class _Hashed:
    """A sink that takes the hash of what passes."""

    def __init__(self, staged: StagedFile) -> None:
        self._staged = staged
        self.digest = hashlib.sha256()

    def write(self, data: memoryview | bytes, /) -> int:
        self.digest.update(data)
        return self._staged.write(data)


def read_part(
    archive: Archive, key: str, part: Part, dek: SecretKey, backup_id: UUID
) -> Iterator[Any]:
    """The lines of a part; DecryptionFailed as soon as anything of it was touched.

    Nothing is given of a chunk that does not verify; that the end is missing, or that it is
    another backup's part, shows at the first line.
    """
    with archive.open(key) as handle:
        header = read_header(handle)
        reader = BlobReader(handle, header, dek, file_id=backup_id, role=Role.JOB_RESULT)
        if handle.size != part.size or header.header_tag.hex() != part.tag:
            raise DecryptionFailed(operation="backup.part")
        yield from _lines(reader)


def _lines(reader: BlobReader) -> Iterator[Any]:
    unpack = zlib.decompressobj()
    rest = b""
    try:
        with closing(reader.chunks()) as chunks:  # type: ignore[type-var]
            for chunk in chunks:
                data: bytes = chunk
                while data:
                    *whole, rest = (rest + unpack.decompress(data, PIECE)).split(b"\n")
                    data = unpack.unconsumed_tail
                    yield from map(json.loads, whole)
                    if len(rest) > LONGEST_LINE:
                        raise DecryptionFailed(operation="backup.part")
        *whole, rest = (rest + unpack.flush()).split(b"\n")
        yield from map(json.loads, whole)
    except (zlib.error, ValueError):
        raise DecryptionFailed(operation="backup.part") from None
    if rest or not unpack.eof:
        raise DecryptionFailed(operation="backup.part")


def pieces(handle: BlobHandle) -> Iterator[memoryview]:
    """The sealed bytes of a blob, in one buffer that is used again."""
    buffer = memoryview(bytearray(min(PIECE, max(handle.size, 1))))
    offset = 0
    while offset < handle.size:
        taken = handle.pread_into(buffer[: handle.size - offset], offset)
        if not taken:
            raise DecryptionFailed(operation="backup.read")
        yield buffer[:taken]
        offset += taken


def sha256_of(handle: BlobHandle) -> str:
    """The hash of a whole blob as it lies there, in hex."""
    digest = hashlib.sha256()
    for piece in pieces(handle):
        digest.update(piece)
    return digest.hexdigest()
