"""The few requests about secrets that the vault of Azure is made of, each asked patiently."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from azure.core.exceptions import HttpResponseError
from azure.keyvault.secrets import KeyVaultSecret, SecretClient, SecretProperties

from app.errors import KeyDamaged, KeyNotFound
from app.vault.azure_access import DISABLED, inner_code
from app.vault.azure_version import AzureVersion, Versions, read_version
from app.vault.line import Pace, VaultLine

T = TypeVar("T")

_PAGE = 25
# Azure allows 300 creations in 10 s a vault, for all who use it.
_CREATIONS, _CREATION_SECONDS = 250, 10.0


class AzureSecrets:
    """``reference`` is the name of a secret, ``azure_id`` Azure's name of one version."""

    def __init__(self, client: SecretClient, line: VaultLine) -> None:
        self._client = client
        self._line = line
        self._pace = Pace(_CREATIONS, _CREATION_SECONDS)

    def look(self) -> None:
        """Raise what keeps us out of the vault; one request."""
        pages = self._client.list_properties_of_secrets(max_page_size=1).by_page()
        self._next_page(pages, "vault.check", "")

    def names(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Every name in the vault, ours or not, with the tags of its newest version."""
        pages = self._client.list_properties_of_secrets(max_page_size=_PAGE).by_page()
        while (page := self._next_page(pages, "vault.references", "")) is not None:
            yield from ((found.name or "", found.tags or {}) for found in page)

    def versions(self, reference: str, operation: str) -> Versions:
        """Nothing for a name that is not there."""
        pages = self._client.list_properties_of_secret_versions(
            reference, max_page_size=_PAGE
        ).by_page()
        found: list[AzureVersion] = []
        with suppress(KeyNotFound):
            while (page := self._next_page(pages, operation, reference)) is not None:
                read = (_read(reference, properties) for properties in page)
                found += [one for one in read if one is not None]
        return Versions(found)

    def create(
        self,
        reference: str,
        value: bytes,
        tags: dict[str, str],
        *,
        enabled: bool,
        content_type: str,
        expires_on: datetime | None,
    ) -> bool:
        """Make a new Azure version; False where a deleted secret blocks the name."""
        text = base64.b64encode(value).decode("ascii")

        def create() -> bool:
            try:
                self._client.set_secret(
                    reference,
                    text,
                    tags=tags,
                    content_type=content_type,
                    expires_on=expires_on,
                    enabled=enabled,
                )
            except HttpResponseError as error:
                if error.status_code != 409:
                    raise
                return False
            return True

        self._pace.wait("vault.put")
        return self._line.ask("vault.put", reference, create)

    def read(
        self, reference: str, azure_id: str = ""
    ) -> tuple[bytes, AzureVersion | None] | None:
        """The value of a version, of the newest by default, and what stands on it, which is
        None for one that is not ours. None where Azure gives no value, as it is disabled."""

        def get() -> KeyVaultSecret | None:
            try:
                return self._client.get_secret(reference, azure_id or None)
            except HttpResponseError as error:
                if inner_code(error) not in DISABLED:
                    raise
                return None

        secret = self._line.ask("vault.get", reference, get)
        if secret is None:
            return None
        about = _read(reference, secret.properties)
        with suppress(ValueError):
            value = secret.value or ""
            return (base64.b64decode(value, validate=True) if about else b""), about
        raise _damaged(reference)

    def update(
        self,
        reference: str,
        one: AzureVersion,
        *,
        enabled: bool,
        tags: dict[str, str] | None = None,
    ) -> None:
        """Let Azure give the value or not; ``tags`` replace those that are there."""
        self._line.ask(
            "vault.update",
            reference,
            lambda: self._client.update_secret_properties(
                reference, one.azure_id, enabled=enabled, tags=tags
            ),
        )

    def _next_page(
        self, pages: Iterator[Iterator[T]], operation: str, reference: str
    ) -> list[T] | None:
        def turn() -> list[T] | None:
            page = next(pages, None)
            return None if page is None else list(page)

        return self._line.ask(operation, reference, turn)


def _read(reference: str, properties: SecretProperties) -> AzureVersion | None:
    with suppress(ValueError):
        return read_version(properties)
    raise _damaged(reference)


def _damaged(reference: str) -> KeyDamaged:
    return KeyDamaged(
        "What the vault holds under this name is no key of Darkroom, or was damaged",
        operation="vault.get",
        details={"reference": reference},
    )
