"""Backups of this installation: on command, and by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.access import OPERATOR
from app.domain.schedule import Schedule
from app.errors import ConfigurationError
from app.services.backup.create import Creation
from app.services.backup.locks import Locks
from app.services.backup.manifest import Body, Head
from app.services.backup.objects import Copied
from app.services.backup.retention import Pruned, prune
from app.storage.archive import Archive
from app.storage.instance_lock import BACKUP, alone

if TYPE_CHECKING:
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.runs import Runs

KIND = "backup"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the settings say of backups that make themselves; ``target`` None: none do."""

    target: str | None
    schedule: Schedule
    keep: int
    passphrase_file: Path | None

    @property
    def horizon(self) -> str:
        """How long a destroyed picture can still be in a backup, in a sentence."""
        if self.target is None:
            return "No backup is made by itself: copies made by hand keep what they hold."
        return (
            f"Backups keep a picture until {self.keep} newer ones were made: then no copy of"
            " its key is left in them."
        )


@dataclass(frozen=True, slots=True)
class BackupReport:
    """One backup that was made. ``gone``: pictures destroyed meanwhile; ``damaged`` and
    ``missing``: pictures whose files were so before. Bytes as they lie, sealed.
    """

    backup: str
    made_at: str
    pictures: int
    files: int
    bytes: int
    copied_files: int
    copied_bytes: int
    reused_files: int
    keys: int
    rows: int
    gone: int
    damaged: int
    missing: int
    removed_backups: int
    removed_files: int
    held_back: bool

    @property
    def is_sound(self) -> bool:
        """Whether every picture could be kept as it should be."""
        return not (self.damaged or self.missing)


class Backups:
    """Makes backups, one at a time; may be shared by threads."""

    def __init__(
        self,
        *,
        creation: Creation,
        runs: Runs,
        audit: AuditLog,
        instance: Path,
        plan: Plan,
        archive_at: Callable[[str], Archive],
        locks_with: Callable[[Path | None], Locks],
        before: Callable[[Watch], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._creation = creation
        self._runs = runs
        self._audit = audit
        self._instance = instance
        self._plan = plan
        self._archive_at = archive_at
        self._locks_with = locks_with
        self._before = before
        self._clock = clock

    @property
    def plan(self) -> Plan:
        return self._plan

    def run(
        self,
        watch: Watch,
        target: str | None = None,
        *,
        passphrase_file: Path | None = None,
        keep: int | None = None,
    ) -> BackupReport:
        """Make one, at ``target`` or where the settings say, and drop those beyond ``keep``.

        Conflict while another one is being made; WorkStopped leaves what the next one goes
        on with, and every earlier backup as it was.
        """
        place = target or self._plan.target
        if place is None:
            raise ConfigurationError(
                "BACKUP_TARGET is not set: say where the backup shall go.",
                operation="backup.create",
            )
        archive = self._archive_at(place)
        locks = self._locks_with(passphrase_file or self._plan.passphrase_file)
        busy = "A backup of this installation is being made already."
        with alone(self._instance, BACKUP, busy), self._runs.started(KIND) as run:
            self._before(watch)
            archive.create()
            archive.check()
            head, body, objects = self._creation.run(watch, archive, locks)
            pruned = prune(archive, locks, keep or self._plan.keep)
            report = _report(head, body, objects.copied, pruned)
            run.count(done=report.pictures, failed=report.damaged + report.missing)
            run.figures.update(_figures(report))
        self._audit.record("backup.create", actor=OPERATOR, details=_figures(report))
        return report

    def run_if_due(self, watch: Watch) -> BackupReport | None:
        """What the scheduled job does: a backup if the last one is older than the plan says.

        One that was missed while nothing ran is made at once; None if it is not time yet.
        """
        if self._plan.target is None:
            return None
        last = self._runs.last(KIND)
        began = last.started_at if last is not None else None
        if not self._plan.schedule.is_due(self._clock(), began):
            return None
        return self.run(watch)


def _report(head: Head, body: Body, copied: Copied, pruned: Pruned) -> BackupReport:
    return BackupReport(
        backup=head.name,
        made_at=head.at.isoformat(),
        pictures=body.images,
        files=body.blobs,
        bytes=body.bytes,
        copied_files=copied.files,
        copied_bytes=copied.bytes,
        reused_files=copied.reused,
        keys=body.keys,
        rows=sum(body.rows.values()),
        gone=len(body.gone),
        damaged=body.damaged,
        missing=body.missing,
        removed_backups=pruned.backups,
        removed_files=pruned.files,
        held_back=pruned.held_back,
    )


def _figures(report: BackupReport) -> dict[str, int | str]:
    return {
        "pictures": report.pictures,
        "files": report.files,
        "bytes": report.bytes,
        "copied_files": report.copied_files,
        "copied_bytes": report.copied_bytes,
        "keys": report.keys,
        "gone": report.gone,
        "damaged": report.damaged,
        "missing": report.missing,
        "removed_backups": report.removed_backups,
    }
