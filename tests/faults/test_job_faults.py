"""Fail and kill at every call while a job is claimed, worked and finished.

Whatever happens: once the lease is over the job is taken up and done, its result opens and
is the only one, its tries are counted, and nothing half-written shows.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update

from app.db.times import utc_now
from app.errors import DarkroomError
from app.jobs.registry import JobKind, JobRun
from app.models import Job
from app.services.job_results import FILE, told_file
from app.wiring import House
from tests.faults import injection
from tests.faults.scene import PIXELS, Scene

pytestmark = pytest.mark.slow
RESULT = PIXELS * 500


class Desk:
    """A scene with one job waiting in it, whose handler seals a file."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        with scene.opened() as house:
            house.jobs.registry.add(JobKind("sealing", "Seal", self.handle))
            with house.uow.write() as session:
                user = scene.actor.user_id
                self.job = house.services.jobs.enqueue(session, "sealing", {}, user)
        scene.keep()

    def handle(self, run: JobRun) -> Mapping[str, Any]:
        house = self.scene._house
        run.advance(1, 2)
        with house.jobs.results.sealing(run) as sink:
            sink.write(RESULT)
        run.advance(2, 2)
        return {FILE: told_file("a.bin", "application/octet-stream")}

    def work(self, house: House) -> None:
        house.jobs.worker.work(self.job)

    def later(self, house: House) -> None:
        """As after every lease and every pause; then whoever works takes what is due."""
        past = utc_now() - timedelta(seconds=1)
        with house.uow.write() as session:
            session.execute(update(Job).where(Job.state == "running").values(lease_until=past))
            session.execute(update(Job).where(Job.state == "waiting").values(run_at=past))
        self.work(house)

    def check_done(self, house: House, most_tries: int) -> None:
        job = self.row(house)
        assert (job.state, job.lease_token, job.done, job.total) == ("done", None, 2, 2)
        assert 1 <= job.tries <= most_tries
        with house.services.jobs.result(self.scene.actor, self.job).blob as blob:
            assert blob.reader.read_all() == RESULT
        folder = self.scene.settings.store_path / "results"
        whole = {path.name for path in folder.iterdir() if not path.name.startswith(".tmp-")}
        assert whole == {f"{self.job}.result"}
        self.scene.check_nothing_readable()
        with house.uow.read_rows() as rows:
            assert rows.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 1

    def row(self, house: House) -> Job:
        with house.uow.read() as session:
            found = session.get_one(Job, UUID(str(self.job)))
            session.expunge(found)
            return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(Scene(tmp_path_factory.mktemp("jobs")))


def points_of(desk: Desk) -> injection.Points:
    desk.scene.reset()
    with (
        desk.scene.opened() as house,
        injection.watched(house, lambda n, name: None) as points,
    ):
        desk.work(house)
        desk.check_done(house, 1)
    return points


def test_a_kill(desk: Desk) -> None:
    points = points_of(desk)
    assert len(points) > 40
    for at, point in enumerate(points, 1):
        desk.scene.reset()
        injection.killed_at(at, desk.scene.house, desk.work)
        with desk.scene.opened() as house:
            before = desk.row(house).state
            assert before in {"waiting", "running", "done"}, point
            desk.later(house)
            desk.check_done(house, 2)
            assert desk.row(house).state == "done", point


@pytest.mark.parametrize("onwards", [False, True], ids=["once", "from-then-on"])
@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_fault(desk: Desk, code: int, onwards: bool) -> None:
    for at, point in enumerate(points_of(desk), 1):
        desk.scene.reset()
        with desk.scene.opened() as house:
            try:
                with injection.watched(house, injection.failing(at, code, onwards=onwards)):
                    desk.work(house)
            except DarkroomError:
                pass  # the row could not be written: the lease runs out
            assert desk.row(house).state in {"waiting", "running", "done"}, point
            desk.later(house)
            desk.check_done(house, 2)
