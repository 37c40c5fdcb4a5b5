"""Deleting in Azure Key Vault: soft deletion first, then purging where that is allowed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeVar

from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import DeletedSecret, SecretClient

from app.errors import KeyNotFound, KeyVaultUnavailable
from app.vault.line import VaultLine

T = TypeVar("T")

# Deleting takes Azure some seconds, purging likewise.
_WAIT_SECONDS = 20.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0


class AzureDeletion:
    """Destroys secrets as far as the vault lets us.

    Without purge protection and with the permission to purge, nothing is left. Otherwise the
    secret, which is wrapped under the master key, can be recovered by an administrator of the
    vault, and its name is blocked, until Azure purges it.
    """

    def __init__(self, client: SecretClient, line: VaultLine) -> None:
        self._client = client
        self._line = line

    def delete(self, reference: str) -> None:
        """Raises KeyVaultUnavailable where it has to be called again."""
        deleting = self._begin(reference)
        deleted = self._deleted(reference)
        if deleting and deleted is None:
            deleted = self._wait(lambda: self._deleted(reference), reference)
        if deleted is not None and _is_purgeable(deleted) and self._purged(reference):
            with suppress(KeyVaultUnavailable):  # it was accepted: there is no way back
                self._wait(lambda: self._deleted(reference) is None or None, reference)

    def recoverable_until(self, reference: str) -> datetime | None:
        """When Azure purges the secret by itself; None for one that is not soft-deleted."""
        deleted = self._deleted(reference)
        if deleted is None or deleted.scheduled_purge_date is None:
            return None
        return deleted.scheduled_purge_date.astimezone(UTC)

    def _begin(self, reference: str) -> bool:
        """False where nothing is to be waited for: not there, or a vault without soft
        deletion."""

        def begin() -> bool:
            try:
                deleted = self._client.begin_delete_secret(reference).result()
            except HttpResponseError as error:
                if error.status_code != 409:  # somebody else is deleting it
                    raise
                return True
            return deleted.recovery_id is not None

        with suppress(KeyNotFound):
            return self._line.ask("vault.delete", reference, begin)
        return False

    def _deleted(self, reference: str) -> DeletedSecret | None:
        with suppress(KeyNotFound):
            return self._line.ask(
                "vault.delete", reference, lambda: self._client.get_deleted_secret(reference)
            )
        return None

    def _purged(self, reference: str) -> bool:
        """False where the policy does not let us."""

        def purge() -> bool:
            try:
                self._client.purge_deleted_secret(reference)
            except HttpResponseError as error:
                if error.status_code not in {403, 409}:
                    raise
                return error.status_code == 409  # being purged already
            return True

        with suppress(KeyNotFound):
            return self._line.ask("vault.delete", reference, purge)
        return True

    def _wait(self, look: Callable[[], T | None], reference: str) -> T:
        deadline, pause = time.monotonic() + _WAIT_SECONDS, _FIRST_PAUSE
        while (seen := look()) is None:
            if time.monotonic() + pause > deadline:
                raise KeyVaultUnavailable(
                    "The vault is still deleting this key; delete it again in a moment",
                    operation="vault.delete",
                    details={"reference": reference},
                )
            time.sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)
        return seen


def _is_purgeable(deleted: DeletedSecret) -> bool:
    """Recovery levels: https://learn.microsoft.com/rest/api/keyvault/ DeletionRecoveryLevel."""
    return "Purgeable" in (deleted.properties.recovery_level or "")
