"""Looking at backups and putting them back: needs no database and no vault of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from app.services.backup.drill import SAMPLE, Drill, DrillReport
from app.services.backup.locks import Locks
from app.services.backup.opened import OpenedBackup, generations, open_backup
from app.services.backup.places import Destination
from app.services.backup.restore import Restore, RestoreReport
from app.storage.archive import Archive

if TYPE_CHECKING:
    from app.jobs.watch import Watch
    from app.services.runs import Runs


class Recovery:
    """What the commands reach for on a machine that may have nothing but the backup."""

    def __init__(
        self,
        *,
        archive_at: Callable[[str], Archive],
        locks_with: Callable[[Path | None], Locks],
        runs: Callable[[], Runs | None],
        destination: Callable[[Path | None], Destination],
        told: Callable[[Destination, RestoreReport], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._archive_at = archive_at
        self._locks_with = locks_with
        self._runs = runs
        self._destination = destination
        self._told = told
        self._clock = clock

    def names(self, target: str) -> list[str]:
        """The complete backups in a place, oldest first; no key is needed."""
        return generations(self._archive_at(target))[1]

    def open(
        self, target: str, name: str | None = None, passphrase_file: Path | None = None
    ) -> OpenedBackup:
        """The newest backup in a place, or the one of this name."""
        return open_backup(self._archive_at(target), self._locks_with(passphrase_file), name)

    def verify(
        self,
        watch: Watch,
        target: str,
        *,
        name: str | None = None,
        passphrase_file: Path | None = None,
        sample: int = SAMPLE,
        whole: bool = True,
    ) -> DrillReport:
        """Look at a backup; written down where there is an installation to write it to."""
        opened = self.open(target, name, passphrase_file)
        drill = Drill(opened, sample=sample, whole=whole)
        runs = self._runs()
        if runs is None:
            return drill.run(watch)
        with runs.started("drill") as run:
            report = drill.run(watch)
            run.state = "done" if report.is_sound else "failed"
            run.count(done=report.files, failed=len(report.problems))
            run.figures.update(sampled=report.sampled, bytes=report.bytes, rows=report.rows)
        return report

    def restore(
        self,
        watch: Watch,
        target: str,
        *,
        to: Path | None = None,
        name: str | None = None,
        passphrase_file: Path | None = None,
        skip_damaged: bool = False,
        keep_api_keys: bool = False,
    ) -> RestoreReport:
        """Put a backup into an empty instance; see `Restore`."""
        opened = self.open(target, name, passphrase_file)
        destination = self._destination(to)
        restore = Restore(
            opened,
            destination,
            clock=self._clock,
            skip_damaged=skip_damaged,
            keep_api_keys=keep_api_keys,
        )
        return restore.run(watch, lambda report: self._told(destination, report))
