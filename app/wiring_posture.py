"""The posture from settings."""

from __future__ import annotations

from app.config import Settings
from app.db.session import UnitOfWork
from app.services.keys import KeyVaulting, RootKeys
from app.services.posture import ColumnTokens, Posture, Setting
from app.services.runs import Runs


def build_posture(
    settings: Settings, uow: UnitOfWork, vaulting: KeyVaulting, roots: RootKeys, runs: Runs
) -> Posture:
    """Return what reports the posture of this installation."""
    return Posture(
        uow=uow,
        vaulting=vaulting,
        roots=roots,
        runs=runs,
        tokens=ColumnTokens(uow, roots),
        setting=Setting(
            vault_mode="local",
            keying=settings.keying,
            cryptoperiod_days=settings.rotation_days,
            grace_hours=settings.key_grace_hours,
            cache_minutes=settings.vault_cache_minutes,
            backup_scheduled=False,
        ),
    )
