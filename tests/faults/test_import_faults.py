"""Kill and fail at every change while an import is applied.

At no moment is a part of its annotations there; once the job is taken up again all of them
are, each once, and the pictures of the archive are stored once.
"""

from __future__ import annotations

import errno
import json
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from app.db.times import utc_now
from app.errors import DarkroomError
from app.models import Annotation, ExchangeNote, Image, Job
from app.services.exchange.options import ImportOptions
from app.wiring import House
from tests.faults import injection
from tests.faults.scene import NAME, Scene
from tests.fixtures.exchange import coco, pack

pytestmark = pytest.mark.slow
BOXES = 3


class Desk:
    """A scene with an examined import in it, accepted and waiting to be applied."""

    def __init__(self, folder: Path) -> None:
        self.scene = Scene(folder)
        document = coco(f"{NAME}.bmp", "arriving.bmp", boxes=BOXES)
        for image in document["images"]:
            image |= {"width": 16, "height": 16}
        archive = pack(
            {"set.json": json.dumps(document).encode(), "arriving.bmp": self.scene.arriving}
        )
        with self.scene.opened() as house:
            services, actor = house.services, self.scene.actor
            self.slug = next(c.slug for c in services.collections.list(actor) if c.is_personal)
            given = (actor, self.slug, BytesIO(archive), "a.zip", ImportOptions("coco"))
            examined = services.imports.start(*given)
            house.jobs.worker.work(examined)
            self.job = services.imports.accept(actor, self.slug, examined, accept_losses=True)
        self.scene.keep()

    def work(self, house: House) -> None:
        house.jobs.worker.work(self.job)

    def later(self, house: House) -> None:
        past = utc_now() - timedelta(seconds=1)
        with house.uow.write() as session:
            session.execute(update(Job).where(Job.state == "running").values(lease_until=past))
            session.execute(update(Job).where(Job.state == "waiting").values(run_at=past))
        self.work(house)

    def counts(self, house: House) -> tuple[int, int]:
        """Annotations and notes."""
        with house.uow.read() as session:
            boxes = session.scalar(select(func.count()).select_from(Annotation)) or 0
            return boxes, session.scalar(select(func.count()).select_from(ExchangeNote)) or 0

    def check_whole_or_nothing(self, house: House, point: str) -> None:
        assert self.counts(house) in {(0, 0), (2 * BOXES, 3)}, point

    def check_done(self, house: House, point: str) -> None:
        assert self.counts(house) == (2 * BOXES, 3), point
        with house.uow.read() as session:
            live = session.scalar(
                select(func.count()).select_from(Image).where(Image.status == "ready")
            )
            job = session.get_one(Job, UUID(str(self.job)))
            assert (live, job.state) == (2, "done"), point
            assert job.result is not None
            assert job.result["added"] == 2 * BOXES, point


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("import"))


def points_of(desk: Desk) -> list[tuple[int, str]]:
    """The points that change something, and one in forty of the others."""
    desk.scene.reset()
    with (
        desk.scene.opened() as house,
        injection.watched(house, lambda n, name: None) as points,
    ):
        desk.work(house)
        desk.check_done(house, "none")
    numbered = enumerate(points, 1)
    return [(n, p) for n, p in numbered if p in injection.CHANGING or n % 40 == 0]


def test_a_kill(desk: Desk) -> None:
    points = points_of(desk)
    assert len(points) > 20
    for at, point in points:
        desk.scene.reset()
        injection.killed_at(at, desk.scene.house, desk.work)
        with desk.scene.opened() as house:
            desk.check_whole_or_nothing(house, point)
            desk.later(house)
            desk.check_done(house, point)


def test_a_fault(desk: Desk) -> None:
    for at, point in points_of(desk):
        desk.scene.reset()
        with desk.scene.opened() as house:
            try:
                with injection.watched(house, injection.failing(at, errno.EIO, onwards=False)):
                    desk.work(house)
            except DarkroomError:
                pass  # the row could not be written: the lease runs out
            desk.check_whole_or_nothing(house, point)
            desk.later(house)
            desk.check_done(house, point)
