"""A backup that is taken while four people work and every key rotates."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from app.errors import DarkroomError
from app.jobs.watch import UNWATCHED
from app.services.rotation import Scope
from tests.fixtures.backups import BackupRoom

pytestmark = pytest.mark.slow
BEFORE = 30
SEEDS = itertools.count(1000)


class Load:
    """Work in threads until it is told to stop; what broke is kept."""

    def __init__(self, room: BackupRoom, doomed: list[UUID], kept: list[UUID]) -> None:
        self.room, self.doomed, self.kept = room, doomed, kept
        self.over = threading.Event()
        self.broken: list[BaseException] = []
        self.done: dict[str, int] = {}
        work = (self.upload, self.tag, self.annotate, self.destroy, self.rotate)
        self._threads = [threading.Thread(target=self._repeat, args=(one,)) for one in work]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self, work: Callable[[], object]) -> None:
        while not self.over.is_set():
            try:
                work()
                self.done[work.__name__] = self.done.get(work.__name__, 0) + 1
            except DarkroomError as error:
                if error.code not in ("not_found", "database_unavailable"):
                    self.broken.append(error)
            except IndexError:  # nothing is left to be destroyed
                self.over.wait(0.01)

    def upload(self) -> None:
        self.room.upload(next(SEEDS))

    def tag(self) -> None:
        one = self.kept[next(SEEDS) % len(self.kept)]
        services = self.room.installation.services
        services.tags.add(self.room.pictures.actor, one, [f"tag {next(SEEDS) % 7}"])

    def annotate(self) -> None:
        one = self.kept[next(SEEDS) % len(self.kept)]
        box = {"x": 1.25, "y": 2.0, "w": 3.0, "h": 4.0}
        document = {
            "annotations": [{"label": f"thing {next(SEEDS) % 5}", "box": box, "attributes": {}}]
        }
        services = self.room.installation.services
        services.annotations.put(self.room.pictures.actor, one, document, "*")

    def destroy(self) -> None:
        services = self.room.installation.services
        services.trash.destroy(self.room.pictures.actor, self.doomed.pop())
        self.over.wait(0.02)

    def rotate(self) -> None:
        self.room.installation.services.rotation.run(UNWATCHED, EVERY_FILE)


EVERY_FILE = Scope("all", anew=True)


def test_what_was_acknowledged_before_is_restored_with_equal_hashes(
    backup_room: BackupRoom, tmp_path: Path
) -> None:
    room = backup_room
    kept = [room.upload(seed) for seed in range(BEFORE)]
    doomed = [room.upload(seed) for seed in range(100, 100 + BEFORE)]
    before = room.contents(room.house, kept)
    with Load(room, doomed, kept) as load:
        reports = [room.create(), room.create()]
    assert load.broken == []
    assert set(load.done) == {"upload", "tag", "annotate", "destroy", "rotate"}, load.done
    for number, report in enumerate(reports):
        assert report.is_sound, report
        assert room.verify(name=report.backup, sample=200).problems == ()
        there = tmp_path / f"elsewhere-{number}"
        room.restore(there, name=report.backup)
        house = room.started_at(there)
        try:
            house.services.trash.finish_destructions()
            assert room.contents(house, kept) == before
            assert [one for one in house.services.verification.images() if one.problem] == []
            assert [one for one in house.services.verification.columns() if one.problem] == []
            house.services.rotation.run(UNWATCHED, EVERY_FILE)
            assert room.contents(house, kept) == before
        finally:
            house.close()
