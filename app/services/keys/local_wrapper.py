"""Key encryption keys beside the local vault: random keys that the vault keeps.

The vault of a provider wraps in its own house. The local vault is a folder, so its KEKs lie
there as everything does, wrapped under the master key, and are used in this process.
"""

from __future__ import annotations

import os
import re

from app.crypto.envelope import unwrap_once, wrap_again
from app.crypto.keys import SecretKey, generate_key
from app.errors import DecryptionFailed, KeyDamaged, KeyNotFound, KeyVaultError
from app.services.keys.vaulting import KeyVaulting
from app.vault.cache import KeyCache
from app.vault.interface import VersionInfo, WrappedKey
from app.vault.references import check_reference

_VERSION_BYTES = 16
_VERSION = re.compile(r"[0-9a-f]{32}")


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
        check_reference(wrapped.kek, "kek.unwrap")
        if not _VERSION.fullmatch(wrapped.version):
            raise _gone(wrapped.kek, wrapped.version)
        key = self._key(wrapped.kek, wrapped.version)
        try:
            return unwrap_once(key, wrapped.ct)
        except DecryptionFailed:
            raise _damaged(wrapped) from None

    def rotate(self, kek: str) -> str:
        check_reference(kek, "kek.rotate")
        version = os.urandom(_VERSION_BYTES)
        self._vaulting.store(kek, version, generate_key())
        self._cache.forget(kek)
        return version.hex()

    def newest(self, kek: str) -> str | None:
        return next((info.version for info in self._infos(kek) if info.current), None)

    def versions(self, kek: str) -> tuple[str, ...]:
        return tuple(info.version for info in self._infos(kek) if info.enabled)

    def retire(self, kek: str, version: str) -> None:
        """The vault forgets no single version: a key that nobody has takes its place."""
        check_reference(kek, "kek.retire")
        if self.newest(kek) == version:
            raise KeyVaultError(
                "The newest version of a key encryption key cannot be retired: rotate it first",
                operation="kek.retire",
                details={"kek": kek, "version": version},
            )
        try:
            entry = self._vaulting.vault.get(kek, version)
        except KeyNotFound:
            return
        if entry.enabled:
            self._vaulting.vault.disable(kek, version)
        self._vaulting.store(kek, bytes.fromhex(version), generate_key())
        self._cache.forget(kek)

    def _infos(self, kek: str) -> tuple[VersionInfo, ...]:
        try:
            return self._vaulting.vault.versions(kek)
        except KeyNotFound:
            return ()

    def _key(self, kek: str, version: str) -> SecretKey:
        return self._cache.get(kek, version, lambda: self._load(kek, version))

    def _load(self, kek: str, version: str) -> SecretKey:
        entry = self._vaulting.vault.get(kek, version)
        if not entry.enabled:
            raise _gone(kek, version)
        return self._vaulting.load(kek, bytes.fromhex(version))


def _gone(kek: str, version: str) -> KeyNotFound:
    return KeyNotFound(
        "The vault has no such version of the key encryption key",
        operation="kek.unwrap",
        details={"kek": kek, "version": version},
    )


def _damaged(wrapped: WrappedKey) -> KeyDamaged:
    return KeyDamaged(
        "The wrapped key is damaged, or was wrapped by another vault",
        operation="kek.unwrap",
        details={"kek": wrapped.kek, "version": wrapped.version},
    )
