"""The rooms of the house that everything needs: vault, root keys, and the database, whose
columns open with a root key.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from sqlalchemy import Engine

from app.config import Settings
from app.config_vault import VaultMode
from app.crypto.kdf import MasterKey
from app.db.session import UnitOfWork, make_engine
from app.errors import ConfigurationError
from app.services.keys import KeyVaulting, RootKeys
from app.services.measured_vault import MeasuredVault
from app.vault.interface import KeyVault
from app.wiring_keys import live_cipher
from app.wiring_vault import VaultParts, build_vault


class KeyRooms:
    """Made on first use, as every part of the house; the root keys are fetched then."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def masters(self) -> tuple[MasterKey, ...]:
        """The current master key first, then those that are only read with."""
        keys = (self.settings.encryption_key, *self.settings.encryption_key_previous)
        return tuple(MasterKey(key) for key in keys)

    @cached_property
    def vault_parts(self) -> VaultParts:
        return build_vault(self.settings)

    @property
    def vault(self) -> KeyVault:
        return self.vault_parts.vault

    @contextmanager
    def two_vaults(
        self, to: VaultMode, source: VaultMode | None = None
    ) -> Iterator[tuple[KeyVault, KeyVault, VaultMode]]:
        """A vault that keys leave, one that they go to, and which mode is in use.

        Both from the same settings; ConfigurationError where they are the same, or where
        what one of them needs is missing.
        """
        present = self.settings.vault.mode
        if (source or present) == to:
            raise ConfigurationError(
                "The keys are in that vault already: say with --from where they were.",
                operation="keys.move",
            )
        old, new = build_vault(self.settings, source), build_vault(self.settings, to)
        try:
            yield old.vault, new.vault, present
        finally:
            old.close()
            new.close()

    @cached_property
    def vaulting(self) -> KeyVaulting:
        return KeyVaulting(MeasuredVault(self.vault), self.masters)

    @cached_property
    def roots(self) -> RootKeys:
        """The root keys of an installation that exists: never made here."""
        return RootKeys.load_or_create(self.vaulting, allow_create=False)

    @cached_property
    def plain_engine(self) -> Engine:
        """For migrations and the start check: sees tokens, opens none."""
        return make_engine(self.settings.database_url, None)

    @cached_property
    def engine(self) -> Engine:
        return make_engine(self.settings.database_url, live_cipher(self.roots), make=False)

    @cached_property
    def uow(self) -> UnitOfWork:
        return UnitOfWork(self.engine)
