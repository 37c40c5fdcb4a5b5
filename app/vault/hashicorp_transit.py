"""Key encryption keys in the Transit engine of HashiCorp Vault and OpenBao.

A KEK is a Transit key of type aes256-gcm96, made by its first use and neither exportable nor
in any backup in clear. ``WrappedKey.ct`` is what stands behind ``vault:v<version>:``, as bytes.
"""

from __future__ import annotations

import base64
import re
from contextlib import suppress
from typing import Any

from hvac import exceptions as refused

from app.errors import KeyDamaged, KeyNotFound, KeyVaultError
from app.vault.hashicorp_session import HashicorpSession
from app.vault.interface import WrappedKey
from app.vault.references import check_reference

TRANSIT_MOUNT = "transit"
_CIPHERTEXT = re.compile(r"vault:v([1-9][0-9]*):([A-Za-z0-9+/=]+)")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class TransitWrapper:
    """The KeyWrapper of ``KEY_VAULT_MODE=hashicorp``."""

    def __init__(self, session: HashicorpSession, mount: str = TRANSIT_MOUNT) -> None:
        self._session = session
        self._mount = mount

    def wrap(self, kek: str, wrapped_dek: bytes) -> WrappedKey:
        check_reference(kek, "kek.wrap")
        plaintext = base64.b64encode(wrapped_dek).decode("ascii")

        def encrypt(client: Any) -> str:
            answer = client.secrets.transit.encrypt_data(
                kek, plaintext, mount_point=self._mount
            )
            return str(answer["data"]["ciphertext"])

        found = _CIPHERTEXT.fullmatch(self._session.ask("kek.wrap", kek, encrypt))
        if found is None:
            raise KeyVaultError("The vault's answer makes no sense", operation="kek.wrap")
        return WrappedKey(kek, found[1], base64.b64decode(found[2]))

    def unwrap(self, wrapped: WrappedKey) -> bytes:
        check_reference(wrapped.kek, "kek.unwrap")
        _check_number(wrapped, "kek.unwrap")
        ciphertext = f"vault:v{wrapped.version}:{base64.b64encode(wrapped.ct).decode('ascii')}"

        def decrypt(client: Any) -> bytes | None:
            try:
                answer = client.secrets.transit.decrypt_data(
                    wrapped.kek, ciphertext, mount_point=self._mount
                )
            except refused.InvalidRequest:
                return None
            return base64.b64decode(answer["data"]["plaintext"], validate=True)

        plain = self._session.ask("kek.unwrap", wrapped.kek, decrypt)
        if plain is None:
            raise self._why_not(wrapped)
        return plain

    def rotate(self, kek: str) -> str:
        check_reference(kek, "kek.rotate")
        if self.newest(kek) is None:
            self.wrap(kek, b"")
        else:
            self._session.ask(
                "kek.rotate",
                kek,
                lambda client: client.secrets.transit.rotate_key(kek, mount_point=self._mount),
            )
        return str(self._about(kek, "kek.rotate")["latest_version"])

    def newest(self, kek: str) -> str | None:
        check_reference(kek, "kek.newest")
        with suppress(KeyNotFound):
            return str(self._about(kek, "kek.newest")["latest_version"])
        return None

    def versions(self, kek: str) -> tuple[str, ...]:
        check_reference(kek, "kek.versions")
        with suppress(KeyNotFound):
            about = self._about(kek, "kek.versions")
            lowest = int(about["min_decryption_version"])
            return tuple(map(str, sorted(v for v in map(int, about["keys"]) if v >= lowest)))
        return ()

    def retire(self, kek: str, version: str) -> None:
        """Transit can only destroy its oldest versions: retire from the oldest on. One that
        has older ones before it stays; the newest is refused."""
        check_reference(kek, "kek.retire")
        number = _check_number(WrappedKey(kek, version, b""), "kek.retire")
        about = self._about(kek, "kek.retire")
        if number >= int(about["latest_version"]):
            raise KeyVaultError(
                "The newest version of a key encryption key cannot be retired: rotate it first",
                operation="kek.retire",
                details={"kek": kek, "version": version},
            )
        if number > min(map(int, about["keys"])):
            return
        self._session.ask("kek.retire", kek, lambda client: self._trim(client, kek, number))

    def _trim(self, client: Any, kek: str, number: int) -> None:
        # Not by hvac's own method: that asks for min_encryption_version to be the larger one.
        lowest = {"min_decryption_version": number + 1, "min_encryption_version": number + 1}
        client.adapter.post(f"/v1/{self._mount}/keys/{kek}/config", json=lowest)
        client.secrets.transit.trim_key(kek, number + 1, mount_point=self._mount)

    def _about(self, kek: str, operation: str) -> dict[str, Any]:
        about: dict[str, Any] = self._session.ask(
            operation,
            kek,
            lambda client: client.secrets.transit.read_key(kek, mount_point=self._mount)[
                "data"
            ],
        )
        return about

    def _why_not(self, wrapped: WrappedKey) -> KeyVaultError:
        """The version is gone, or was never there; or the bytes are not what it wrapped."""
        details = {"kek": wrapped.kek, "version": wrapped.version}
        with suppress(KeyNotFound):
            if wrapped.version in self._about(wrapped.kek, "kek.unwrap")["keys"]:
                return KeyDamaged(
                    "The wrapped key is damaged, or was wrapped by another vault",
                    operation="kek.unwrap",
                    details=details,
                )
        return KeyNotFound(
            "The vault has no such version of the key encryption key",
            operation="kek.unwrap",
            details=details,
        )


def _check_number(wrapped: WrappedKey, operation: str) -> int:
    if not _NUMBER.fullmatch(wrapped.version):
        raise KeyNotFound(
            "The vault has no such version of the key encryption key",
            operation=operation,
            details={"kek": wrapped.kek},
        )
    return int(wrapped.version)
