"""Keys of files without rows: fetched by what a header names, and their rows made anew."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.crypto.keys import SecretKey
from app.domain.ids import new_id
from app.errors import KeyNotFound
from app.services.keys import Envelope, Keying, KeyVaulting, file_reference
from app.storage.sidecar import Sidecar
from app.vault.interface import VersionInfo

_RANDOM = random.SystemRandom()


class BareKeys:
    """The vault, and the envelopes of sidecars; remembers nothing."""

    def __init__(self, vaulting: KeyVaulting, keying: Keying, rotation_days: int) -> None:
        self._vaulting = vaulting
        self._keying = keying
        self._rotation = timedelta(days=rotation_days)

    def key(self, file_id: UUID, version: bytes, sidecar: Sidecar | None = None) -> SecretKey:
        """The DEK of this id; raises what ``KeyVaulting.load`` and ``Keying.open`` raise."""
        try:
            return self._vaulting.load(file_reference(file_id), version)
        except KeyNotFound:
            for entry in sidecar.entries if sidecar is not None else ():
                if entry.wrapped_dek is not None and entry.key_version == version:
                    return self._keying.open(Envelope.from_sidecar(entry.wrapped_dek))
            raise

    def rows(
        self,
        file_id: UUID,
        active: tuple[bytes, int],
        named: Mapping[bytes, int],
        sidecar: Sidecar | None,
        now: datetime,
    ) -> list[dict[str, Any]]:
        """The rows of ``file_keys``; ``active`` is version and generation of what is in use.

        ``named`` are the generations of all versions that a header or an entry of the
        sidecar names: of an interrupted rotation there are two.
        """
        known = {bytes.fromhex(info.version): info for info in self._versions(file_id)}
        generations = _generations(known, active, named)
        rows = [
            self._row(file_id, version, generation, active, known.get(version), sidecar, now)
            for version, generation in generations.items()
        ]
        return [row for row in rows if row is not None]

    def _versions(self, file_id: UUID) -> tuple[VersionInfo, ...]:
        try:
            return self._vaulting.vault.versions(file_reference(file_id))
        except KeyNotFound:
            return ()

    def _row(
        self,
        file_id: UUID,
        version: bytes,
        generation: int,
        active: tuple[bytes, int],
        info: VersionInfo | None,
        sidecar: Sidecar | None,
        now: datetime,
    ) -> dict[str, Any] | None:
        """None for a key that is neither in the vault nor in an envelope."""
        envelope = None if info is not None else _envelope_of(sidecar, version)
        if info is None and envelope is None:
            return None
        return {
            "id": new_id(),
            "file_id": file_id,
            "key_reference": file_reference(file_id),
            "generation": generation,
            "version_id": version,
            "state": _state(version, generation, active, info),
            "mode": "direct" if envelope is None else "envelope",
            "wrapped_dek": envelope.to_row() if envelope is not None else None,
            "created_at": info.created_on if info is not None else now,
            "expires_at": info.expires_on if info is not None else self._some_day(now),
        }

    def _some_day(self, now: datetime) -> datetime | None:
        """An envelope does not say since when its key is used: not all are due on one day."""
        return now + self._rotation * _RANDOM.random() if self._rotation else None


def _envelope_of(sidecar: Sidecar | None, version: bytes) -> Envelope | None:
    for entry in sidecar.entries if sidecar is not None else ():
        if entry.wrapped_dek is not None and entry.key_version == version:
            return Envelope.from_sidecar(entry.wrapped_dek)
    return None


def _generations(
    known: Mapping[bytes, VersionInfo], active: tuple[bytes, int], named: Mapping[bytes, int]
) -> dict[bytes, int]:
    """Version -> generation. What nothing names any more was in use before, newest first; a
    key that is younger than the active one was made by a rotation that did not get far."""
    in_use, generation = active
    found = {**named, in_use: generation}
    since = known[in_use].created_on if in_use in known else None
    taken, below = set(found.values()), generation
    for version, info in sorted(known.items(), key=lambda each: each[1].created_on)[::-1]:
        if version in found:
            continue
        younger = since is not None and info.created_on > since
        if younger and info.enabled and generation + 1 not in taken:
            found[version] = generation + 1
        elif not younger and below > 1:
            below = next((n for n in range(below - 1, 0, -1) if n not in taken), 0)
            if below:
                found[version] = below
        taken = set(found.values())
    return found


def _state(
    version: bytes, generation: int, active: tuple[bytes, int], info: VersionInfo | None
) -> str:
    if version == active[0]:
        return "active"
    if generation > active[1]:
        return "pending"
    return "retiring" if info is None or info.enabled else "retired"
