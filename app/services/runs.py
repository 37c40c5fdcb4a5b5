"""The book of the upkeep: what long work was done, how far it came and how it ended."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import select, update

from app.db.times import utc_now
from app.domain.ids import new_id
from app.errors import DarkroomError, WorkStopped
from app.models.maintenance_run import RUN_KINDS, MaintenanceRun

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

log = logging.getLogger("darkroom.runs")
SAVE_EVERY_SECONDS = 5.0
# Whoever was killed cannot say so. A run that is that old and still goes on says so itself,
# when it ends.
ABANDONED_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands in the book; times are aware, ``finished_at`` None: not ended.

    ``found`` = ``done`` + ``failed`` + ``remaining``.
    """

    id: UUID
    kind: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    cursor: str | None
    found: int
    done: int
    failed: int
    remaining: int
    figures: Mapping[str, Any]


class Run:
    """A run under way; of one thread.

    ``cursor`` (at most 128 characters) is where a run that is cut short goes on, ``figures``
    are counts in clear: no name, no path, nothing of a picture. ``state`` is what the run
    ends as if nothing goes wrong: "done", or "stopped" where the work itself left some.
    """

    def __init__(self, run_id: UUID, started_at: datetime, save: Callable[[Run], None]) -> None:
        self.id = run_id
        self.started_at = started_at
        self.state = "done"
        self.cursor: str | None = None
        self.figures: dict[str, Any] = {}
        self.done = self.failed = self.remaining = 0
        self._save = save
        self._saved = time.monotonic()

    def count(self, *, done: int, failed: int = 0, remaining: int = 0) -> None:
        """How far it is; cheap to call often: it is written every few seconds."""
        self.done, self.failed, self.remaining = done, failed, remaining
        if time.monotonic() - self._saved >= SAVE_EVERY_SECONDS:
            self._saved = time.monotonic()
            self.save()

    def save(self) -> None:
        """Write counts, cursor and figures now; not being able to is only logged."""
        try:
            self._save(self)
        except DarkroomError as error:
            log.warning("the progress of a run could not be written", exc_info=error)

    def values(self) -> dict[str, Any]:
        """The columns that a run changes while it goes."""
        return {
            "cursor": self.cursor,
            "found": self.done + self.failed + self.remaining,
            "done": self.done,
            "failed": self.failed,
            "remaining": self.remaining,
            "figures": dict(self.figures),
        }


class Runs:
    """Writes and reads ``maintenance_runs``; may be shared by threads."""

    def __init__(self, uow: UnitOfWork, clock: Callable[[], datetime] = utc_now) -> None:
        self._uow = uow
        self._clock = clock

    @contextmanager
    def started(self, kind: str) -> Iterator[Run]:
        """Record a run of this kind around the block.

        It ends as "done"; as "stopped" when the block raises WorkStopped or is interrupted;
        as "failed" when it raises anything else. What it raises goes on its way.
        """
        run = self._begin(kind)
        try:
            yield run
        except (WorkStopped, KeyboardInterrupt):
            self._end_after_error(run, "stopped")
            raise
        except BaseException:
            self._end_after_error(run, "failed")
            raise
        self._end(run, run.state)

    def last(self, kind: str, state: str | None = "done") -> RunView | None:
        """The latest run of this kind; ``state`` None: however it ended, or still goes on."""
        chosen = select(MaintenanceRun).where(MaintenanceRun.kind == kind)
        if state is not None:
            chosen = chosen.where(MaintenanceRun.state == state)
        with self._uow.read() as session:
            row = session.scalars(
                chosen.order_by(MaintenanceRun.started_at.desc(), MaintenanceRun.id).limit(1)
            ).first()
            return _view(row) if row is not None else None

    def latest(self, limit: int = 20, kind: str | None = None) -> tuple[RunView, ...]:
        """The latest runs of one kind, or of all, newest first."""
        chosen = select(MaintenanceRun).order_by(
            MaintenanceRun.started_at.desc(), MaintenanceRun.id
        )
        if kind is not None:
            chosen = chosen.where(MaintenanceRun.kind == kind)
        with self._uow.read() as session:
            return tuple(map(_view, session.scalars(chosen.limit(limit))))

    def _begin(self, kind: str) -> Run:
        if kind not in RUN_KINDS:
            raise ValueError(f"no kind of run is called {kind}")
        now = self._clock()
        run = Run(new_id(), now, self._progress)
        with self._uow.write() as session:
            session.execute(
                update(MaintenanceRun)
                .where(
                    MaintenanceRun.kind == kind,
                    MaintenanceRun.state == "running",
                    MaintenanceRun.started_at < now - ABANDONED_AFTER,
                )
                .values(state="stopped", finished_at=now)
                .execution_options(synchronize_session=False)
            )
            session.add(MaintenanceRun(id=run.id, kind=kind, started_at=now))
        return run

    def _progress(self, run: Run) -> None:
        self._write(run, run.values())

    def _end(self, run: Run, state: str) -> None:
        values = run.values() | {"state": state, "finished_at": self._clock()}
        self._write(run, values)

    def _end_after_error(self, run: Run, state: str) -> None:
        """What went wrong first is what people have to hear of."""
        try:
            self._end(run, state)
        except DarkroomError as error:
            log.warning("the end of a run could not be written", exc_info=error)

    def _write(self, run: Run, values: Mapping[str, Any]) -> None:
        with self._uow.write() as session:
            session.execute(
                update(MaintenanceRun)
                .where(MaintenanceRun.id == run.id)
                .values(**values)
                .execution_options(synchronize_session=False)
            )


def _view(row: MaintenanceRun) -> RunView:
    return RunView(
        id=row.id,
        kind=row.kind,
        state=row.state,
        started_at=row.started_at,
        finished_at=row.finished_at,
        cursor=row.cursor,
        found=row.found,
        done=row.done,
        failed=row.failed,
        remaining=row.remaining,
        figures=MappingProxyType(dict(row.figures)),
    )
