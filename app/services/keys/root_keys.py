"""The root keys of an installation: columns, indexes, ETags, audit chain, signed URLs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
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
_MISSED_SECONDS = 10.0
_MISSED_MOST = 1000


Versions = Mapping[RootName, tuple["RootKey", ...]]


@dataclass(frozen=True, slots=True)
class RootKey:
    """One version of a root key; ``version`` is 16 random bytes."""

    version: bytes
    key: SecretKey


class RootKeys:
    """All enabled versions of all root keys, kept in memory.

    The current version of the vault is the active one; the others only read. A version that
    another process made is noticed at the next `refresh`, and by `find` at once: whoever
    meets a key id that is not known asks before it says that something cannot be opened.
    Safe to use from many threads.
    """

    def __init__(
        self,
        keys: Versions,
        reload: Callable[[Versions], Versions] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``keys``: of each name its versions, the active one first. ``reload`` gives those
        of now and may take over what was known."""
        self._reload = reload
        self._monotonic = monotonic
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._missed: dict[tuple[RootName, bytes], float] = {}
        self._take(keys)

    def _take(self, keys: Versions) -> None:
        self._keys = dict(keys)
        self._active = {name: versions[0] for name, versions in keys.items()}
        self._all = {
            name: MappingProxyType({root.version: root.key for root in versions})
            for name, versions in keys.items()
        }

    def refresh(self) -> bool:
        """Ask the vault for new versions and for those out of use; True if there were any.

        Raises what the vault raises; then all is as it was.
        """
        if self._reload is None:
            return False
        with self._lock:
            fresh = self._reload(self._keys)
            if _ids(fresh) == _ids(self._keys):
                return False
            self._take(fresh)
        for heard in self._listeners:
            heard()
        return True

    def on_change(self, heard: Callable[[], None]) -> None:
        """Call this after every change, from the thread that noticed it."""
        self._listeners.append(heard)

    def find(self, name: RootName, key_id: bytes) -> RootKey | None:
        """The version whose id begins with these 4 bytes; None if there is none.

        The vault is asked for one that is not known, once in 10 seconds, or once a second
        for what strangers may send. Raises what the vault raises.
        """
        found = self._known(name, key_id)
        if found is not None:
            return found
        with self._asking:  # whoever waited here may find it known
            found = self._known(name, key_id)
            if found is None and not self._was_missed(name, key_id):
                self.refresh()
                found = self._known(name, key_id)
                if found is None:
                    self._miss(name, key_id)
        return found

    def _known(self, name: RootName, key_id: bytes) -> RootKey | None:
        versions = self._keys[name]
        return next((root for root in versions if root.version[:4] == key_id), None)

    def _was_missed(self, name: RootName, key_id: bytes) -> bool:
        now = self._monotonic()
        strange = name == "url" and now < self._missed.get((name, b""), now)
        return strange or now < self._missed.get((name, key_id), now)

    def _miss(self, name: RootName, key_id: bytes) -> None:
        if len(self._missed) >= _MISSED_MOST:
            self._missed.clear()
        now = self._monotonic()
        self._missed[name, key_id] = now + _MISSED_SECONDS
        self._missed[name, b""] = now + 1

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
        found: dict[RootName, tuple[RootKey, ...]] = {
            name: _load(vaulting, name) for name in ROOT_NAMES
        }
        missing = [name for name, versions in found.items() if not versions]
        if missing:
            _refuse_to_replace(vaulting, missing, allow_create=allow_create)
            for name in missing:
                vaulting.store(root_reference(name), os.urandom(_VERSION_BYTES), generate_key())
                # Read back: what will seal is what the vault will give tomorrow.
                found[name] = _load(vaulting, name)
        return cls(found, lambda known: _reloaded(vaulting, known))

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


def root_reference(name: RootName) -> str:
    """What the vault calls it: ``root-columns`` and so on."""
    return f"root-{name}"


def _versions_of(vault: KeyVault, name: RootName) -> set[str]:
    """Nothing where the reference is missing, or cannot be made sense of."""
    try:
        return {info.version for info in vault.versions(root_reference(name))}
    except KeyVaultUnavailable:
        raise
    except KeyVaultError:
        return set()


def _ids(keys: Versions) -> dict[RootName, list[bytes]]:
    return {name: [root.version for root in versions] for name, versions in keys.items()}


def _reloaded(vaulting: KeyVaulting, known: Versions) -> Versions:
    fresh = {name: _load(vaulting, name, versions) for name, versions in known.items()}
    missing = [name for name, versions in fresh.items() if not versions]
    if missing:
        raise KeyVaultUnavailable(
            "The vault lacks root keys; mount it or restore it from a backup",
            operation="keys.root",
            details={"root": missing[0]},
        )
    return fresh


def _load(
    vaulting: KeyVaulting, name: RootName, known: tuple[RootKey, ...] = ()
) -> tuple[RootKey, ...]:
    """The active version first; nothing where the vault has no such reference.

    What is ``known`` is not fetched again.
    """
    infos: tuple[VersionInfo, ...] = ()
    with suppress(KeyNotFound):
        infos = vaulting.vault.versions(root_reference(name))
    if any(info.current and not info.enabled for info in infos):
        raise KeyManagementError(
            f"The current version of the root key {name} is disabled; enable or replace it",
            operation="keys.root",
            details={"root": name},
        )
    versions = sorted(
        (info for info in infos if info.enabled), key=lambda info: not info.current
    )
    had = {root.version: root for root in known}
    ids = [bytes.fromhex(info.version) for info in versions]
    return tuple(had.get(one) or _root_key(vaulting, name, one) for one in ids)


def _root_key(vaulting: KeyVaulting, name: RootName, version: bytes) -> RootKey:
    return RootKey(version, vaulting.load(root_reference(name), version))


def _refuse_to_replace(
    vaulting: KeyVaulting, missing: list[RootName], *, allow_create: bool
) -> None:
    """A new root key in the place of a lost one would make a used database unreadable."""
    if allow_create and next(iter(vaulting.vault.references("file-")), None) is None:
        return
    names = ", ".join(map(root_reference, missing))
    raise KeyManagementError(
        f"The vault lacks {names}, and this installation is in use; mount the vault or"
        " restore it from a backup",
        operation="keys.root",
        details={"missing": names},
    )
