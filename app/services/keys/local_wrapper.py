"""Key encryption keys beside the local vault: random keys that the vault keeps.

The vault of a provider wraps in its own house. The local vault is a folder, so its KEKs lie
there as everything does, wrapped under the master key, and are used in this process.
"""

from __future__ import annotations

import os

from app.crypto.envelope import unwrap_once, wrap_again
from app.crypto.keys import SecretKey, generate_key
from app.errors import KeyNotFound
from app.services.keys.vaulting import KeyVaulting
from app.vault.cache import KeyCache
from app.vault.interface import WrappedKey

_VERSION_BYTES = 16


class LocalKeyWrapper:
    """The KeyWrapper of ``KEY_VAULT_MODE=local``: references ``kek-<aa>``, versions as for
    every key. Safe to use from many threads and processes.

    ``cache`` holds KEKs as it holds the keys of files, for the same time.
    """

    def __init__(self, vaulting: KeyVaulting, cache: KeyCache) -> None:
        self._vaulting = vaulting
        self._cache = cache

    def wrap(self, kek: str, wrapped_dek: bytes) -> WrappedKey:
        version = self.newest(kek) or self.rotate(kek)
        return WrappedKey(kek, version, wrap_again(self._key(kek, version), wrapped_dek))

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        return unwrap_once(self._key(wrapped.kek, wrapped.version), wrapped.ct)

    def rotate(self, kek: str) -> str:
        version = os.urandom(_VERSION_BYTES)
        self._vaulting.store(kek, version, generate_key())
        self._cache.forget(kek)
        return version.hex()

    def newest(self, kek: str) -> str | None:
        try:
            infos = self._vaulting.vault.versions(kek)
        except KeyNotFound:
            return None
        return next(info.version for info in infos if info.current)

    def retire(self, kek: str, version: str) -> None:
        """The vault forgets no single version: a key that nobody has takes its place."""
        try:
            entry = self._vaulting.vault.get(kek, version)
        except KeyNotFound:
            return
        if entry.enabled:
            self._vaulting.vault.disable(kek, version)
        self._vaulting.store(kek, bytes.fromhex(version), generate_key())
        self._cache.forget(kek)

    def _key(self, kek: str, version: str) -> SecretKey:
        return self._cache.get(kek, version, lambda: self._load(kek, version))

    def _load(self, kek: str, version: str) -> SecretKey:
        entry = self._vaulting.vault.get(kek, version)
        if not entry.enabled:
            raise KeyNotFound(
                "This version of the key encryption key was retired",
                operation="keys.unwrap",
                details={"reference": kek, "version": version},
            )
        return self._vaulting.load(kek, bytes.fromhex(version))
