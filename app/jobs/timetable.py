"""Periodic work: one open job of a kind, however many workers look at the clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.jobs.registry import JobKind, Registry
from app.jobs.rows import OPEN, JobRows, Placed
from app.models import Job

SLACK = timedelta(seconds=30)
"""Half a tick: what is due each minute is due at a tick that comes a moment early."""


class Timetable:
    """The purpose of a periodic job is the name of its kind."""

    def __init__(
        self,
        registry: Registry,
        rows: JobRows,
        uow: UnitOfWork,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._registry = registry
        self._rows = rows
        self._uow = uow
        self._clock = clock

    def queue_due(self) -> list[Placed]:
        """Queue every periodic kind whose time has come and that has no open job."""
        kinds = [kind for kind in self._registry if kind.every is not None]
        with self._uow.read() as session:
            due = [kind for kind in kinds if self._is_due(session, kind)]
        if not due:
            return []
        with self._uow.write() as session:
            return [self._queue(session, kind) for kind in due if self._is_due(session, kind)]

    def _is_due(self, session: Session, kind: JobKind) -> bool:
        own = (Job.purpose == kind.name, Job.owner_id.is_(None))
        if session.scalar(select(Job.id).where(*own, OPEN)) is not None:
            return False
        last = session.scalar(select(func.max(Job.created_at)).where(*own))
        every = kind.every or timedelta(0)
        return last is None or last + every - min(SLACK, every / 2) <= self._clock()

    def _queue(self, session: Session, kind: JobKind) -> Placed:
        """Of what went well before, the last one is enough to know."""
        last = (
            select(Job.id)
            .where(Job.purpose == kind.name)
            .order_by(Job.created_at.desc())
            .limit(1)
            .scalar_subquery()
        )
        session.execute(
            delete(Job)
            .where(
                Job.purpose == kind.name,
                Job.owner_id.is_(None),
                Job.state == "done",
                Job.wrapped_dek.is_(None),
                Job.id != last,
            )
            .execution_options(synchronize_session=False)
        )
        return self._rows.add(session, kind.name, purpose=kind.name)
