"""The keys of one picture: what the vault has against what the database says it has."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.errors import KeyDamaged, KeyNotFound
from app.services.image_access import READABLE
from app.services.keys import file_reference
from app.services.verification.findings import Damage, Flawed
from app.services.verification.rows import Expected
from app.vault.interface import KeyVault, VersionInfo

SETTLED = timedelta(hours=1)
"""A rotation puts a key into the vault a moment before it tells the database."""


def check_keys(vault: KeyVault, expected: Expected, now: datetime) -> None:
    """Raise Flawed unless every readable key is there and enabled, and no other is.

    Keys that are wrapped by a key encryption key lie in the database; opening the file has
    shown that they are in order.
    """
    readable = [version for version, state in expected.keys.items() if state in READABLE]
    if not readable:
        raise Flawed(Damage.NO_KEY_ROW)
    if expected.wrapped:
        return
    infos = _versions(vault, expected)
    for version in readable:
        info = infos.get(version.hex())
        if info is None:
            raise Flawed(Damage.KEY_MISSING)
        if not info.enabled:
            raise Flawed(Damage.KEY_DISABLED)
    known = {version.hex() for version in expected.keys}
    if any(
        info.enabled and info.version not in known and info.created_on < now - SETTLED
        for info in infos.values()
    ):
        raise Flawed(Damage.KEY_EXTRA)


def _versions(vault: KeyVault, expected: Expected) -> dict[str, VersionInfo]:
    try:
        infos = vault.versions(file_reference(expected.id))
    except KeyNotFound:
        raise Flawed(Damage.KEY_MISSING) from None
    except KeyDamaged:
        raise Flawed(Damage.KEY_DAMAGED) from None
    return {info.version: info for info in infos}
