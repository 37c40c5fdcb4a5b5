"""The book of the upkeep: how a run is recorded, however it ends."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

import pytest

from app.db.session import UnitOfWork
from app.errors import DatabaseUnavailable, StoreUnavailable, WorkStopped
from app.services.runs import ABANDONED_AFTER, Runs
from tests.fixtures.database import Clock


@pytest.fixture
def runs(sealed_uow: UnitOfWork, still_clock: Clock) -> Runs:
    return Runs(sealed_uow, still_clock)


def test_a_run_that_ends_is_done_with_its_counts(runs: Runs, still_clock: Clock) -> None:
    with runs.started("rotation") as run:
        run.cursor = "0001"
        run.count(done=3, failed=1, remaining=2)
        run.figures["bytes"] = 77
        still_clock.advance(seconds=5)
    last = runs.last("rotation")
    assert last is not None
    assert (last.state, last.cursor, dict(last.figures)) == ("done", "0001", {"bytes": 77})
    assert (last.found, last.done, last.failed, last.remaining) == (6, 3, 1, 2)
    assert last.finished_at is not None
    assert last.finished_at - last.started_at == timedelta(seconds=5)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (WorkStopped("enough"), "stopped"),
        (KeyboardInterrupt(), "stopped"),
        (StoreUnavailable("away"), "failed"),
        (RuntimeError("bug"), "failed"),
    ],
)
def test_what_ends_a_run_early_is_recorded_and_goes_on_its_way(
    runs: Runs, error: BaseException, state: str
) -> None:
    def work() -> None:
        with runs.started("verify") as run:
            run.count(done=1, remaining=4)
            raise error

    with pytest.raises(type(error)):
        work()
    assert runs.last("verify") is None
    last = runs.last("verify", state=None)
    assert last is not None
    assert (last.state, last.done, last.found) == (state, 1, 5)


def test_work_that_left_some_may_say_so_itself(runs: Runs) -> None:
    with runs.started("rotation") as run:
        run.state = "stopped"
    last = runs.last("rotation", state="stopped")
    assert last is not None
    assert runs.last("rotation") is None


def test_the_latest_of_a_kind_is_told_and_others_are_not(
    runs: Runs, still_clock: Clock
) -> None:
    for done in (1, 2):
        with runs.started("backup") as run:
            run.count(done=done)
        still_clock.advance(minutes=1)
    with runs.started("drill"):
        pass
    last = runs.last("backup")
    assert last is not None
    assert last.done == 2
    assert [run.kind for run in runs.latest()] == ["drill", "backup", "backup"]


def test_progress_is_seen_while_it_goes_on(runs: Runs) -> None:
    with runs.started("verify") as run:
        run.count(done=1, remaining=9)
        now = runs.last("verify", state="running")
        assert now is not None
        assert now.done == 0  # not every step is written
        run.save()
        now = runs.last("verify", state="running")
        assert now is not None
        assert (now.done, now.found, now.finished_at) == (1, 10, None)


def test_progress_that_cannot_be_written_does_not_end_the_work(runs: Runs) -> None:
    with runs.started("verify") as run:
        busy = mock.patch.object(runs._uow, "write", side_effect=DatabaseUnavailable("busy"))
        with busy:
            run.save()
        run.count(done=2)
    last = runs.last("verify")
    assert last is not None
    assert last.done == 2


def test_a_run_that_was_killed_is_stopped_by_a_later_one(
    runs: Runs, still_clock: Clock
) -> None:
    killed = runs._begin("rotation")
    still_clock.advance(hours=1)
    with runs.started("rotation"):
        pass
    assert runs.last("rotation", state="running") is not None
    still_clock.advance(seconds=ABANDONED_AFTER.total_seconds())
    with runs.started("rotation"):
        pass
    assert runs.last("rotation", state="running") is None
    stopped = runs.last("rotation", state="stopped")
    assert stopped is not None
    assert stopped.id == killed.id


def test_a_kind_that_nobody_knows_is_a_mistake_of_the_program(runs: Runs) -> None:
    with pytest.raises(ValueError, match="tidying"), runs.started("tidying"):
        pass
