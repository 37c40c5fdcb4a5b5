"""Between clear keys and the vault: what the vault holds is wrapped under the master key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.crypto.envelope import unwrap_key, wrap_key
from app.crypto.kdf import MasterKey
from app.crypto.keys import SecretKey
from app.errors import EncryptionError, KeyDamaged, KeyManagementError
from app.vault.interface import KeyVault, VaultEntry

# docs/store-format.md, section 4: the content type carries the master key's id, so that no
# key is tried at random and the progress of a re-wrap can be counted.
_CONTENT_TYPE = "application/x-darkroom-dek;v=1;m="
_CONTENT_TYPE_FORM = re.compile(re.escape(_CONTENT_TYPE) + "([0-9a-f]{8})")


def master_of(content_type: str) -> str | None:
    """The 8 hex digits of the master key that a value is wrapped under; None: no key."""
    form = _CONTENT_TYPE_FORM.fullmatch(content_type)
    return form[1] if form is not None else None


class KeyVaulting:
    """Stores keys in a vault and fetches them, wrapped under the master key on the way.

    ``masters`` are the current master key and then the previous ones, which are only read
    with. Versions are 16 bytes here and 32 hex digits in the vault.
    """

    def __init__(self, vault: KeyVault, masters: Sequence[MasterKey]) -> None:
        if not masters:
            raise EncryptionError("ENCRYPTION_KEY not configured", operation="keys.masters")
        self.vault = vault
        self._current = masters[0]
        self._masters: dict[str, MasterKey] = {}
        for master in masters:
            known = self._masters.setdefault(master.id, master)
            if known.check != master.check:
                raise KeyManagementError(
                    "Two master keys have the same id and cannot be told apart",
                    operation="keys.masters",
                    details={"master": master.id},
                )

    @property
    def master_id(self) -> str:
        """The current master key by the first 8 hex digits of its check value."""
        return self._current.id

    @property
    def master_check(self) -> bytes:
        """The check value of the current master key, 32 bytes."""
        return self._current.check.reveal()

    @property
    def previous_checks(self) -> tuple[bytes, ...]:
        """The check values of those that are only read with."""
        return tuple(
            master.check.reveal()
            for master in self._masters.values()
            if master is not self._current
        )

    @property
    def previous_ids(self) -> tuple[str, ...]:
        """The ids of the master keys that are only read with."""
        return tuple(name for name in self._masters if name != self._current.id)

    def wrap(self, key: SecretKey) -> bytes:
        """40 bytes under the current master key."""
        return wrap_key(self._current.vaultwrap, key)

    def unwrap(self, master_id: str, wrapped: bytes) -> SecretKey:
        """What ``wrap`` sealed when the master key of that id was the current one.

        Raises KeyManagementError for one that is not configured, and DecryptionFailed.
        """
        return unwrap_key(self._configured(master_id).vaultwrap, wrapped)

    def rewrapped(self, entry: VaultEntry) -> VaultEntry | None:
        """The same key under the current master key; None for one that is so already.

        Raises what ``load`` raises, but opens disabled versions too. What it gives was
        unwrapped again and compared.
        """
        master = self._master_of("", entry)
        if master is self._current:
            return None
        key = unwrap_key(master.vaultwrap, entry.value)
        value = self.wrap(key)
        if self.unwrap(self.master_id, value) != key:
            raise KeyManagementError("A key was wrapped wrongly", operation="keys.rewrap")
        return replace(entry, value=value, content_type=_CONTENT_TYPE + self.master_id)

    def store(
        self,
        reference: str,
        version: bytes,
        key: SecretKey,
        *,
        expires_on: datetime | None = None,
    ) -> None:
        """Put a key into the vault; durable when it returns. Raises KeyVaultError."""
        self.vault.put(
            reference,
            version.hex(),
            self.wrap(key),
            content_type=_CONTENT_TYPE + self._current.id,
            expires_on=expires_on,
        )

    def load(self, reference: str, version: bytes) -> SecretKey:
        """The key of exactly this version.

        Raises KeyNotFound, KeyVaultUnavailable, KeyDamaged (not a key of ours),
        KeyManagementError (disabled, or wrapped under a master key that is not configured)
        and DecryptionFailed (damaged).
        """
        entry = self.vault.get(reference, version.hex())
        if not entry.enabled:
            raise KeyManagementError(
                "This version of the key is disabled",
                operation="keys.load",
                details={"reference": reference, "version": version.hex()},
            )
        return self.open_entry(reference, entry)

    def open_entry(self, reference: str, entry: VaultEntry) -> SecretKey:
        """The key in an entry that was fetched, a disabled one too: for copies of the vault.

        Raises KeyDamaged, KeyManagementError and DecryptionFailed as `load` does.
        """
        return unwrap_key(self._master_of(reference, entry).vaultwrap, entry.value)

    def recover(self, reference: str, version: bytes) -> SecretKey:
        """As ``load``, for whoever keeps the key in another place: disabled ones too."""
        entry = self.vault.get(reference, version.hex())
        return unwrap_key(self._master_of(reference, entry).vaultwrap, entry.value)

    def disable(self, reference: str, version: bytes) -> None:
        """Take a version out of use. Raises KeyNotFound if there is none."""
        self.vault.disable(reference, version.hex())

    def delete(self, reference: str) -> None:
        """Destroy a key for ever, with all its versions and copies."""
        self.vault.delete(reference)

    def _master_of(self, reference: str, entry: VaultEntry) -> MasterKey:
        master_id = master_of(entry.content_type)
        if master_id is None:
            raise KeyDamaged(
                "The vault holds something under this reference that is not a Darkroom key",
                operation="keys.load",
                details={"reference": reference},
            )
        return self._configured(master_id, reference)

    def _configured(self, master_id: str, reference: str = "") -> MasterKey:
        master = self._masters.get(master_id)
        if master is None:
            raise KeyManagementError(
                f"This key is wrapped under the master key {master_id}, which is not"
                " configured; add it to ENCRYPTION_KEY_PREVIOUS",
                operation="keys.load",
                details={"reference": reference, "master": master_id},
            )
        return master
