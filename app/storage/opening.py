"""Which blobs may be read: the right ids, a known key, not older than the database knows."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self
from uuid import UUID

from app.crypto.context import Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, MemorySource, PreadSource, read_header
from app.errors import DecryptionFailed, RolledBack
from app.storage.interface import BlobHandle

SMALL = 64 * 1024


class KeySource(Protocol):
    """Where DEKs come from; wiring fills it with the file-key service."""

    def key(self, file_id: UUID, version: bytes, /) -> SecretKey:
        """The DEK with this 16-byte id; ``KeyNotFound``, ``KeyVaultUnavailable``."""
        ...


@dataclass(frozen=True, slots=True)
class Floor:
    """The oldest state of a blob that the database accepts, read in the access query.

    ``readable`` are the 16-byte ids of the keys that are pending, active or retiring.
    """

    generation: int
    content_rev: int
    readable: frozenset[bytes]


class OpenBlob:
    """A verified reader and the one descriptor under it, for the whole of a response."""

    __slots__ = ("handle", "reader")

    def __init__(self, handle: BlobHandle, reader: BlobReader) -> None:
        self.handle = handle
        self.reader = reader

    def close(self) -> None:
        self.handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_verified(
    handle: BlobHandle,
    keys: KeySource,
    image_id: UUID,
    role: Role,
    variant: int,
    floor: Floor,
) -> OpenBlob:
    """The blob in ``handle``, by the rules of section 1 of the store format.

    The id that was asked for selects the key, never the header's. Raises
    ``DecryptionFailed`` for damage, ``RolledBack`` for a genuine but older blob or an
    unknown key, and what the key source raises.
    """
    source = _source(handle)
    header = read_header(source)
    if (header.file_id, header.role, header.variant) != (image_id, role, variant):
        raise DecryptionFailed(operation="blob.open")
    if header.key_version_id not in floor.readable:
        raise RolledBack(operation="blob.open", details={"reason": "unknown key"})
    dek = keys.key(image_id, header.key_version_id)
    reader = BlobReader(source, header, dek, file_id=image_id, role=role, variant=variant)
    # Only now are generation and revision authentic, and not just flipped bits.
    if header.generation < floor.generation or header.content_rev < floor.content_rev:
        raise RolledBack(operation="blob.open", details={"reason": "below the floor"})
    return OpenBlob(handle, reader)


def _source(handle: BlobHandle) -> PreadSource:
    """The blob itself, or all of it in memory: one read instead of two for a thumbnail."""
    if handle.size > SMALL:
        return handle
    whole = memoryview(bytearray(handle.size))
    return MemorySource(whole[: handle.pread_into(whole, 0)])
