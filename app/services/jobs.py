"""Jobs as their owners see them: queued, listed, stopped, their results fetched.

What is queued is told to the workers after the commit; a job whose transaction fails was
never there. A job is its owner's alone: to everybody else it does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    delete,
    event,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.limits import clean_page_size
from app.errors import NotFound, NotPermitted
from app.jobs.registry import Registry
from app.jobs.rows import OPEN, JobRows
from app.models import Job
from app.services.cursor import Cursor, decode_cursor, microseconds
from app.services.job_results import JobResults, ResultFile
from app.services.job_view import COLUMNS, JobPage, JobView, job_view

Nudge = Callable[[UUID, datetime | None], None]


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
        results: JobResults,
        nudge: Nudge,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._registry = registry
        self._rows = rows
        self._results = results
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

    def hasten(self, job_id: UUID) -> None:
        """Let a waiting job run now: what it was waiting for is there."""
        now = self._clock()
        with self._uow.write() as session:
            _change(session, and_(Job.id == job_id, Job.state == "waiting"), run_at=now)
        self._nudge(job_id, now)

    def list(
        self, actor: Actor, *, limit: int | None = None, cursor: str | None = None
    ) -> JobPage:
        """The actor's own jobs, newest first; InvalidInput for a cursor that is not ours."""
        require(actor, Action.SEE_JOBS)
        size, after = clean_page_size(limit), decode_cursor(cursor)
        chosen = (
            select(*COLUMNS)
            .where(Job.owner_id == actor.user_id)
            .order_by(Job.created_at.desc(), Job.id.desc())
            .limit(size + 1)
        )
        if after is not None:
            place = tuple_(Job.created_at, Job.id)
            chosen = chosen.where(place < tuple_(after.moment, after.row_id))
        with self._uow.read_rows() as connection:
            rows = connection.execute(chosen).all()
        views = tuple(job_view(row, self._registry) for row in rows)
        last = views[size - 1] if len(views) > size else None
        onward = Cursor(microseconds(last.created_at), last.id).encode() if last else None
        return JobPage(tuple(self._shown(actor, job) for job in views[:size]), onward)

    def count_open(self, actor: Actor) -> int:
        """How many of the actor's own jobs wait or run."""
        require(actor, Action.SEE_JOBS)
        chosen = select(func.count()).where(Job.owner_id == actor.user_id, OPEN)
        with self._uow.read_rows() as connection:
            return connection.scalar(chosen) or 0

    def get(self, actor: Actor, job_id: UUID) -> JobView:
        """One of the actor's own jobs; NotFound for any other. What it tells may be no longer
        theirs to know: NotFound, or NotPermitted who may see that it is there."""
        require(actor, Action.SEE_JOBS)
        chosen = select(*COLUMNS).where(Job.id == job_id, Job.owner_id == actor.user_id)
        with self._uow.read_rows() as connection:
            row = connection.execute(chosen).first()
        view = self._found(row)
        self._guard(actor, view)
        return view

    def stop(self, actor: Actor, job_id: UUID) -> JobView:
        """Stop one of the actor's own jobs: at once if nobody works it, else at its next
        step. What has ended stays as it is. NotFound for any other's.
        """
        require(actor, Action.STOP_JOBS)
        own = and_(Job.id == job_id, Job.owner_id == actor.user_id)
        now = self._clock()
        idle = or_(Job.state == "waiting", and_(Job.state == "running", Job.lease_until <= now))
        with self._uow.write() as session:
            _change(session, and_(own, Job.state == "running"), stop_requested=True)
            _change(
                session,
                and_(own, idle),
                state="stopped",
                finished_at=now,
                lease_until=None,
                lease_token=None,
                again=False,
            )
            row = session.execute(select(*COLUMNS).where(own)).first()
        return self._shown(actor, self._found(row))

    def remove(self, actor: Actor, job_id: UUID) -> JobView | None:
        """Forget a job of the actor's own that has ended, and its result, for ever.

        One that is open is stopped instead, and returned.
        """
        view = self.stop(actor, job_id)
        if view.is_open:
            return view
        with self._uow.write() as session:
            session.execute(delete(Job).where(Job.id == job_id, ~OPEN))
        self._results.discard(job_id)
        return None

    def result(self, actor: Actor, job_id: UUID) -> ResultFile:
        """The file that a job of the actor's own made; NotFound where there is none, and
        NotPermitted too for what is in it and no longer the actor's to have."""
        require(actor, Action.FETCH_RESULTS)
        self.get(Actor(actor.user_id), job_id)  # the right to fetch was asked for
        return self._results.open(actor, job_id)

    def _guard(self, actor: Actor, job: JobView) -> None:
        kind = self._registry.get(job.kind)
        guard = kind.guard if kind else None
        if guard is not None and job.result is not None and actor.user_id is not None:
            guard(actor.user_id, job.result)

    def _shown(self, actor: Actor, job: JobView) -> JobView:
        """Without what it tells, where that is not the actor's to know any more."""
        try:
            self._guard(actor, job)
        except (NotFound, NotPermitted):
            return replace(job, result=None)
        return job

    def _found(self, row: Row[Any] | None) -> JobView:
        if row is None:
            raise NotFound("There is no such job.", operation="job.get")
        return job_view(row, self._registry)


def _change(session: Session, which: ColumnElement[bool], **values: Any) -> None:
    session.execute(
        update(Job).where(which).values(**values).execution_options(synchronize_session=False)
    )
