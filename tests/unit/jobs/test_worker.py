"""What becomes of a try: done, stopped, tried again, taken over, failed; and the queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.errors import (
    Conflict,
    DatabaseUnavailable,
    JobLeaseLost,
    StoreUnavailable,
    WorkStopped,
)
from app.jobs.queue import Queue
from app.jobs.registry import Handler, JobKind, JobRun, Registry
from app.jobs.rows import JobRows
from app.jobs.run import Run
from app.jobs.timetable import Timetable
from app.jobs.worker import MAX_TRIES, PAUSES, Settled, Worker
from app.models import Job
from tests.fixtures.database import Clock


class Shop:
    """Rows, a worker and a queue around one kind of job; ``clock`` stands still."""

    def __init__(self, uow: UnitOfWork, path: Path, clock: Clock | None) -> None:
        self.uow = uow
        self.clock = clock or utc_now
        self.registry = Registry()
        self.rows = JobRows(uow, self.clock)
        self.worker = Worker(self.registry, self.rows, clock=self.clock)
        self.timetable = Timetable(self.registry, self.rows, uow, self.clock)
        self.queue = Queue(path, "secret", self.rows, self.worker, self.timetable)

    def kind(self, handler: Handler, every: timedelta | None = None) -> None:
        self.registry.add(JobKind("test", "Test", handler, every))

    def add(self, **more: Any) -> UUID:
        with self.uow.write() as session:
            return self.rows.add(session, "test", **more).id

    def row(self, job_id: UUID) -> Job:
        with self.uow.read() as session:
            found = session.get_one(Job, job_id)
            session.expunge(found)
            return found


@pytest.fixture
def shop(sealed_uow: UnitOfWork, tmp_path: Path, still_clock: Clock) -> Iterator[Shop]:
    shop = Shop(sealed_uow, tmp_path / "queue.db", still_clock)
    yield shop
    shop.queue.close()


@pytest.fixture
def live(sealed_uow: UnitOfWork, tmp_path: Path) -> Iterator[Shop]:
    """With the real time, for threads."""
    shop = Shop(sealed_uow, tmp_path / "queue.db", None)
    yield shop
    shop.queue.stop(5)
    shop.queue.close()


def raising(error: Exception) -> Callable[[JobRun], None]:
    def handle(_: JobRun) -> None:
        raise error

    return handle


def until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


# -- one try


def test_a_handler_sees_its_job_and_returns_its_result(shop: Shop) -> None:
    seen: list[Any] = []

    def handle(run: JobRun) -> dict[str, int]:
        seen.append((run.id, run.owner_id, dict(run.params)))
        run.advance(3, 4)
        return {"made": 4}

    shop.kind(handle)
    job = shop.add(params={"a": 1})
    assert shop.worker.work(job) == Settled("done")
    assert seen == [(job, None, {"a": 1})]
    row = shop.row(job)
    assert (row.state, row.result, row.done, row.total) == ("done", {"made": 4}, 3, 4)
    assert shop.worker.work(job) is None


def test_what_passes_is_tried_again_and_ends_as_failed(shop: Shop, still_clock: Clock) -> None:
    shop.kind(raising(StoreUnavailable("away")))
    job = shop.add()
    for number, pause in enumerate(PAUSES, 1):
        settled = shop.worker.work(job)
        assert settled == Settled("waiting", still_clock() + timedelta(seconds=pause))
        assert (shop.row(job).error, shop.row(job).tries) == ("store_unavailable", number)
        assert shop.worker.work(job) is None, "not before its time"
        still_clock.advance(seconds=pause)
    assert shop.worker.work(job) == Settled("failed")
    assert (shop.row(job).state, shop.row(job).tries) == ("failed", MAX_TRIES)


@pytest.mark.parametrize(
    ("error", "code"),
    [(Conflict("no"), "conflict"), (RuntimeError("PLAINTEXT"), "error")],
)
def test_what_does_not_pass_fails_at_once(
    shop: Shop, error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    shop.kind(raising(error))
    job = shop.add()
    assert shop.worker.work(job) == Settled("failed")
    assert shop.row(job).error == code
    assert "PLAINTEXT" not in "".join(record.getMessage() for record in caplog.records)


def test_a_kind_of_another_release_waits(shop: Shop) -> None:
    job = shop.add()
    settled = shop.worker.work(job)
    assert settled is not None
    assert (settled.state, shop.row(job).error) == ("waiting", "unknown_job")


def test_a_job_that_kills_its_workers_is_given_up(shop: Shop, still_clock: Clock) -> None:
    shop.kind(raising(AssertionError("never called")))
    job = shop.add()
    for _ in range(MAX_TRIES):
        assert shop.rows.claim(job, timedelta(seconds=60)) is not None
        still_clock.advance(seconds=61)
    assert shop.worker.work(job) == Settled("failed")
    assert shop.row(job).error == "lease_lost"


def ask_to_stop(shop: Shop, job: UUID) -> None:
    with shop.uow.write() as session:
        session.get_one(Job, job).stop_requested = True


def test_who_asked_for_it_stops_it(shop: Shop) -> None:
    def handle(run: JobRun) -> None:
        ask_to_stop(shop, run.id)
        run.advance(1, 2)
        raise AssertionError("it goes on")

    shop.kind(handle)
    job = shop.add()
    assert shop.worker.work(job) == Settled("stopped")
    assert shop.row(job).state == "stopped"


def test_the_end_of_the_process_only_parks_it(shop: Shop) -> None:
    def handle(run: JobRun) -> None:
        shop.worker.stopping.set()
        run.advance(1, 2)
        raise AssertionError("it goes on")

    shop.kind(handle)
    job = shop.add()
    assert shop.worker.work(job) == Settled("waiting")
    row = shop.row(job)
    assert (row.state, row.tries, row.lease_token) == ("waiting", 0, None)
    assert shop.rows.due() == [job]
    assert shop.worker.work(job) is None, "a worker that stops begins nothing"


def test_a_job_that_was_taken_over_is_left_alone(shop: Shop, still_clock: Clock) -> None:
    def handle(run: JobRun) -> None:
        still_clock.advance(seconds=61)
        assert shop.rows.claim(run.id, timedelta(seconds=60)) is not None
        run.advance(1)
        raise AssertionError("it goes on")

    shop.kind(handle)
    job = shop.add()
    assert shop.worker.work(job) is None
    assert shop.row(job).state == "running", "it is the other's"


# -- the hold on a job


class Flaky:
    """Rows that answer what they are told to."""

    def __init__(self) -> None:
        self.answers: list[bool | Exception | None] = []
        self.asked = 0

    def extend(self, *_: Any) -> bool | None:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else False
        if isinstance(answer, Exception):
            raise answer
        return answer


def held(shop: Shop, rows: Any, clock: Callable[[], float]) -> Run:
    claim = shop.rows.claim(shop.add(), timedelta(seconds=60))
    assert claim is not None
    return Run(claim, rows, shop.worker.stopping, clock=clock)


def test_progress_is_written_once_a_second(shop: Shop) -> None:
    now = [100.0]
    rows = Flaky()
    run = held(shop, rows, lambda: now[0])
    for step in range(1000):
        now[0] += 0.01
        run.advance(step)
    assert 9 <= rows.asked <= 12


def test_a_database_that_is_away_is_borne_until_the_lease_is_over(shop: Shop) -> None:
    now = [100.0]
    rows = Flaky()
    run = held(shop, rows, lambda: now[0])
    rows.answers = [DatabaseUnavailable("away")] * 100
    for _ in range(29):
        now[0] += 2
        run.advance(1)
    now[0] += 2
    with pytest.raises(JobLeaseLost):
        run.advance(1)


def test_what_is_lost_stays_lost(shop: Shop) -> None:
    rows = Flaky()
    rows.answers = [None]
    run = held(shop, rows, time.monotonic)
    for _ in range(3):
        with pytest.raises(JobLeaseLost):
            run.advance(1)


def test_the_heartbeat_holds_and_hears_during_a_long_step(shop: Shop) -> None:
    rows = Flaky()
    rows.answers = [False, False, True]
    run = held(shop, rows, time.monotonic)
    with run.heartbeat(0.01):
        assert until(lambda: rows.asked >= 3)
    with pytest.raises(WorkStopped):
        run.advance(1)
    asked = rows.asked
    time.sleep(0.05)
    assert rows.asked == asked, "it ends with the block"


# -- what is periodic


def test_periodic_work_has_one_open_job(shop: Shop, still_clock: Clock) -> None:
    shop.kind(lambda _: None, timedelta(minutes=5))
    start = threading.Barrier(4)
    placed: list[Any] = []

    def tick() -> None:
        start.wait()
        placed.extend(shop.timetable.queue_due())

    threads = [threading.Thread(target=tick) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(placed) == 1
    assert shop.timetable.queue_due() == []
    assert shop.worker.work(placed[0].id) == Settled("done")
    assert shop.timetable.queue_due() == [], "it was done just now"
    still_clock.advance(minutes=5)
    assert len(shop.timetable.queue_due()) == 1


def test_of_what_went_well_the_last_is_kept(shop: Shop, still_clock: Clock) -> None:
    shop.kind(lambda _: None, timedelta(minutes=1))
    for _ in range(5):
        still_clock.advance(minutes=1)
        shop.queue.run_due()
    with shop.uow.read() as session:
        assert session.query(Job).count() == 2


# -- carried by huey


def test_a_nudge_reaches_a_thread(live: Shop) -> None:
    live.kind(lambda _: {"by": threading.current_thread().name})
    live.queue.start(2)
    job = live.add()
    live.queue.nudge(job)
    assert until(lambda: live.row(job).state == "done")
    assert "Worker" in (live.row(job).result or {})["by"]
    live.queue.nudge(job)  # told twice, done once
    assert live.queue.stop(5)


def test_what_is_due_later_is_carried_until_then(live: Shop) -> None:
    live.kind(lambda _: None)
    live.queue.start(1)
    when = utc_now() + timedelta(seconds=2)
    job = live.add(run_at=when)
    live.queue.nudge(job, when)
    assert until(lambda: live.row(job).state == "done")
    assert (live.row(job).started_at or when) >= when


def test_a_job_without_a_message_is_found_at_the_start(live: Shop) -> None:
    """As after a kill: the first tick comes at once."""
    live.kind(lambda _: None)
    job = live.add()
    live.queue.start(1)
    assert until(lambda: live.row(job).state == "done")


def test_two_processes_share_one_queue(live: Shop, tmp_path: Path) -> None:
    live.kind(lambda _: None)
    live.queue.start(1)
    other = Queue(tmp_path / "queue.db", "secret", live.rows, live.worker, live.timetable)
    job = live.add()
    other.nudge(job)
    assert until(lambda: live.row(job).state == "done")
    other._carrier.huey.storage.close()


def test_stopping_waits_for_a_step_and_no_longer(live: Shop) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def handle(run: JobRun) -> None:
        begun.set()
        go_on.wait(10)
        run.advance(1)

    live.kind(handle)
    live.queue.start(1)
    job = live.add()
    live.queue.nudge(job)
    assert begun.wait(10)
    clock = time.monotonic()
    assert not live.queue.stop(0.2), "it is in the middle of a step"
    assert time.monotonic() - clock < 8  # the step takes 10 s
    go_on.set()
    assert until(lambda: live.row(job).state == "waiting")


def test_the_tick_puts_nothing_twice_into_the_queue(shop: Shop) -> None:
    shop.kind(lambda _: None)
    for _ in range(3):
        shop.add()
    for _ in range(3):
        shop.queue.tick()
    assert shop.queue._carrier.huey.pending_count() == 3


def test_a_message_of_somebody_else_is_thrown_away(live: Shop) -> None:
    """One that is not signed by us is never unpickled."""
    live.kind(lambda _: None)
    live.queue._carrier.huey.storage.enqueue(b"cos\nsystem\n(S'false'\ntR.:00")
    live.queue.start(1)
    job = live.add()
    live.queue.nudge(job)
    assert until(lambda: live.row(job).state == "done")


def test_a_damaged_queue_is_made_anew(live: Shop, tmp_path: Path) -> None:
    (tmp_path / "queue.db").write_bytes(b"no database at all" * 1000)
    (tmp_path / "queue.db").chmod(0o600)
    live.kind(lambda _: None)
    job = live.add()
    live.queue.start(1)
    assert until(lambda: live.row(job).state == "done")


def test_the_file_is_private_and_holds_ids_only(shop: Shop, tmp_path: Path) -> None:
    shop.kind(lambda _: None)
    job = shop.add(params={"name": "PLAIN-NAME"})
    shop.queue.nudge(job)
    shop.queue.close()
    file = tmp_path / "queue.db"
    assert file.stat().st_mode & 0o777 == 0o600
    raw = b"".join(path.read_bytes() for path in tmp_path.glob("queue.db*"))
    assert str(job).encode() in raw
    assert b"PLAIN-NAME" not in raw
    assert b"secret" not in raw


def test_run_due_works_what_there_is_and_ends(shop: Shop) -> None:
    done: list[UUID] = []

    def handle(run: JobRun) -> None:
        done.append(run.id)
        if len(done) < 3:
            shop.add()

    shop.kind(handle)
    shop.add()
    assert list(shop.queue.run_due().values()) == ["done"] * 3
