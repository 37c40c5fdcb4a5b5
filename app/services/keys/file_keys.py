"""The keys of files: one random key a file, in the vault before anything is sealed with it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.crypto.keys import SecretKey, generate_key
from app.errors import KeyDamaged, KeyNotFound
from app.models.file_key import FileKey
from app.services.keys.vaulting import KeyVaulting
from app.vault.cache import KeyCache

_VERSION_BYTES = 16
_RANDOM = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class NewFileKey:
    """A key that is in the vault and not yet in the database. Times are aware, in UTC."""

    file_id: UUID
    reference: str
    generation: int
    version: bytes
    dek: SecretKey
    created_at: datetime
    expires_at: datetime | None


class FileKeyService:
    """Makes, fetches and destroys the keys of files; the KeySource of the encrypted store.

    ``rotation_days`` is the life of a key until a rotation is due, 0 for no end; ``jitter``
    is the fraction by which it varies to both sides, so that what was imported in one night
    does not fall due in one night. Safe to use from many threads.
    """

    def __init__(
        self,
        vaulting: KeyVaulting,
        cache: KeyCache,
        clock: Callable[[], datetime],
        rotation_days: int,
        jitter: float = 0.1,
        require_vault: Callable[[], None] = lambda: None,
    ) -> None:
        self._vaulting = vaulting
        self._cache = cache
        self._clock = clock
        self._rotation = timedelta(days=rotation_days)
        self._jitter = jitter
        self._require_vault = require_vault

    def new(self, file_id: UUID, *, generation: int = 1) -> NewFileKey:
        """Make a key and put it into the vault; durable when it returns.

        Raises KeyVaultError. Whoever cannot commit ``row`` afterwards calls ``destroy``.
        """
        created_at = self._clock()
        new = NewFileKey(
            file_id=file_id,
            reference=file_reference(file_id),
            generation=generation,
            version=os.urandom(_VERSION_BYTES),
            dek=generate_key(),
            created_at=created_at,
            expires_at=self._expiry(created_at),
        )
        self._vaulting.store(new.reference, new.version, new.dek, expires_on=new.expires_at)
        # The picture is looked at right after it was uploaded.
        self._cache.get(new.reference, new.version.hex(), lambda: new.dek)
        return new

    def row(self, new: NewFileKey) -> FileKey:
        """The row of the key, active, to be added in the transaction that adds the file."""
        return FileKey(
            file_id=new.file_id,
            key_reference=new.reference,
            generation=new.generation,
            version_id=new.version,
            state="active",
            mode="direct",
            created_at=new.created_at,
            expires_at=new.expires_at,
        )

    def key(self, file_id: UUID, version: bytes) -> SecretKey:
        """The key of a version; from memory if it was used within the cache's time.

        The caller has asked the database for the key's state before. Raises what
        ``KeyVaulting.load`` raises.
        """
        reference = file_reference(file_id)
        return self._cache.get(reference, version.hex(), lambda: self._load(reference, version))

    def _load(self, reference: str, version: bytes) -> SecretKey:
        """A key is missing or damaged only in a vault that is ours.

        Asked once more after that was seen, since a lost mount may be back by then; what is
        raised before it is not remembered as missing.
        """
        with suppress(KeyNotFound, KeyDamaged):
            return self._vaulting.load(reference, version)
        self._require_vault()
        return self._vaulting.load(reference, version)

    def destroy(self, file_id: UUID) -> None:
        """Destroy all versions of a file's key, its copies too; again is no error.

        Raises KeyVaultUnavailable, and has then to be called again: the key may still be
        there. This process forgets the key in any case.
        """
        reference = file_reference(file_id)
        try:
            self._vaulting.delete(reference)
        finally:
            self._cache.forget(reference)

    def _expiry(self, created_at: datetime) -> datetime | None:
        if not self._rotation:
            return None
        return created_at + self._rotation * (1 + _RANDOM.uniform(-self._jitter, self._jitter))


def file_reference(file_id: UUID) -> str:
    """What the vault and the sidecar call the key of a file: ``file-<uuid>``."""
    return f"file-{file_id}"
