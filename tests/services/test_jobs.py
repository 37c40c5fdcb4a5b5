"""Jobs of people: queued with what they are about, theirs alone, stopped, forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from app.db.times import utc_now
from app.domain.access import OPERATOR, Actor
from app.domain.scopes import Scope
from app.errors import (
    DecryptionFailed,
    InvalidInput,
    JobLeaseLost,
    NotFound,
    NotPermitted,
    StoreUnavailable,
)
from app.jobs.registry import JobKind, JobRun
from app.models import Job
from app.services.job_results import FILE, told_file
from tests.fixtures.installation import Installation
from tests.fixtures.jobs import JobRoom

PLAIN = b"PLAIN-RESULT-77aa" * 1000


@pytest.fixture
def room(installation: Installation) -> JobRoom:
    return JobRoom(installation)


def test_a_job_goes_with_its_transaction(room: JobRoom) -> None:
    job = room.enqueue({"n": 1})
    assert room.get(job).state == "waiting"
    assert room.carried() == {str(job)}, "the workers were told"
    with pytest.raises(ZeroDivisionError):
        room.enqueue_and_fail()
    assert room.carried() == {str(job)}
    assert len(room.jobs.list(room.actor).jobs) == 1


def test_an_unknown_kind_is_a_fault_of_ours(room: JobRoom) -> None:
    with pytest.raises(ValueError, match="no job kind"):
        room.enqueue(kind="no-such")


def test_one_open_job_of_a_purpose(room: JobRoom) -> None:
    first = room.enqueue(purpose="once")
    assert room.enqueue(purpose="once") == first
    room.work()
    assert room.enqueue(purpose="once") != first


def test_nobody_else_sees_it(room: JobRoom) -> None:
    job = room.enqueue({"n": 1}, file=PLAIN)
    room.work()
    other = room.installation.person("eve", admin=True).actor
    for who in (other, room.installation.person("bob").actor):
        for act in (room.jobs.get, room.jobs.stop, room.jobs.remove, room.jobs.result):
            with pytest.raises(NotFound):
                act(who, job)
        assert room.jobs.list(who).jobs == ()
    assert room.jobs.get(room.actor, job).state == "done"


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.ACCOUNT_READ, {"get"}),
        (Scope.ACCOUNT_WRITE, {"stop"}),
        (Scope.COLLECTIONS_READ, {"result"}),
        (Scope.IMAGES_READ, set()),
    ],
)
def test_what_a_key_may(room: JobRoom, scope: Scope, allowed: set[str]) -> None:
    job = room.enqueue(file=PLAIN)
    room.work()
    key = Actor(room.actor.user_id, scopes=frozenset({scope}))
    for name in ("get", "stop", "result"):
        act = getattr(room.jobs, name)
        if name in allowed:
            done = act(key, job)
            if name == "result":
                done.blob.close()
        else:
            with pytest.raises(NotPermitted):
                act(key, job)


def test_pages_of_a_list(room: JobRoom) -> None:
    ids = [room.enqueue() for _ in range(5)][::-1]
    seen: list[UUID] = []
    cursor = None
    while True:
        page = room.jobs.list(room.actor, limit=2, cursor=cursor)
        seen += [view.id for view in page.jobs]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ids
    with pytest.raises(InvalidInput):
        room.jobs.list(room.actor, cursor="nonsense")


# -- stopping


def test_what_waits_is_stopped_at_once(room: JobRoom) -> None:
    job = room.enqueue()
    view = room.jobs.stop(room.actor, job)
    assert (view.state, view.is_open) == ("stopped", False)
    room.work()
    assert room.get(job).state == "stopped"
    assert room.runs == []


def test_what_runs_is_stopped_at_its_next_step(room: JobRoom) -> None:
    def during(run: JobRun) -> None:
        view = room.jobs.stop(room.actor, run.id)
        assert (view.state, view.stop_requested) == ("running", True)

    job = room.enqueue(during=during)
    room.work()
    assert room.get(job).state == "stopped"


def test_what_its_worker_lost_is_stopped_at_once(room: JobRoom) -> None:
    job = room.enqueue()
    assert room.house.jobs.rows.claim(job, timedelta(seconds=-1)) is not None
    assert room.jobs.stop(room.actor, job).state == "stopped"


def test_what_has_ended_stays_as_it_is(room: JobRoom) -> None:
    job = room.enqueue(file=PLAIN)
    room.work()
    assert room.jobs.stop(room.actor, job).state == "done"
    assert room.fetch(job) == PLAIN


# -- results


def test_a_result_is_sealed_and_comes_back(room: JobRoom) -> None:
    job = room.enqueue({"n": 3}, file=PLAIN)
    room.work()
    view = room.get(job)
    assert (view.has_file, view.result_size, view.result["n"]) == (True, len(PLAIN), 3)
    assert room.fetch(job) == PLAIN
    blob = room.house.settings.store_path / f"results/{job}.result"
    raw = blob.read_bytes()
    assert PLAIN[:17] not in raw
    assert (raw[:8], raw[10]) == (b"\x89DKRM\r\n\x1a", 7)
    assert raw[16:32] == job.bytes
    kept = room.row(job).wrapped_dek
    assert kept is not None
    assert (len(kept), kept[:16]) == (56, room.services.roots.active("transient").version)
    assert f"file-{job}" not in set(room.house.vault.references("file-"))


def test_a_job_that_is_run_again_writes_its_result_anew(room: JobRoom) -> None:
    def fail_once(run: JobRun) -> None:
        if len(room.runs) == 1:
            raise StoreUnavailable("away")

    job = room.enqueue(file=PLAIN, after=fail_once)
    room.work()
    assert room.get(job).state == "waiting"
    with pytest.raises(NotFound):
        room.fetch(job)
    room.make_due()
    room.work()
    assert room.fetch(job) == PLAIN


def test_a_result_that_breaks_off_is_none(room: JobRoom) -> None:
    def handle(run: JobRun) -> Mapping[str, Any]:
        with room.house.jobs.results.sealing(run) as sink:
            sink.write(PLAIN)
            raise StoreUnavailable("away")

    room.house.jobs.registry.add(JobKind("breaks", "Breaks", handle))
    job = room.enqueue(kind="breaks")
    room.work()
    assert room.results() == set()
    assert room.row(job).wrapped_dek is None


def test_who_lost_the_job_writes_no_result(room: JobRoom) -> None:
    caught: list[Exception] = []

    def handle(run: JobRun) -> Mapping[str, Any]:
        with room.house.uow.write() as session:
            session.execute(update(Job).values(lease_token="another"))
        try:
            with room.house.jobs.results.sealing(run) as sink:
                sink.write(PLAIN)
        except JobLeaseLost as lost:
            caught.append(lost)
            raise
        return {FILE: told_file("a", "b/c")}

    room.house.jobs.registry.add(JobKind("loses", "Loses", handle))
    job = room.enqueue(kind="loses")
    room.work()
    assert len(caught) == 1
    assert room.results() == set()
    assert room.row(job).state == "running"


@pytest.mark.parametrize("part", ["blob", "key", "other"])
def test_a_touched_result_does_not_open(room: JobRoom, part: str) -> None:
    job, other = room.enqueue(file=PLAIN), room.enqueue(file=PLAIN)
    room.work()
    path = room.house.settings.store_path / f"results/{job}.result"
    if part == "blob":
        raw = bytearray(path.read_bytes())
        raw[-1] ^= 1
        path.write_bytes(raw)
    elif part == "other":
        path.write_bytes(path.with_name(f"{other}.result").read_bytes())
    else:
        key = room.row(other).wrapped_dek
        with room.house.uow.write() as session:
            session.execute(update(Job).where(Job.id == job).values(wrapped_dek=key))
    with pytest.raises(DecryptionFailed):
        room.fetch(job)


# -- the end of a job


def test_removing_shreds_the_result(room: JobRoom) -> None:
    job, kept = room.enqueue(file=PLAIN), room.enqueue(file=PLAIN)
    room.work()
    assert room.jobs.remove(room.actor, job) is None
    with pytest.raises(NotFound):
        room.get(job)
    assert room.results() == {f"{kept}.result"}
    assert room.fetch(kept) == PLAIN


def test_removing_what_is_open_stops_it(room: JobRoom) -> None:
    def during(run: JobRun) -> None:
        view = room.jobs.remove(room.actor, run.id)
        assert view is not None
        assert view.stop_requested

    job = room.enqueue(during=during)
    room.work()
    assert room.get(job).state == "stopped"


def test_old_jobs_are_forgotten_with_their_results(room: JobRoom) -> None:
    old, young, waiting = room.enqueue(file=PLAIN), room.enqueue(file=PLAIN), None
    room.work()
    waiting = room.enqueue()
    with room.house.uow.write() as session:
        past = utc_now() - timedelta(days=8)
        session.execute(update(Job).where(Job.id == old).values(finished_at=past))
    done = room.house.jobs.expiry.run()
    assert (done.jobs, done.files) == (1, 1)
    assert {view.id for view in room.jobs.list(room.actor).jobs} == {young, waiting}
    assert room.results() == {f"{young}.result"}


def test_results_without_a_job_are_swept(room: JobRoom) -> None:
    """As a crash between the row and its file leaves them; or the end of an account."""
    job = room.enqueue(file=PLAIN)
    room.work()
    with room.house.uow.write() as session:
        session.execute(text("DELETE FROM jobs"))
    assert room.results() == {f"{job}.result"}
    assert room.house.jobs.expiry.run().files == 1
    assert room.results() == set()


def test_jobs_go_with_their_account(room: JobRoom) -> None:
    room.enqueue()
    with room.house.uow.write() as session:
        for table in ("collection_members", "collections", "users"):
            session.execute(text(f"DELETE FROM {table}"))
    with room.house.uow.read() as session:
        assert session.scalars(select(Job.id)).all() == []


# -- for administrators


def test_the_overview_tells_kinds_and_counts_and_nobody(room: JobRoom) -> None:
    room.enqueue(file=PLAIN)
    room.work()
    overview = room.services.job_overview
    kinds = {view.kind: view for view in overview.kinds(OPERATOR)}
    assert kinds["test"].counts == {"done": 1}
    assert kinds["test"].last is None, "it is a person's"
    last = kinds["trash.empty"].last
    assert last is not None
    assert (last.state, last.error) == ("done", None)
    with pytest.raises(NotPermitted):
        overview.kinds(room.actor)
