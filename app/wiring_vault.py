"""The key vault from settings; what only one kind needs is imported for that kind alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from app.config import Settings
from app.config_vault import VaultMode
from app.db.times import utc_now
from app.errors import ConfigurationError
from app.vault.interface import KeyVault, KeyWrapper
from app.vault.local import LocalVault


@dataclass(frozen=True)
class VaultParts:
    """A vault and, where it has one of its own, the wrapper that keeps KEKs in it."""

    vault: KeyVault
    wrapper: KeyWrapper | None
    close: Callable[[], None]


def build_vault(settings: Settings, mode: VaultMode | None = None) -> VaultParts:
    """The vault in use, or the one of another mode that the settings describe.

    Asks and touches nothing. Raises ConfigurationError where settings or packages of that
    mode are missing.
    """
    mode = mode or settings.vault.mode
    settings.vault.require(mode)
    if mode == "local":
        return _local(settings)
    with _packages(mode):
        return _azure(settings) if mode == "azure" else _hashicorp(settings)


def _local(settings: Settings) -> VaultParts:
    grace = timedelta(hours=settings.key_grace_hours)
    vault = LocalVault(settings.vault_path, grace=grace, clock=utc_now)
    return VaultParts(vault, None, vault.close)


def _azure(settings: Settings) -> VaultParts:
    from app.vault import azure_access as access
    from app.vault.azure import AzureVault
    from app.vault.azure_keys import AzureWrapper

    given = settings.vault
    who = access.AzureAccess(given.url, given.tenant_id, given.client_id, given.client_secret)
    credential = access.credential_of(who)
    vault = AzureVault(access.secret_client(who, credential), utc_now)
    wrapper = AzureWrapper(access.key_client(who, credential))

    def close() -> None:
        vault.close()
        wrapper.close()

    return VaultParts(vault, wrapper, close)


def _hashicorp(settings: Settings) -> VaultParts:
    from app.vault.hashicorp import HashicorpVault
    from app.vault.hashicorp_session import HashicorpAccess, HashicorpSession
    from app.vault.hashicorp_transit import TransitWrapper

    given = settings.vault
    session = HashicorpSession(
        HashicorpAccess(
            url=given.url,
            token=given.token,
            role_id=given.role_id,
            secret_id=given.secret_id,
            namespace=given.namespace,
            cacert=given.cacert,
        )
    )
    vault = HashicorpVault(session, given.mount, utc_now)
    return VaultParts(vault, TransitWrapper(session), session.close)


@contextmanager
def _packages(mode: str) -> Iterator[None]:
    """The packages of remote vaults are no part of the smallest installation."""
    try:
        yield
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] == "app":
            raise
        raise ConfigurationError(
            f"KEY_VAULT_MODE={mode} needs packages that are not installed here: run"
            " .venv/bin/pip install --require-hashes -r requirements-scale.txt",
            operation="settings.vault",
        ) from None
