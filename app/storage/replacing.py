"""Sealing the blobs of one file again under its next key, each beside the one in place.

The order of store-format.md, section 4, is kept by who calls this: derivatives, record, the
lead last. Here is what one blob goes through: opened and verified, sealed into a temporary
file, synced, opened again and verified whole; and what its sidecar says meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from app.crypto.blob_header import BlobHeader
from app.crypto.context import BlobContext, Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, SealedFacts, read_header, seal_stream
from app.errors import BlobNotFound, DecryptionFailed
from app.storage.encrypted_store import DERIVATIVES, EncryptedStore
from app.storage.interface import BlobHandle, BlobStore, StagedBlob
from app.storage.object_names import temporary_beside
from app.storage.object_paths import DIRECTORY_RECORD, ObjectPath, parse
from app.storage.opening import Floor, open_verified
from app.storage.sidecar import PrivateFacts, Sidecar, SidecarEntry, WrappedDek

TOKEN_DIGITS = 30
_BLOB, _SIDECAR = "00", "01"
_ORDER = {Role.RECORD: 1, Role.ORIGINAL: 2}

Tick = Callable[[int], None]
"""Told of every piece of so many bytes; may wait, and may raise to end the work."""


@dataclass(frozen=True, slots=True)
class FilePlace:
    """Where the blobs of one file lie: of an image, or (``image`` None) of the directory.

    ``lead`` is the blob that is replaced last; its lock is the file's.
    """

    file_id: UUID
    lead: str
    image: ObjectPath | None

    @classmethod
    def of_image(cls, path: ObjectPath) -> FilePlace:
        return cls(path.image_id, path.original, path)

    @classmethod
    def of_directory(cls, store_id: UUID) -> FilePlace:
        """The record of the store itself, which has no other blobs and no sidecar."""
        return cls(store_id, DIRECTORY_RECORD, None)


@dataclass(frozen=True, slots=True)
class BlobOfFile:
    """One blob by its key in the store, and what it has to be."""

    key: str
    role: Role
    variant: int

    @property
    def is_derivative(self) -> bool:
        return self.role in DERIVATIVES


@dataclass(frozen=True, slots=True)
class SealingKey:
    """What blobs are sealed with from now on; ``version`` is the DEK's 16-byte id."""

    generation: int
    version: bytes
    dek: SecretKey
    wrapped: WrappedDek | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """A blob that was sealed again, verified whole, and is not yet in its place.

    ``old`` is the header of the blob that it was made from, ``sha256`` is of the plaintext.
    """

    blob: BlobOfFile
    old: BlobHeader
    facts: SealedFacts
    sha256: str
    staged: StagedBlob


def blobs_of(blobs: BlobStore, place: FilePlace) -> list[BlobOfFile]:
    """What is there of a file: derivatives, then the record, then the original."""
    if place.image is None:
        there = blobs.exists(place.lead)
        return [BlobOfFile(place.lead, Role.RECORD, 0)] if there else []
    found = filter(None, map(_blob_at, blobs.keys(place.image.base + ".")))
    return sorted(found, key=lambda blob: (_ORDER.get(blob.role, 0), blob.key))


def _blob_at(key: str) -> BlobOfFile | None:
    """None for a sidecar and for what is not ours."""
    try:
        known = parse(key)
    except BlobNotFound:
        return None
    return None if known.is_sidecar else BlobOfFile(key, known.role, known.variant)


def header_at(blobs: BlobStore, key: str) -> BlobHeader | None:
    """What the blob at a key says of itself, unverified; None where there is none.

    Raises DecryptionFailed for what is no header, and ForeignBlob.
    """
    try:
        with blobs.open(key) as handle:
            return read_header(handle)
    except BlobNotFound:
        return None


class Replacing:
    """The blobs of one file for whoever holds its lease; keeps no blob open.

    ``token`` (30 hex digits) is the lease's: half-written files are called by it, so that
    whoever takes the lease over finds what a killed holder left.
    """

    def __init__(self, store: EncryptedStore, place: FilePlace, token: str, tick: Tick) -> None:
        self._store = store
        self._place = place
        self._token = token
        self._tick = tick

    def lock(self) -> AbstractContextManager[None]:
        """The file's lock: held for every replacement. Not re-entrant."""
        return self._store.blobs.lock(self._place.lead)

    @contextmanager
    def sealed_again(
        self, blob: BlobOfFile, key: SealingKey, floor: Floor
    ) -> Iterator[Replacement | None]:
        """Steps 3 and 4 for one blob; None if it is sealed with ``key`` already.

        What is not committed is gone at the end of the block. Raises what `EncryptedStore.open`
        and the store raise.
        """
        file_id = self._place.file_id
        with self._store.open(blob.key, file_id, blob.role, blob.variant, floor) as old:
            if old.reader.header.key_version_id == key.version:
                yield None
                return
            with self._store.blobs.stage(
                blob.key, durable=not blob.is_derivative, tag=self._token + _BLOB
            ) as staged:
                facts = self._seal(old.reader, staged, key)
                digest = self._verified(staged, blob, facts, key)
                yield Replacement(blob, old.reader.header, facts, digest, staged)

    def write_sidecar(self, path: ObjectPath, sidecar: Sidecar) -> None:
        """Replace the sidecar, durably; the caller holds the lock."""
        self._store.write_sidecar(path, sidecar, tag=self._token + _SIDECAR)

    def _seal(self, old: BlobReader, staged: StagedBlob, key: SealingKey) -> SealedFacts:
        header = old.header
        context = BlobContext(
            file_id=header.file_id,
            role=header.role,
            variant=header.variant,
            generation=key.generation,
            key_version_id=key.version,
            content_rev=header.content_rev,
        )
        size = old.plain_size
        source = _Chunks(old.chunks(), self._tick)
        return seal_stream(source, staged, key.dek, context, self._store.policy, size=size)

    def _verified(
        self, staged: StagedBlob, blob: BlobOfFile, facts: SealedFacts, key: SealingKey
    ) -> str:
        """Open what was written as a reader will, all of it; return the plaintext's hash."""
        handle = staged.review()
        with self._opened(handle, blob, facts.header, key) as new:
            digest, size = hashlib.sha256(), 0
            for chunk in new.chunks():
                digest.update(chunk)
                size += len(chunk)
                self._tick(0)
        if size != facts.plain_size:
            raise DecryptionFailed(operation="blob.replace")
        return digest.hexdigest()

    @contextmanager
    def _opened(
        self, handle: BlobHandle, blob: BlobOfFile, header: BlobHeader, key: SealingKey
    ) -> Iterator[BlobReader]:
        """Also checked: that the file holds what was sealed just now, and not before."""
        floor = Floor(key.generation, header.content_rev, frozenset({key.version}))
        only = _OneKey(key.dek)
        with (
            handle,
            open_verified(handle, only, header.file_id, blob.role, blob.variant, floor) as new,
        ):
            if new.reader.header != header:
                raise DecryptionFailed(operation="blob.replace")
            yield new.reader


def remove_temporaries(blobs: BlobStore, place: FilePlace, token: str) -> None:
    """Remove what the holder of a lease that ran out may have left half-written."""
    for slot in (_BLOB, _SIDECAR):
        blobs.delete(temporary_beside(place.lead, token + slot), durable=False)


def with_both_entries(
    sidecar: Sidecar, private: PrivateFacts, new: Replacement, key: SealingKey
) -> Sidecar:
    """Step 5: the entry of the blob in place, and one of the blob that will replace it."""
    alone = replace(sidecar, entries=(sidecar.entry_of(new.old),))
    entry = SidecarEntry.of_blob(new.facts, key.wrapped)
    return alone.with_entry(entry, private, key.dek, new.facts.header)


def with_one_entry(sidecar: Sidecar, header: BlobHeader) -> Sidecar:
    """Step 8: the entry of the blob in place alone; SidecarInvalid if there is none."""
    return replace(sidecar, entries=(sidecar.entry_of(header),))


class _OneKey:
    """A KeySource that knows one key."""

    def __init__(self, dek: SecretKey) -> None:
        self._dek = dek

    def key(self, file_id: UUID, version: bytes, /) -> SecretKey:
        del file_id, version
        return self._dek


class _Chunks:
    """Verified chunks as a ByteSource."""

    def __init__(self, chunks: Iterator[bytes], tick: Tick) -> None:
        self._chunks = chunks
        self._tick = tick
        self._rest = memoryview(b"")

    def readinto(self, buffer: memoryview, /) -> int:
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._tick(len(chunk))
            self._rest = memoryview(chunk)
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken
