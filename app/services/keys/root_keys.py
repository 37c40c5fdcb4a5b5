"""The root keys of an installation: columns, indexes, ETags, audit chain, signed URLs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, Self, get_args

from app.crypto.keys import SecretKey, generate_key
from app.errors import (
    KeyManagementError,
    KeyNotFound,
    KeyVaultError,
    KeyVaultUnavailable,
)
from app.services.keys.vaulting import KeyVaulting
from app.vault.interface import KeyVault, VersionInfo

RootName = Literal["columns", "blind", "etag", "audit", "url", "transient"]
ROOT_NAMES: Final[tuple[RootName, ...]] = get_args(RootName)
_VERSION_BYTES = 16


@dataclass(frozen=True, slots=True)
class RootKey:
    """One version of a root key; ``version`` is 16 random bytes."""

    version: bytes
    key: SecretKey


class RootKeys:
    """All enabled versions of all root keys, fetched once at start and kept in memory.

    The current version of the vault is the active one; the others only read.
    """

    def __init__(self, keys: Mapping[RootName, tuple[RootKey, ...]]) -> None:
        """``keys``: of each name its versions, the active one first."""
        self._active = {name: versions[0] for name, versions in keys.items()}
        self._all = {
            name: MappingProxyType({root.version: root.key for root in versions})
            for name, versions in keys.items()
        }

    @classmethod
    def load_or_create(cls, vaulting: KeyVaulting, *, allow_create: bool) -> Self:
        """Fetch the root keys; make the missing ones if this is a first start.

        ``allow_create`` only where database and store are empty, and in one process at a
        time. A first start that was cut short is finished by the next. Raises
        KeyManagementError where keys are missing and must not be made, and what the vault
        raises; nothing is written before every key that is there was unwrapped.
        """
        if allow_create:
            vaulting.vault.prepare()
        found = {name: _load(vaulting, name) for name in ROOT_NAMES}
        missing = [name for name, versions in found.items() if not versions]
        if missing:
            _refuse_to_replace(vaulting, missing, allow_create=allow_create)
            for name in missing:
                vaulting.store(_reference(name), os.urandom(_VERSION_BYTES), generate_key())
                # Read back: what will seal is what the vault will give tomorrow.
                found[name] = _load(vaulting, name)
        return cls(found)

    def active(self, name: RootName) -> RootKey:
        """The version that seals."""
        return self._active[name]

    def all(self, name: RootName) -> Mapping[bytes, SecretKey]:
        """Every version that opens, by its 16 bytes."""
        return self._all[name]

    def require_in(self, vault: KeyVault) -> None:
        """Raise KeyVaultUnavailable unless the vault still holds keys of these.

        An empty folder in the place of a lost mount holds none, and another installation's
        vault has keys of the same names, but not these.
        """
        for name, known in self._all.items():
            if not _versions_of(vault, name) & {version.hex() for version in known}:
                raise KeyVaultUnavailable(
                    "The vault lacks the root keys of this installation; mount it or restore"
                    " it from a backup",
                    operation="keys.root",
                    details={"root": name},
                )


def _reference(name: RootName) -> str:
    return f"root-{name}"


def _versions_of(vault: KeyVault, name: RootName) -> set[str]:
    """Nothing where the reference is missing, or cannot be made sense of."""
    try:
        return {info.version for info in vault.versions(_reference(name))}
    except KeyVaultUnavailable:
        raise
    except KeyVaultError:
        return set()


def _load(vaulting: KeyVaulting, name: RootName) -> tuple[RootKey, ...]:
    """The active version first; nothing where the vault has no such reference."""
    infos: tuple[VersionInfo, ...] = ()
    with suppress(KeyNotFound):
        infos = vaulting.vault.versions(_reference(name))
    if any(info.current and not info.enabled for info in infos):
        raise KeyManagementError(
            f"The current version of the root key {name} is disabled; enable or replace it",
            operation="keys.root",
            details={"root": name},
        )
    versions = sorted(
        (info for info in infos if info.enabled), key=lambda info: not info.current
    )
    return tuple(_root_key(vaulting, name, bytes.fromhex(info.version)) for info in versions)


def _root_key(vaulting: KeyVaulting, name: RootName, version: bytes) -> RootKey:
    return RootKey(version, vaulting.load(_reference(name), version))


def _refuse_to_replace(
    vaulting: KeyVaulting, missing: list[RootName], *, allow_create: bool
) -> None:
    """A new root key in the place of a lost one would make a used database unreadable."""
    if allow_create and next(iter(vaulting.vault.references("file-")), None) is None:
        return
    names = ", ".join(map(_reference, missing))
    raise KeyManagementError(
        f"The vault lacks {names}, and this installation is in use; mount the vault or"
        " restore it from a backup",
        operation="keys.root",
        details={"missing": names},
    )
