"""One blob against its row: opened step by step, so that what is wrong has a name."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.crypto.blob_header import HEADER_BYTES, BlobHeader, is_genuine
from app.crypto.chunking import TAG_BYTES
from app.crypto.context import Role
from app.crypto.keys import SecretKey
from app.crypto.stream import BlobReader, read_header
from app.errors import (
    BlobNotFound,
    DecryptionFailed,
    ForeignBlob,
    KeyDamaged,
    KeyManagementError,
    KeyNotFound,
    StoreUnavailable,
)
from app.services.image_access import READABLE
from app.services.verification.findings import Damage, Flawed
from app.services.verification.rows import Expected
from app.storage.encrypted_store import KeySource
from app.storage.interface import BlobHandle

Pace = Callable[[int], None]
"""Told how many bytes were read, before the next are; may wait."""


def at_once(_read: int) -> None:
    """No pace: as fast as the disk gives."""


@dataclass(frozen=True, slots=True)
class Blob:
    """What was verified of a blob; sizes in bytes, ``sha256`` (hex) only after a full look."""

    header: BlobHeader
    key: SecretKey
    enc_size: int
    plain_size: int
    final_tag: bytes
    sha256: str | None


class Opener(Protocol):
    """What is needed of a ``BlobStore``; a backup can do as much."""

    def open(self, key: str) -> BlobHandle: ...

    def check(self) -> None: ...


class BlobCheck:
    """Looks at blobs of one store; ``require_store`` raises where that is not mounted."""

    def __init__(
        self, blobs: Opener, keys: KeySource, require_store: Callable[[], None] = lambda: None
    ) -> None:
        self._blobs = blobs
        self._keys = keys
        self._require_store = require_store

    def look(
        self, expected: Expected, role: Role, variant: int, *, full: bool, pace: Pace = at_once
    ) -> Blob:
        """Raise Flawed for damage; StoreUnavailable and KeyVaultUnavailable for no answer.

        Without ``full``: header, size and final chunk.
        """
        key = expected.image.path.key(role, variant)
        try:
            with self._blobs.open(key) as handle:
                return self.handle(handle, expected, role, variant, full=full, pace=pace)
        except BlobNotFound:
            self._require_store()
            raise Flawed(Damage.BLOB_MISSING) from None
        except ForeignBlob:
            raise Flawed(Damage.NO_FILE) from None
        except StoreUnavailable as trouble:
            self._blobs.check()
            raise Flawed(Damage.UNREADABLE, trouble.message) from None

    def header(self, expected: Expected, role: Role, variant: int) -> BlobHeader | None:
        """The header as it lies there, nothing of it verified; None if there is none."""
        try:
            with self._blobs.open(expected.image.path.key(role, variant)) as handle:
                return read_header(handle)
        except (BlobNotFound, ForeignBlob, DecryptionFailed):
            return None

    def handle(
        self,
        handle: BlobHandle,
        expected: Expected,
        role: Role,
        variant: int,
        *,
        full: bool,
        pace: Pace = at_once,
    ) -> Blob:
        """As ``look``, of a blob that is open already."""
        try:
            header = read_header(handle)
        except DecryptionFailed:
            damage = Damage.CUT if handle.size < HEADER_BYTES else Damage.HEADER
            raise Flawed(damage) from None
        if (header.file_id, header.role, header.variant) != (expected.id, role, variant):
            raise Flawed(Damage.ANOTHERS)
        dek = self._key(expected, header)
        if not is_genuine(header, dek):
            raise Flawed(Damage.HEADER)
        floor = expected.image.floor
        if header.generation < floor.generation or header.content_rev < floor.content_rev:
            raise Flawed(Damage.ROLLED_BACK)
        if role is Role.ORIGINAL and handle.size != expected.enc_size:
            raise Flawed(Damage.CUT if handle.size < expected.enc_size else Damage.GROWN)
        return _opened(handle, header, dek, full=full, pace=pace)

    def _key(self, expected: Expected, header: BlobHeader) -> SecretKey:
        state = expected.keys.get(header.key_version_id)
        if state is None:
            raise Flawed(Damage.UNKNOWN_KEY)
        if state not in READABLE:
            raise Flawed(Damage.ROLLED_BACK, f"its key is {state}")
        try:
            return self._keys.key(expected.id, header.key_version_id)
        except KeyNotFound:
            raise Flawed(Damage.KEY_MISSING) from None
        except KeyManagementError as refusal:
            disabled = "master" not in refusal.details
            raise Flawed(
                Damage.KEY_DISABLED if disabled else Damage.KEY_FOREIGN,
                "" if disabled else refusal.message,
            ) from None
        except (KeyDamaged, DecryptionFailed):
            raise Flawed(Damage.KEY_DAMAGED) from None


def _opened(
    handle: BlobHandle, header: BlobHeader, dek: SecretKey, *, full: bool, pace: Pace
) -> Blob:
    """The final chunk, or all of them; what was remembered of this file counts for nothing."""
    try:
        reader = BlobReader(
            handle,
            header,
            dek,
            file_id=header.file_id,
            role=header.role,
            variant=header.variant,
        )
        size = reader.plain_size
        digest, opened = hashlib.sha256(), 0
        for chunk in reader.chunks(0 if full else max(0, size - 1)):
            digest.update(chunk)
            opened += len(chunk)
            pace(len(chunk))
    except DecryptionFailed:
        raise Flawed(Damage.CHUNK) from None
    return Blob(
        header=header,
        key=dek,
        enc_size=handle.size,
        plain_size=size,
        final_tag=_tail(handle),
        sha256=digest.hexdigest() if full else None,
    )


def _tail(handle: BlobHandle) -> bytes:
    raw = bytearray(TAG_BYTES)
    handle.pread_into(memoryview(raw), handle.size - TAG_BYTES)
    return bytes(raw)


def require_content(expected: Expected, blob: Blob) -> None:
    """Raise Flawed unless a blob holds what was uploaded, as far as it was looked at."""
    if expected.card is None or expected.meta is None:
        raise Flawed(Damage.ROW)
    if blob.plain_size != expected.image.size:
        raise Flawed(Damage.CONTENT, "another size")
    known = str(expected.meta.get("sha256") or "")
    if blob.sha256 is not None and not hmac.compare_digest(blob.sha256, known):
        raise Flawed(Damage.CONTENT, "another SHA-256")
