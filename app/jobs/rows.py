"""The rows of jobs: queued, claimed, extended, settled. Every change is one transaction.

A worker owns a job while the row holds the worker's token: whoever has another token
changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from app.db.field_cipher import Bound
from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.models import Job

OPEN = Job.state.in_(("waiting", "running"))
AT_ONCE = 1000
Progress = tuple[int, int | None]
"""Steps that are done, and how many there are (None: not known)."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One try of one job, ours as long as the row holds ``token``."""

    id: UUID
    kind: str
    owner_id: UUID | None
    params: Mapping[str, Any]
    tries: int
    token: str


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a job stands in the queue; ``is_news``: a worker is to be told of ``run_at``."""

    id: UUID
    run_at: datetime
    is_news: bool


class JobRows:
    """Shared by threads. Every method may raise ``DatabaseUnavailable`` or ``StoreFull``."""

    def __init__(self, uow: UnitOfWork, clock: Callable[[], datetime] = utc_now) -> None:
        self._uow = uow
        self._clock = clock

    def add(
        self,
        session: Session,
        kind: str,
        params: Mapping[str, Any] | None = None,
        *,
        owner_id: UUID | None = None,
        purpose: str | None = None,
        run_at: datetime | None = None,
    ) -> Placed:
        """Queue a job in the caller's transaction, to be run from ``run_at`` on.

        An open job of the same ``purpose`` is that job: one that waits is hastened if it was
        to run later, one that runs will run once more, with its own parameters.
        """
        when = run_at or self._clock()
        if purpose is not None:
            known = self._open_one(session, purpose, when)
            if known is not None:
                return known
        job = Job(
            kind=kind,
            params=dict(params) if params else None,
            owner_id=owner_id,
            purpose=purpose,
            run_at=when,
            created_at=self._clock(),
        )
        session.add(job)
        session.flush()
        return Placed(job.id, when, is_news=True)

    def _open_one(self, session: Session, purpose: str, when: datetime) -> Placed | None:
        row = session.execute(
            select(Job.id, Job.state, Job.run_at).where(Job.purpose == purpose, OPEN)
        ).first()
        if row is None:
            return None
        change: dict[str, Any] = {}
        if row.state == "running":
            change = {"again": True, "run_at": when}
        elif when < row.run_at:
            change = {"run_at": when}
        if change:
            session.execute(_change(Job.id == row.id).values(change))
        is_news = row.state == "waiting" and bool(change)
        return Placed(row.id, when if change else row.run_at, is_news)

    def claim(self, job_id: UUID, lease: timedelta) -> Claim | None:
        """Take a job that is due, or that another worker has lost; None if it is neither."""
        now, token = self._clock(), secrets.token_hex(16)
        wanted = (
            select(Job.id)
            .where(Job.id == job_id, claimable(now))
            .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyway
        )
        taken = (
            _change(Job.id.in_(wanted))
            .values(
                state="running",
                lease_until=now + lease,
                lease_token=token,
                tries=Job.tries + 1,
                started_at=now,
            )
            .returning(Job.id, Job.kind, Job.owner_id, Job.params, Job.tries)
        )
        with self._uow.write() as session:
            row = session.execute(taken).first()
        if row is None:
            return None
        params = row.params.of(row.id) if row.params is not None else {}
        return Claim(row.id, row.kind, row.owner_id, params, row.tries, token)

    def extend(
        self, claim: Claim, lease: timedelta, done: int, total: int | None
    ) -> bool | None:
        """Tell the progress and hold the job longer: whether it is to stop, None if lost."""
        kept = (
            _change(_held(claim))
            .values(lease_until=self._clock() + lease, done=done, total=total)
            .returning(Job.stop_requested)
        )
        with self._uow.write() as session:
            stop: bool | None = session.scalar(kept)
        return stop

    def finish(
        self,
        claim: Claim,
        state: str,
        *,
        result: Mapping[str, Any] | None = None,
        error: str | None = None,
        progress: Progress | None = None,
    ) -> datetime | None:
        """End the job; when it was asked for again meanwhile, the time at which it is due.

        ``error`` is a code of the error tree. Nothing happens to a job that was lost.
        """
        end: dict[str, Any] = {
            "state": state,
            "result": Bound(claim.id, dict(result)) if result is not None else None,
            "error": error,
            "finished_at": self._clock(),
            **_FREE,
        }
        if progress is not None:
            end["done"], end["total"] = progress
        with self._uow.write() as session:
            again = session.execute(select(Job.again, Job.run_at).where(_held(claim))).first()
            if again is None:
                return None
            anew = again.again and state != "stopped"
            session.execute(_change(_held(claim)).values(_ANEW if anew else end))
        return again.run_at if anew else None

    def postpone(
        self, claim: Claim, run_at: datetime, *, error: str | None, counts: bool
    ) -> None:
        """Let the job wait for another try; ``counts``: this one was one."""
        later = {"state": "waiting", "run_at": run_at, "error": error, **_FREE}
        if not counts:
            later["tries"] = Job.tries - 1
        with self._uow.write() as session:
            session.execute(_change(_held(claim)).values(later))

    def due(self) -> Sequence[UUID]:
        """What a worker could take now, the longest waiting first: parked and lost ones."""
        wanted = (
            select(Job.id).where(claimable(self._clock())).order_by(Job.run_at).limit(AT_ONCE)
        )
        with self._uow.read_rows() as rows:
            return rows.scalars(wanted).all()


def claimable(now: datetime) -> ColumnElement[bool]:
    """Waits and is due, or is running under a lease that ran out."""
    return or_(
        and_(Job.state == "waiting", Job.run_at <= now),
        and_(Job.state == "running", Job.lease_until <= now),
    )


def _held(claim: Claim) -> ColumnElement[bool]:
    return and_(Job.id == claim.id, Job.state == "running", Job.lease_token == claim.token)


def _change(which: ColumnElement[bool]) -> Any:
    return update(Job).where(which).execution_options(synchronize_session=False)


_FREE: dict[str, Any] = {"lease_until": None, "lease_token": None, "again": False}
_ANEW: dict[str, Any] = {
    "state": "waiting",
    "tries": 0,
    "done": 0,
    "total": None,
    "error": None,
    "started_at": None,
    **_FREE,
}
