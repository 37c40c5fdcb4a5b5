"""Key encryption keys in Azure Key Vault: RSA keys that never leave it.

Wrapping is RSA-OAEP-256 and done here, on the public key; unwrapping is asked of the vault.
A version is Azure's own, 32 hex digits.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from azure.core.exceptions import HttpResponseError
from azure.keyvault.keys import KeyClient, KeyOperation, KeyVaultKey
from azure.keyvault.keys.crypto import CryptographyClient, KeyWrapAlgorithm

from app.errors import KeyDamaged, KeyNotFound, KeyVaultError
from app.vault.azure_access import AZURE_ERRORS, DISABLED, inner_code, judge
from app.vault.interface import WrappedKey
from app.vault.line import VaultLine
from app.vault.references import check_reference

_ALGORITHM = KeyWrapAlgorithm.rsa_oaep_256
_RSA_BITS = 3072
_OPERATIONS: list[str | KeyOperation] = [KeyOperation.wrap_key, KeyOperation.unwrap_key]
_VERSION = re.compile(r"[0-9a-f]{32}")
# For so long another process may go on wrapping under the version before a rotation.
_PUBLIC_SECONDS = 60.0
# 256 KEKs, each with two versions or so in use.
_CLIENTS = 1024


class AzureWrapper:
    """The KeyWrapper of ``KEY_VAULT_MODE=azure``."""

    def __init__(
        self, client: KeyClient, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._monotonic = monotonic
        self._line = VaultLine(AZURE_ERRORS, judge)
        self._lock = threading.Lock()
        self._public: dict[str, tuple[float, KeyVaultKey]] = {}
        self._of_version = lru_cache(_CLIENTS)(self._cryptography)

    def wrap(self, kek: str, wrapped_dek: bytes) -> WrappedKey:
        check_reference(kek, "kek.wrap")
        key = self._newest_public(kek)
        done = self._line.ask(
            "kek.wrap",
            kek,
            lambda: CryptographyClient.from_jwk(key.key).wrap_key(_ALGORITHM, wrapped_dek),
        )
        return WrappedKey(kek, _version_of(key), done.encrypted_key)

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        check_reference(wrapped.kek, "kek.unwrap")
        if not _VERSION.fullmatch(wrapped.version):
            raise _gone(wrapped)

        def unwrap() -> bytes | KeyVaultError:
            crypto = self._of_version(wrapped.kek, wrapped.version)
            try:
                return crypto.unwrap_key(_ALGORITHM, wrapped.ct).key
            except HttpResponseError as error:
                if inner_code(error) in DISABLED:
                    return _gone(wrapped)
                if error.status_code == 400:
                    return _damaged(wrapped)
                raise

        plain = self._line.ask("kek.unwrap", wrapped.kek, unwrap)
        if isinstance(plain, KeyVaultError):
            raise plain
        return plain

    def rotate(self, kek: str) -> str:
        check_reference(kek, "kek.rotate")
        try:
            key = self._line.ask("kek.rotate", kek, lambda: self._client.rotate_key(kek))
        except KeyNotFound:
            key = self._create(kek)
        self._remember(kek, key)
        return _version_of(key)

    def newest(self, kek: str) -> str | None:
        check_reference(kek, "kek.newest")
        with suppress(KeyNotFound):
            return _version_of(self._get(kek, "kek.newest"))
        return None

    def versions(self, kek: str) -> tuple[str, ...]:
        """One page of 25 is one request. Within a second their order is not known, but that
        the newest is the last one."""
        check_reference(kek, "kek.versions")
        newest = self.newest(kek)
        if newest is None:
            return ()
        found = self._line.ask(
            "kek.versions", kek, lambda: list(self._client.list_properties_of_key_versions(kek))
        )
        enabled = [one for one in found if one.enabled and one.version != newest]
        enabled.sort(key=lambda one: one.created_on.timestamp() if one.created_on else 0.0)
        return (*(one.version or "" for one in enabled), newest)

    def retire(self, kek: str, version: str) -> None:
        """Azure destroys no single version of a key: it is disabled, and unwraps no more."""
        check_reference(kek, "kek.retire")
        if self.newest(kek) == version:
            raise KeyVaultError(
                "The newest version of a key encryption key cannot be retired: rotate it first",
                operation="kek.retire",
                details={"kek": kek, "version": version},
            )
        self._line.ask(
            "kek.retire",
            kek,
            lambda: self._client.update_key_properties(kek, version, enabled=False),
        )

    def close(self) -> None:
        """Give back the connections."""
        self._client.close()

    def _cryptography(self, kek: str, version: str) -> CryptographyClient:
        """Asks for the public key at its first use, which is one request more."""
        return self._client.get_cryptography_client(kek, key_version=version)

    def _newest_public(self, kek: str) -> KeyVaultKey:
        """The public key, from memory if it was asked for within the minute."""
        known = self._public.get(kek)
        if known is not None and self._monotonic() < known[0]:
            return known[1]
        with self._lock:
            try:
                key = self._get(kek, "kek.wrap")
            except KeyNotFound:
                key = self._create(kek)
            self._remember(kek, key)
            return key

    def _remember(self, kek: str, key: KeyVaultKey) -> None:
        self._public[kek] = (self._monotonic() + _PUBLIC_SECONDS, key)

    def _get(self, kek: str, operation: str) -> KeyVaultKey:
        return self._line.ask(operation, kek, lambda: self._client.get_key(kek))

    def _create(self, kek: str) -> KeyVaultKey:
        """Two processes at once make two versions: both unwrap, the newer one wraps."""
        return self._line.ask(
            "kek.create",
            kek,
            lambda: self._client.create_rsa_key(
                kek, size=_RSA_BITS, key_operations=_OPERATIONS
            ),
        )


def _version_of(key: KeyVaultKey) -> str:
    return key.properties.version or ""


def _gone(wrapped: WrappedKey) -> KeyNotFound:
    return KeyNotFound(
        "The vault has no such version of the key encryption key",
        operation="kek.unwrap",
        details={"kek": wrapped.kek, "version": wrapped.version},
    )


def _damaged(wrapped: WrappedKey) -> KeyDamaged:
    return KeyDamaged(
        "The wrapped key is damaged, or was wrapped by another vault",
        operation="kek.unwrap",
        details={"kek": wrapped.kek, "version": wrapped.version},
    )
