"""The keys of files: one random key a file, kept safe before anything is sealed with it."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from app.crypto.keys import SecretKey, generate_key
from app.errors import KeyDamaged, KeyNotFound
from app.models.file_key import FileKey
from app.services.keys.key_rows import KeyRows, require_present_master
from app.services.keys.keying import Keying, KeyMode
from app.services.keys.vaulting import KeyVaulting
from app.services.keys.wrapped_dek import Envelope
from app.storage.sidecar_entry import WrappedDek
from app.vault.cache import KeyCache

_VERSION_BYTES = 16
_RANDOM = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class NewFileKey:
    """A key that is not yet in the database. Times are aware, in UTC.

    ``envelope`` None: it is in the vault. Else that is all there is of it: whoever seals
    with it writes it into the sidecar, and `row` into the database.
    """

    file_id: UUID
    reference: str
    generation: int
    version: bytes
    dek: SecretKey
    created_at: datetime
    expires_at: datetime | None
    envelope: Envelope | None = None

    @property
    def mode(self) -> KeyMode:
        return "direct" if self.envelope is None else "envelope"

    @property
    def wrapped_dek(self) -> WrappedDek | None:
        """What the entry of the sidecar says of it."""
        return self.envelope.to_sidecar() if self.envelope is not None else None


class FileKeyService:
    """Makes, fetches and destroys the keys of files; the KeySource of the encrypted store.

    ``rotation_days`` is the life of a key until a rotation is due, 0 for no end; ``jitter``
    is the fraction by which it varies to both sides, so that what was imported in one night
    does not fall due in one night. ``mode`` is how new keys are kept; where an older one is
    kept, its row says. Safe to use from many threads.
    """

    def __init__(
        self,
        vaulting: KeyVaulting,
        cache: KeyCache,
        clock: Callable[[], datetime],
        rotation_days: int,
        jitter: float = 0.1,
        require_vault: Callable[[], None] = lambda: None,
        *,
        keying: Keying | None = None,
        rows: KeyRows | None = None,
        mode: KeyMode = "direct",
    ) -> None:
        self._vaulting = vaulting
        self._cache = cache
        self._clock = clock
        self._rotation = timedelta(days=rotation_days)
        self._jitter = jitter
        self._require_vault = require_vault
        self._keying = keying
        self._rows = rows
        self._mode = mode

    def new(
        self, file_id: UUID, *, generation: int = 1, mode: KeyMode | None = None
    ) -> NewFileKey:
        """Make a key and put it into the vault, or into an envelope; durable when it returns.

        All keys of one file are kept in one way: a rotation gives the ``mode`` of the row
        that it follows. What has no original, hence no sidecar, is always "direct". Raises
        KeyVaultError. Whoever cannot commit ``row`` afterwards calls ``destroy``.
        """
        created_at, dek = self._clock(), generate_key()
        enveloped = self._keying is not None and (mode or self._mode) == "envelope"
        new = NewFileKey(
            file_id=file_id,
            reference=file_reference(file_id),
            generation=generation,
            version=os.urandom(_VERSION_BYTES),
            dek=dek,
            created_at=created_at,
            expires_at=self._expiry(created_at),
            envelope=self._keying.seal(file_id, dek) if self._keying and enveloped else None,
        )
        if new.envelope is None:
            self._vaulting.store(new.reference, new.version, dek, expires_on=new.expires_at)
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
            mode=new.mode,
            wrapped_dek=new.envelope.to_row() if new.envelope is not None else None,
            created_at=new.created_at,
            expires_at=new.expires_at,
        )

    def require_present_master(self, session: Session) -> None:
        """Ask in the transaction that adds ``row``: KeyManagementError where this worker
        still wraps under a master key that was replaced."""
        require_present_master(session, self._vaulting.master_check)

    def key(self, file_id: UUID, version: bytes) -> SecretKey:
        """The key of a version; from memory if it was used within the cache's time.

        The caller has asked the database for the key's state before. Raises what
        ``KeyVaulting.load`` raises.
        """
        reference = file_reference(file_id)
        return self._cache.get(reference, version.hex(), lambda: self._load(file_id, version))

    def from_vault(self, file_id: UUID, version: bytes) -> SecretKey:
        """As `key`, but fetched now, whatever is remembered."""
        return self._load(file_id, version)

    def versions(self, file_id: UUID, before: datetime) -> tuple[bytes, ...]:
        """The ids of the keys that the vault itself holds enabled, made before a moment."""
        try:
            infos = self._vaulting.vault.versions(file_reference(file_id))
        except KeyNotFound:
            return ()
        return tuple(
            bytes.fromhex(info.version)
            for info in infos
            if info.enabled and info.created_on < before
        )

    def disable(self, file_id: UUID, version: bytes) -> None:
        """Take a key out of use that no blob names any more; again is no error.

        One that the vault does not have needs nothing: what is in an envelope goes with its
        row. Raises KeyVaultUnavailable.
        """
        reference = file_reference(file_id)
        with suppress(KeyNotFound):
            self._vaulting.disable(reference, version)
        self._cache.forget(reference)

    def _load(self, file_id: UUID, version: bytes) -> SecretKey:
        """A key is missing or damaged only in a vault that is ours.

        Asked once more after that was seen, since a lost mount may be back by then; what is
        raised before it is not remembered as missing.
        """
        with suppress(KeyNotFound, KeyDamaged):
            return self._fetch(file_id, version)
        self._require_vault()
        return self._fetch(file_id, version)

    def _fetch(self, file_id: UUID, version: bytes) -> SecretKey:
        """Where new keys go is asked first; a key that was moved meanwhile is in the other
        place before it leaves the one."""
        enveloped = self._mode == "envelope"
        key = self._from_envelope(file_id, version) if enveloped else None
        if key is not None:
            return key
        try:
            return self._vaulting.load(file_reference(file_id), version)
        except KeyNotFound:
            key = self._from_envelope(file_id, version)
            if key is None:
                raise
            return key

    def _from_envelope(self, file_id: UUID, version: bytes) -> SecretKey | None:
        if self._rows is None or self._keying is None:
            return None
        envelope = self._rows.envelope(file_id, version)
        return self._keying.open(envelope) if envelope is not None else None

    def destroy(self, file_id: UUID) -> None:
        """Destroy all versions of a file's key, its copies too; again is no error.

        A key in an envelope is destroyed with its row and its sidecar, which is the
        caller's; here goes what the vault may have of it. Raises KeyVaultUnavailable, and
        has then to be called again: the key may still be there. This process forgets the
        key in any case.
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
