"""Fail and kill at every call of a backup and of a restore.

Backups that were complete stay whole; one that was interrupted is none; the next one works. A
restore leaves an instance that is complete, or nothing, or one that does not start and is
restored into again.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.errors import ConfigurationError, DarkroomError
from app.jobs.watch import UNWATCHED
from app.services.backup import RESTORING, Drill, database, drill, restore
from app.startup import start
from app.wiring import House
from app.wiring_backup import settings_at
from tests.faults import injection
from tests.faults.scene import MARKERS, Scene
from tests.fixtures.schema import tables_from_a_copy

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
Work = Callable[[House], object]
ONE_IN = 40
"""Of the calls that only read: each takes a drill of the whole backup."""
NEXT_AFTER = 8
"""Every so manieth time the next backup is made, too."""
FAULTS = [
    pytest.param(errno.EIO, False, id="one-EIO"),
    pytest.param(errno.ENOSPC, True, id="ENOSPC-from-then-on"),
]


class Stage:
    """A scene with a backup in a folder beside it, both reset before every fault."""

    def __init__(self, folder: Path) -> None:
        self.scene = Scene(folder)
        self.target = folder / "target"
        self.there = folder / "there"
        with self.scene.opened() as house:
            self.first = self.back_up(house)
        self.scene.keep()
        shutil.copytree(self.target, folder / "template-target")
        self._template = folder / "template-target"

    def reset(self) -> None:
        self.scene.reset()
        for place in (self.target, self.there):
            shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self._template, self.target)

    def back_up(self, house: House) -> str:
        return house.services.backups.run(UNWATCHED, str(self.target)).backup

    def restore(self, house: House) -> object:
        return house.recovery.restore(UNWATCHED, str(self.target), to=self.there)

    def check_backups(self, house: House, *, least: int = 1) -> None:
        """Every complete backup is whole, the first one among them."""
        names = house.recovery.names(str(self.target))
        assert self.first in names
        assert len(names) >= least
        for name in names:
            assert self.drill(house, name) == ()

    def drill(self, house: House, name: str) -> tuple[object, ...]:
        return (
            Drill(house.recovery.open(str(self.target), name), sample=1).run(UNWATCHED).problems
        )

    def check_the_next(self, house: House, at: int) -> None:
        """The next backup is complete, and clears away what was left of this one."""
        if at % NEXT_AFTER == 0:
            self.back_up(house)
            self.check_backups(house, least=2)
            assert not list(self.target.rglob(".tmp-*"))
            for path in self.target.rglob("*"):
                if path.is_file():
                    raw = path.read_bytes()
                    assert not any(marker in raw for marker in MARKERS), path.name

    def check_restored(self) -> None:
        """The picture is the one that was there, and everything opens."""
        house = House(settings_at(self.scene.settings, self.there))
        try:
            assert self.scene.original(house, self.scene.resident_id) == self.scene.resident
            problems = house.services.verification.images()
            assert [one for one in problems if one.problem] == []
        finally:
            house.close()


@pytest.fixture(scope="module", autouse=True)
def made_tables() -> Iterator[None]:
    with tables_from_a_copy(database, drill, restore):
        yield


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(tmp_path_factory.mktemp("backup-faults"))


def points_of(stage: Stage, work: Work) -> injection.Points:
    stage.reset()
    with (
        stage.scene.opened() as house,
        injection.watched(house, lambda n, name: None) as points,
    ):
        work(house)
    return points


def attempts(
    stage: Stage, work: Work, code: int, *, onwards: bool
) -> Iterator[tuple[str, House, bool]]:
    """The work, with a fault at each of its points in turn; whether it failed."""
    for at, point in injection.worth_trying(points_of(stage, work), ONE_IN):
        stage.reset()
        failed = False
        with stage.scene.opened() as house:
            fault = injection.failing(at, code, onwards=onwards)
            with injection.watched(house, fault):
                try:
                    work(house)
                except DarkroomError:
                    failed = True
            yield f"{at} {point}", house, failed


class TestCreate:
    @pytest.mark.parametrize(("code", "onwards"), FAULTS)
    def test_a_fault(self, stage: Stage, code: int, onwards: bool) -> None:
        some_failed = 0
        found = attempts(stage, stage.back_up, code, onwards=onwards)
        for at, (_point, house, failed) in enumerate(found):
            some_failed += failed
            stage.check_backups(house, least=1 if failed else 2)
            stage.check_the_next(house, at)
        assert some_failed > 20

    def test_a_kill(self, stage: Stage) -> None:
        killed = 0
        for at, _point in injection.worth_trying(points_of(stage, stage.back_up), ONE_IN):
            stage.reset()
            killed += injection.killed_at(at, stage.scene.house, stage.back_up)
            with stage.scene.opened() as house:
                stage.check_backups(house)
                stage.check_the_next(house, at)
        assert killed > 40


class TestRestore:
    @pytest.mark.parametrize(("code", "onwards"), FAULTS)
    def test_a_fault(self, stage: Stage, code: int, onwards: bool) -> None:
        some_failed = 0
        for point, house, failed in attempts(stage, stage.restore, code, onwards=onwards):
            some_failed += failed
            self.check(stage, house, failed=failed, point=point)
        assert some_failed > 20

    def test_a_kill(self, stage: Stage) -> None:
        killed = 0
        for at, point in injection.worth_trying(points_of(stage, stage.restore), ONE_IN):
            stage.reset()
            killed += injection.killed_at(at, stage.scene.house, stage.restore)
            with stage.scene.opened() as house:
                self.check(stage, house, failed=True, point=f"{at} {point}")
        assert killed > 40

    def check(self, stage: Stage, house: House, *, failed: bool, point: str) -> None:
        settings = settings_at(stage.scene.settings, stage.there)
        if (stage.there / RESTORING).exists():
            with pytest.raises(ConfigurationError, match="did not come to its end"):
                start(settings)
        elif failed and not settings.store_path.exists():
            assert not (stage.there / "darkroom.db").exists(), point
        if not (stage.there / "darkroom.db").exists() or (stage.there / RESTORING).exists():
            stage.restore(house)
        stage.check_restored()
