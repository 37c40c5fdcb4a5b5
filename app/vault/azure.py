"""Azure Key Vault: one secret a reference, one secret version a wrapping of a key.

What stands on a version is described in ``azure_version``. Names in Azure are
case-insensitive; a deleted name is blocked until it was purged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from azure.keyvault.secrets import SecretClient

from app.errors import KeyNotFound, KeyVaultError, KeyVaultUnavailable
from app.vault.azure_access import AZURE_ERRORS, judge
from app.vault.azure_deletion import AzureDeletion
from app.vault.azure_secrets import AzureSecrets
from app.vault.azure_version import VERSION, AzureVersion, tags_of
from app.vault.interface import VaultEntry, VersionInfo
from app.vault.line import VaultLine
from app.vault.references import check_reference, check_version, is_reference

_TRIES = 5


class AzureVault:
    """The KeyVault of ``KEY_VAULT_MODE=azure``; its duties are those of the Protocol.

    ``clock`` gives the aware time now. Nothing is asked before the first call.
    """

    def __init__(self, client: SecretClient, clock: Callable[[], datetime]) -> None:
        line = VaultLine(AZURE_ERRORS, judge)
        self._close = client.close
        self._clock = clock
        self._secrets = AzureSecrets(client, line)
        self._deletion = AzureDeletion(client, line)

    def prepare(self) -> None:
        """Vaults are an administrator's to make: this one has to be there."""
        self.check()

    def put(
        self,
        reference: str,
        version: str,
        value: bytes,
        *,
        content_type: str,
        expires_on: datetime | None = None,
    ) -> None:
        check_reference(reference, "vault.put")
        check_version(version, "vault.put")
        known = self._secrets.versions(reference, "vault.put")
        former = known.newest(version)
        disabled = former is not None and known.is_disabled(version)
        made = self._secrets.create(
            reference,
            value,
            tags_of(
                version,
                former.place if former else known.next_place(),
                former.wrapping + 1 if former else 1,
                former.created_on if former else self._clock(),
                disabled=disabled,
            ),
            enabled=not disabled,
            content_type=content_type,
            expires_on=expires_on,
        )
        if not made:
            raise self._blocked(reference)
        if former is not None:
            self._settle(reference, version)

    def get(self, reference: str, version: str) -> VaultEntry:
        """One request where the version is the newest of all, as that of most files is."""
        check_reference(reference, "vault.get")
        check_version(version, "vault.get")
        latest = self._secrets.read(reference)
        if latest is not None:
            value, about = latest
            if about is not None and about.version == version and about.enabled:
                return _entry(about, value, enabled=True)
        known = self._secrets.versions(reference, "vault.get")
        newest = known.newest(version)
        if newest is None:
            raise _not_there("vault.get", reference, version)
        value = self._value_of_any(reference, newest)
        return _entry(newest, value, enabled=not known.is_disabled(version))

    def disable(self, reference: str, version: str) -> None:
        check_reference(reference, "vault.disable")
        check_version(version, "vault.disable")
        if self._secrets.versions(reference, "vault.disable").newest(version) is None:
            raise _not_there("vault.disable", reference, version)
        self._shut_all(reference, version)

    def delete(self, reference: str) -> None:
        """Deleted, and purged where the vault lets us; see `recoverable_until`."""
        check_reference(reference, "vault.delete")
        self._deletion.delete(reference)

    def recoverable_until(self, reference: str) -> datetime | None:
        """The end of the vault's soft deletion, where purging is not allowed."""
        check_reference(reference, "vault.recoverable")
        return self._deletion.recoverable_until(reference)

    def versions(self, reference: str) -> tuple[VersionInfo, ...]:
        check_reference(reference, "vault.versions")
        known = self._secrets.versions(reference, "vault.versions")
        if not known:
            raise _not_there("vault.versions", reference)
        return known.infos()

    def references(self, prefix: str = "") -> Iterator[str]:
        """Secrets without our tag are passed over: the vault may serve others as well."""
        for name, tags in self._secrets.names():
            if VERSION in tags and is_reference(name) and name.startswith(prefix):
                yield name

    def check(self) -> None:
        self._secrets.look()

    def close(self) -> None:
        self._close()

    def _blocked(self, reference: str) -> KeyVaultError:
        """Why a name cannot be used: it was deleted, and is not purged yet."""
        until = self._deletion.recoverable_until(reference)
        details = {"reference": reference}
        if until is None:
            text = "The vault is still deleting a key of this name; try again in a moment"
            return KeyVaultUnavailable(text, operation="vault.put", details=details)
        return KeyVaultError(
            "A deleted key blocks this name in the vault until"
            f" {until.astimezone(UTC):%Y-%m-%d %H:%M} UTC; recover or purge it there",
            operation="vault.put",
            details=details,
        )

    def _settle(self, reference: str, version: str) -> None:
        """Shut the former wrappings, and the new one where somebody disabled meanwhile."""
        known = self._secrets.versions(reference, "vault.put")
        if known.is_disabled(version):
            self._shut_all(reference, version)
            return
        for former in known.all_of(version)[:-1]:
            if former.open:
                self._secrets.update(reference, former, enabled=False)

    def _shut_all(self, reference: str, version: str) -> None:
        """Again until none is left: a writer may add a wrapping meanwhile."""
        for _ in range(_TRIES):
            wrappings = self._secrets.versions(reference, "vault.disable").all_of(version)
            left = [one for one in wrappings if one.open or not one.disabled]
            if not left:
                return
            for one in left:
                self._secrets.update(reference, one, enabled=False, tags=one.disabled_tags)
        raise _contended("vault.disable", reference)

    def _value_of_any(self, reference: str, found: AzureVersion) -> bytes:
        """Azure gives no value of what is disabled, so that is opened for a moment.

        Who reads the tag keeps on seeing a disabled key meanwhile, also after a crash.
        """
        for _ in range(_TRIES):
            read = self._secrets.read(reference, found.azure_id)
            if read is None:
                read = self._opened(reference, found)
            if read is not None:
                return read[0]
            time.sleep(0.05)
        raise _contended("vault.get", reference)

    def _opened(
        self, reference: str, found: AzureVersion
    ) -> tuple[bytes, AzureVersion | None] | None:
        """None where somebody shut it again in between."""
        self._secrets.update(reference, found, enabled=True, tags=found.opened_tags)
        try:
            return self._secrets.read(reference, found.azure_id)
        finally:
            self._secrets.update(reference, found, enabled=False, tags=found.tags)


def _entry(about: AzureVersion, value: bytes, *, enabled: bool) -> VaultEntry:
    return VaultEntry(value, about.content_type, enabled, about.created_on, about.expires_on)


def _not_there(operation: str, reference: str, version: str | None = None) -> KeyNotFound:
    return KeyNotFound(
        "The vault has no such version of this key" if version else "The vault has no such key",
        operation=operation,
        details={"reference": reference, "version": version},
    )


def _contended(operation: str, reference: str) -> KeyVaultUnavailable:
    return KeyVaultUnavailable(
        "Others change this key in the vault at the same time; try again in a moment",
        operation=operation,
        details={"reference": reference},
    )
