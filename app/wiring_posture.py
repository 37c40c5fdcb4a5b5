"""The posture from settings."""

from __future__ import annotations

from app.config import ENV_FILE, Settings
from app.db.session import UnitOfWork
from app.services.doctor import Doctor
from app.services.health import Health
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
            vault_mode=settings.vault.mode,
            keying=settings.keying,
            cryptoperiod_days=settings.rotation_days,
            grace_hours=settings.key_grace_hours,
            cache_minutes=settings.vault_cache_minutes,
            backup_scheduled=settings.backup.target is not None,
        ),
    )


def build_doctor(settings: Settings, uow: UnitOfWork, health: Health) -> Doctor:
    """Return what goes through the deployment checklist."""
    return Doctor(settings=settings, env_file=ENV_FILE, uow=uow, health=health)
