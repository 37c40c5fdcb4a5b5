"""The keys of one backup: random, and locked under the master key or a passphrase.

::

    ENCRYPTION_KEY --HKDF purpose "backup"--> lock        or   passphrase --Argon2id--> lock
    lock --RFC 5649--> key (random, one a backup, 32 bytes)
    key --HKDF-Expand "darkroom/backup/<part>/v1"--> manifest, database, vault, catalogue, wrap

``wrap`` wraps every key of the vault inside the part ``vault`` once more.
"""

from __future__ import annotations

import os
from typing import Final

from app.crypto.envelope import unwrap_key, wrap_key
from app.crypto.kdf import hkdf_expand
from app.crypto.keys import SecretKey, generate_key
from app.crypto.passwords import SALT_BYTES, PasswordCost, derive_key

PASSPHRASE_COST: Final = PasswordCost(memory_kib=65536, iterations=3, lanes=1)
"""About 0.2 s and 64 MiB a guess: it is typed once a backup, and may be guessed for years."""


class BackupKey:
    """The key of one backup; it shows itself only locked."""

    __slots__ = ("_key",)

    def __init__(self, key: SecretKey | None = None) -> None:
        self._key = key or generate_key()

    def __repr__(self) -> str:
        return "<BackupKey>"

    def part(self, name: str) -> SecretKey:
        """The key of one part; ``name`` is ASCII."""
        info = b"darkroom/backup/" + name.encode("ascii") + b"/v1"
        return SecretKey(hkdf_expand(self._key.reveal(), info))

    def locked(self, lock: SecretKey) -> bytes:
        """40 bytes that open with ``lock`` alone."""
        return wrap_key(lock, self._key)

    @classmethod
    def unlocked(cls, lock: SecretKey, locked: bytes) -> BackupKey:
        """Raises `DecryptionFailed` for another lock and for anything damaged."""
        return cls(unwrap_key(lock, locked))


def new_salt() -> bytes:
    """A fresh salt for `passphrase_lock`."""
    return os.urandom(SALT_BYTES)


def passphrase_lock(passphrase: str, salt: bytes) -> SecretKey:
    """The lock that a passphrase stands for."""
    return derive_key(passphrase, salt, PASSPHRASE_COST)
