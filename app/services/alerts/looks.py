"""One look at the installation: the figures that the conditions judge."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.models import FileKey, Image, Job, MaintenanceRun
from app.services.alerts.conditions import Figures
from app.services.alerts.meter import Meter
from app.services.key_status import vault_problem

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.vault.interface import KeyVault

A_DAY: Final = timedelta(days=1)
VERIFYING: Final = ("verify", "scrub")


class Looks:
    """``disk``: a folder on the file system whose space runs out first; None: a bucket."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        vault: KeyVault,
        meter: Meter,
        disk: Path | None,
        rotates: bool,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._vault = vault
        self._meter = meter
        self._disk = disk
        self._rotates = rotates
        self._clock = clock

    def look(self) -> Figures:
        """Count; the vault is asked outside the transaction."""
        now = self._clock()
        with self._uow.read() as session:
            overdue = _overdue(session, now - A_DAY) if self._rotates else 0
            counted = (
                _quarantined(session),
                _damage(session),
                _failed_jobs(session, now - A_DAY),
            )
            backup = _last_backup(session)
        quarantined, damage, failed_jobs = counted
        return Figures(
            now=now,
            recent=self._meter.window(),
            disk_share=self._share(),
            vault_problem=vault_problem(self._vault),
            overdue=overdue,
            quarantined=quarantined,
            damage_found=damage,
            failed_jobs=failed_jobs,
            last_backup=backup,
        )

    def _share(self) -> float | None:
        if self._disk is None:
            return None
        try:
            space = shutil.disk_usage(self._disk)
        except OSError:
            return None  # that it is not there, readiness says
        return 1 - space.free / space.total if space.total else None


def _overdue(session: Session, before: datetime) -> int:
    late = select(func.count()).where(FileKey.state == "active", FileKey.expires_at <= before)
    return session.scalar(late) or 0


def _quarantined(session: Session) -> int:
    aside = Image.status == literal_column("'quarantined'")
    return session.scalar(select(func.count()).select_from(Image).where(aside)) or 0


def _damage(session: Session) -> int:
    """The most that the last finished run of a kind of verification found: a slice of the
    scrub, which sees other files, does not take back what ``store verify`` found."""
    return max(_found_last(session, kind) for kind in VERIFYING)


def _found_last(session: Session, kind: str) -> int:
    last = (
        select(MaintenanceRun.failed)
        .where(MaintenanceRun.kind == kind, MaintenanceRun.finished_at.is_not(None))
        .order_by(MaintenanceRun.started_at.desc())
        .limit(1)
    )
    return session.scalar(last) or 0


def _failed_jobs(session: Session, after: datetime) -> int:
    failed = select(func.count()).where(
        Job.owner_id.is_(None), Job.state == "failed", Job.finished_at >= after
    )
    return session.scalar(failed) or 0


def _last_backup(session: Session) -> datetime | None:
    last = (
        select(MaintenanceRun.finished_at)
        .where(MaintenanceRun.kind == "backup", MaintenanceRun.state == "done")
        .order_by(MaintenanceRun.started_at.desc())
        .limit(1)
    )
    return session.scalar(last)
