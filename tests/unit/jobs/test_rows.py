"""Rows of jobs: claimed once, extended, lost, settled; on SQLite and PostgreSQL alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.crypto.aead import ColumnCipher
from app.db.base import Base
from app.db.field_cipher import FieldCipher
from app.db.session import UnitOfWork, make_engine
from app.jobs.rows import Claim, JobRows
from app.models import Job
from app.services.keys import RootKeys
from tests.fixtures.database import Clock

LEASE = timedelta(seconds=60)


@pytest.fixture(params=["sqlite", "postgresql"])
def uow(
    request: pytest.FixtureRequest,
    root_keys: RootKeys,
    sealed_uow: UnitOfWork,
    new_postgres_url: Callable[[], str],
) -> Iterator[UnitOfWork]:
    """The same tables on both databases, as a worker of its own would open them."""
    if request.param == "sqlite":
        yield sealed_uow
        return
    columns = root_keys.active("columns")
    cipher = FieldCipher(ColumnCipher(root_keys.all("columns"), columns.version))
    engine = make_engine(new_postgres_url(), cipher)
    Base.metadata.create_all(engine)
    yield UnitOfWork(engine)
    engine.dispose()


@pytest.fixture
def rows(uow: UnitOfWork, still_clock: Clock) -> JobRows:
    return JobRows(uow, still_clock)


def add(uow: UnitOfWork, rows: JobRows, kind: str = "test", **more: object) -> UUID:
    with uow.write() as session:
        return rows.add(session, kind, {"n": 1}, **more).id


def row(uow: UnitOfWork, job_id: UUID) -> Job:
    with uow.read() as session:
        found = session.get_one(Job, job_id)
        session.expunge(found)
        return found


def claimed(rows: JobRows, job_id: UUID) -> Claim:
    claim = rows.claim(job_id, LEASE)
    assert claim is not None
    return claim


def test_a_job_is_claimed_once(uow: UnitOfWork, rows: JobRows) -> None:
    job = add(uow, rows)
    claim = claimed(rows, job)
    assert (claim.kind, claim.params, claim.owner_id, claim.tries) == (
        "test",
        {"n": 1},
        None,
        1,
    )
    assert rows.claim(job, LEASE) is None
    assert rows.due() == []


def test_many_workers_race_for_one_job(uow: UnitOfWork, rows: JobRows) -> None:
    jobs = [add(uow, rows) for _ in range(10)]
    start = threading.Barrier(8)

    def race(_: int) -> list[UUID]:
        start.wait()
        return [job for job in jobs if rows.claim(job, LEASE) is not None]

    with ThreadPoolExecutor(8) as pool:
        won = [job for taken in pool.map(race, range(8)) for job in taken]
    assert sorted(won) == sorted(jobs)


def test_what_is_due_later_waits(uow: UnitOfWork, rows: JobRows, still_clock: Clock) -> None:
    job = add(uow, rows, run_at=still_clock() + timedelta(seconds=10))
    assert rows.due() == []
    assert rows.claim(job, LEASE) is None
    still_clock.advance(seconds=10)
    assert rows.due() == [job]
    claimed(rows, job)


def test_a_lost_job_is_taken_and_the_loser_changes_nothing(
    uow: UnitOfWork, rows: JobRows, still_clock: Clock
) -> None:
    job = add(uow, rows)
    loser = claimed(rows, job)
    still_clock.advance(seconds=61)
    assert rows.due() == [job]
    taker = claimed(rows, job)
    assert taker.tries == 2
    assert rows.extend(loser, LEASE, 5, 9) is None
    assert rows.finish(loser, "done", result={"by": "loser"}) is None
    rows.postpone(loser, still_clock(), error="store", counts=True)
    assert row(uow, job).state == "running"
    assert rows.extend(taker, LEASE, 1, 2) is False
    rows.finish(taker, "done", result={"by": "taker"})
    ended = row(uow, job)
    assert (ended.state, ended.result, ended.done, ended.total) == (
        "done", {"by": "taker"}, 1, 2,
    )  # fmt: skip
    assert ended.lease_token is None
    assert ended.finished_at is not None


def test_an_extended_lease_holds(uow: UnitOfWork, rows: JobRows, still_clock: Clock) -> None:
    claim = claimed(rows, add(uow, rows))
    for _ in range(5):
        still_clock.advance(seconds=50)
        assert rows.extend(claim, LEASE, 0, None) is False
    assert rows.due() == []


def test_postponed_tries_are_counted_or_not(
    uow: UnitOfWork, rows: JobRows, still_clock: Clock
) -> None:
    job = add(uow, rows)
    rows.postpone(claimed(rows, job), still_clock(), error="vault", counts=True)
    assert (row(uow, job).tries, row(uow, job).error) == (1, "vault")
    rows.postpone(claimed(rows, job), still_clock(), error=None, counts=False)
    assert (row(uow, job).tries, row(uow, job).state) == (1, "waiting")


def test_one_open_job_of_a_purpose(uow: UnitOfWork, rows: JobRows, still_clock: Clock) -> None:
    later = still_clock() + timedelta(seconds=30)
    first = add(uow, rows, purpose="records", run_at=later)
    with uow.write() as session:
        same = rows.add(session, "test", purpose="records", run_at=later)
        assert (same.id, same.is_news) == (first, False)
        sooner = rows.add(session, "test", purpose="records")
        assert (sooner.id, sooner.is_news) == (first, True)
    claim = claimed(rows, first)
    with uow.write() as session:
        again = rows.add(session, "test", purpose="records", run_at=later)
        assert (again.id, again.is_news) == (first, False)
    assert rows.finish(claim, "done") == later
    waiting = row(uow, first)
    assert (waiting.state, waiting.tries, waiting.again) == ("waiting", 0, False)
    still_clock.advance(seconds=30)
    assert rows.finish(claimed(rows, first), "done") is None
    assert add(uow, rows, purpose="records") != first


def test_a_job_of_a_transaction_that_fails_was_never_there(
    uow: UnitOfWork, rows: JobRows
) -> None:
    def fail() -> None:
        with uow.write() as session:
            rows.add(session, "test")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with uow.read() as session:
        assert session.scalars(select(Job.id)).all() == []


def test_what_is_not_there_cannot_be_claimed(rows: JobRows) -> None:
    assert rows.claim(uuid4(), LEASE) is None
