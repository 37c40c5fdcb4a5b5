"""Two vaults of one installation: one that keys leave, and one that they go to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.crypto.kdf import MasterKey
from app.errors import (
    ConfigurationError,
    DecryptionFailed,
    KeyDamaged,
    KeyManagementError,
    KeyNotFound,
)
from app.services.keys.root_keys import ROOT_NAMES, root_reference
from app.services.keys.vaulting import KeyVaulting, master_of
from app.vault.interface import KeyVault, VaultEntry, VersionInfo

ROOT, FILE, KEK = "root-", "file-", "kek-"


class VaultPair:
    """Copies and compares single keys. ``masters`` as for KeyVaulting."""

    def __init__(
        self, source: KeyVault, target: KeyVault, masters: Sequence[MasterKey]
    ) -> None:
        self.source = source
        self.target = target
        self._opener = KeyVaulting(source, masters)

    def require_target(self) -> None:
        """Raise ConfigurationError unless the source has root keys, and the target is empty
        or has some of the same."""
        if not any(_versions(self.source, root_reference(name)) for name in ROOT_NAMES):
            raise _refused("The vault that keys leave has no root keys: is it the right one?")
        self._require_same(self.target)

    def require_source(self) -> None:
        """Raise ConfigurationError unless what is to be emptied is of this installation."""
        self._require_same(self.source)

    def _require_same(self, doubtful: KeyVault) -> None:
        """Versions are random: who shares one of each root key is the same installation.
        Root keys come first and go last, so that no other keys are without them."""
        found = False
        for name in ROOT_NAMES:
            ours = _versions(self.source, root_reference(name))
            theirs = _versions(self.target, root_reference(name))
            found |= bool(ours if doubtful is self.source else theirs)
            if ours and theirs and not {i.version for i in ours} & {i.version for i in theirs}:
                raise _refused(
                    "The two vaults hold the keys of different installations: name an empty"
                    " one, and check the settings of both."
                )
        if not found and next(doubtful.references(FILE), None) is not None:
            raise _refused(
                "One of the vaults holds file keys without root keys: it belongs to something"
                " else, or is not complete. Name an empty one, and check the settings of both."
            )

    def in_source(self) -> Iterator[str]:
        """Every reference of the source, root keys first."""
        yield from self.source.references(ROOT)
        yield from (one for one in self.source.references() if not one.startswith(ROOT))

    def copy(self, reference: str) -> None:
        """All versions; the current one last, so that it is the current one there too.

        What is there already under the present master key stays: it may have been wrapped
        anew since it was copied. Raises KeyNotFound, KeyDamaged where the other vault holds
        another key under this version, and what the vaults raise.
        """
        known = {info.version for info in _versions(self.target, reference)}
        for info in sorted(self.source.versions(reference), key=lambda info: info.current):
            version, entry = info.version, self.source.get(reference, info.version)
            found = self.target.get(reference, version) if version in known else None
            if found is None or self._is_behind(reference, entry, found):
                self.target.put(
                    reference,
                    version,
                    entry.value,
                    content_type=entry.content_type,
                    expires_on=entry.expires_on,
                )
            if not entry.enabled and (found is None or found.enabled):
                self.target.disable(reference, version)
            self._require_equal(reference, entry, self.target.get(reference, version))

    def compare(self, reference: str) -> None:
        """Each version of the source opens to the same key in both, whatever was re-wrapped
        since; KeyNotFound and KeyDamaged if not."""
        for info in self.source.versions(reference):
            here = self._opener.open_entry(reference, self.source.get(reference, info.version))
            there = self.target.get(reference, info.version)
            if here != self._opener.open_entry(reference, there):
                raise _differs(reference)

    def _is_behind(self, reference: str, entry: VaultEntry, found: VaultEntry) -> bool:
        """Whether the target's entry has to be replaced."""
        if _told(entry) == _told(found):
            return False
        ours = self._opener.open_entry(reference, entry)
        try:
            theirs = self._opener.open_entry(reference, found)
        except (DecryptionFailed, KeyDamaged, KeyManagementError):
            return True
        if ours != theirs:
            raise _differs(reference)
        return master_of(found.content_type) != self._opener.master_id

    def _require_equal(self, reference: str, entry: VaultEntry, copied: VaultEntry) -> None:
        if _told(entry) != _told(copied) and self._is_behind(reference, entry, copied):
            raise _differs(reference)


def _told(entry: VaultEntry) -> tuple[bytes, str]:
    return entry.value, entry.content_type


def _versions(vault: KeyVault, reference: str) -> tuple[VersionInfo, ...]:
    try:
        return vault.versions(reference)
    except KeyNotFound:
        return ()


def _refused(message: str) -> ConfigurationError:
    return ConfigurationError(message, operation="keys.move")


def _differs(reference: str) -> KeyDamaged:
    return KeyDamaged(
        "The vaults do not hold the same key",
        operation="keys.move",
        details={"reference": reference},
    )
