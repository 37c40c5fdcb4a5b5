"""Jobs as their owners see them: queued, listed, stopped, their results fetched.

What is queued is told to the workers after the commit; a job whose transaction fails was
never there. A job is its owner's alone: to everybody else it does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Row, event, select
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.errors import NotFound
from app.jobs.registry import Registry
from app.jobs.rows import JobRows
from app.models import Job

Nudge = Callable[[UUID, datetime | None], None]
ENDED = frozenset({"done", "failed", "stopped"})
_COLUMNS = (
    Job.id,
    Job.kind,
    Job.state,
    Job.error,
    Job.result,
    Job.done,
    Job.total,
    Job.stop_requested,
    Job.tries,
    Job.run_at,
    Job.result_size,
    Job.created_at,
    Job.started_at,
    Job.finished_at,
)


@dataclass(frozen=True, slots=True)
class JobView:
    """``error`` is a code of the error tree; sizes are bytes, ``total`` None: not known."""

    id: UUID
    kind: str
    label: str
    state: str
    error: str | None
    result: Mapping[str, Any] | None
    done: int
    total: int | None
    stop_requested: bool
    tries: int
    run_at: datetime
    result_size: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED


class Queueing(Protocol):
    """What services that queue work need of `Jobs`."""

    def enqueue(
        self,
        session: Session,
        kind: str,
        params: Mapping[str, Any] | None = None,
        owner: UUID | None = None,
        purpose: str | None = None,
        run_at: datetime | None = None,
    ) -> UUID: ...


class Jobs:
    """Queues jobs for services, shows them to their owners."""

    def __init__(
        self,
        uow: UnitOfWork,
        registry: Registry,
        rows: JobRows,
        nudge: Nudge,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._registry = registry
        self._rows = rows
        self._nudge = nudge
        self._clock = clock

    def enqueue(
        self,
        session: Session,
        kind: str,
        params: Mapping[str, Any] | None = None,
        owner: UUID | None = None,
        purpose: str | None = None,
        run_at: datetime | None = None,
    ) -> UUID:
        """Queue a job in the caller's transaction; the workers hear of it once it commits.

        ``params`` are JSON, sealed in the row. ``owner`` None: the installation's own work.
        Of one ``purpose`` there is one open job: where there is one already, its id is
        returned, and if it runs, it will run once more. ValueError for an unknown kind.
        """
        if self._registry.get(kind) is None:
            raise ValueError(f"there is no job kind {kind}")
        placed = self._rows.add(
            session, kind, params, owner_id=owner, purpose=purpose, run_at=run_at
        )
        if placed.is_news:
            event.listen(
                session,
                "after_commit",
                lambda _session: self._nudge(placed.id, placed.run_at),
                once=True,
            )
        return placed.id

    def list(self, actor: Actor, *, limit: int = 50) -> tuple[JobView, ...]:
        """The actor's own jobs, newest first."""
        require(actor, Action.SEE_JOBS)
        chosen = (
            select(*_COLUMNS)
            .where(Job.owner_id == actor.user_id)
            .order_by(Job.created_at.desc(), Job.id)
            .limit(limit)
        )
        with self._uow.read_rows() as connection:
            return tuple(self._view(row) for row in connection.execute(chosen))

    def get(self, actor: Actor, job_id: UUID) -> JobView:
        """One of the actor's own jobs; NotFound for any other."""
        require(actor, Action.SEE_JOBS)
        chosen = select(*_COLUMNS).where(Job.id == job_id, Job.owner_id == actor.user_id)
        with self._uow.read_rows() as connection:
            row = connection.execute(chosen).first()
        if row is None:
            raise NotFound("There is no such job.", operation="job.get")
        return self._view(row)

    def _view(self, row: Row[Any]) -> JobView:
        kind = self._registry.get(row.kind)
        return JobView(
            id=row.id,
            kind=row.kind,
            label=kind.label if kind else row.kind,
            state=row.state,
            error=row.error,
            result=row.result.told(row.id, None) if row.result is not None else None,
            done=row.done,
            total=row.total,
            stop_requested=row.stop_requested,
            tries=row.tries,
            run_at=row.run_at,
            result_size=row.result_size,
            created_at=row.created_at,
            started_at=row.started_at,
            finished_at=row.finished_at,
        )
