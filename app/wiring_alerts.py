"""Alerts from settings: what is looked at, and who is told."""

from __future__ import annotations

from datetime import timedelta

from app.config import Settings
from app.config_backup import BackupSettings
from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.services.alerts import Alerts, Limits, Looks, Mail, Meter, Sender, Webhook
from app.services.audit import AuditLog
from app.vault.interface import KeyVault


def build_alerts(
    settings: Settings, uow: UnitOfWork, audit: AuditLog, vault: KeyVault
) -> Alerts:
    """Return the alerts of this installation; nothing is asked before the first check."""
    looks = Looks(
        uow=uow,
        vault=vault,
        meter=Meter(),
        disk=settings.store_path,
        rotates=settings.rotation_days > 0,
    )
    return Alerts(
        uow=uow,
        audit=audit,
        looks=looks,
        limits=Limits(settings.alert_crypto_p95_ms, _backup_age(settings.backup)),
        senders=_senders(settings),
    )


def _backup_age(backup: BackupSettings) -> timedelta | None:
    """A period of the schedule, and time to make the backup; None where none is scheduled."""
    if backup.target is None:
        return None
    if backup.schedule.at is None:
        return timedelta(hours=3)
    return timedelta(days=1 if backup.schedule.day is None else 7, hours=4)


def _senders(settings: Settings) -> tuple[Sender, ...]:
    told: list[Sender] = []
    if settings.alert_webhook_url:
        told.append(
            Webhook(
                url=settings.alert_webhook_url,
                secret=settings.alert_webhook_secret,
                site=settings.public_url,
                clock=utc_now,
            )
        )
    if settings.alert_email:
        told.append(
            Mail(url=settings.smtp_url, to=settings.alert_email, site=settings.public_url)
        )
    return tuple(told)
