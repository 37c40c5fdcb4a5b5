"""Fail and kill at every change in system, database and vault: upload, derivative, deletion.

What was acknowledged is there and exact; what was not is absent or complete; nothing is
readable; what is left over is reported; the next start works and finishes destructions.
"""

from __future__ import annotations

import errno
import gc
import os
from collections.abc import Callable, Iterator

import pytest

from app.errors import DarkroomError, NotFound
from app.wiring import House
from tests.faults import injection
from tests.faults.scene import Scene
from tests.fixtures.kills import Kills
from tests.fixtures.wire import until

pytestmark = pytest.mark.slow
Work = Callable[[House], object]

WARM = 10
"""Attempts after which all is open that stays open, such as the decoder's pipes."""
TAKES_SPACE = frozenset(
    ["os.open", "os.write", "os.fsync", "os.mkdir", "os.link", "os.replace", "db.commit"]
)
FAULTS = [
    pytest.param(errno.EIO, False, id="one-EIO"),
    pytest.param(errno.ENOSPC, False, id="one-ENOSPC"),
    pytest.param(errno.EIO, True, id="EIO-from-then-on"),
]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("faults"))


def points_of(scene: Scene, work: Work) -> injection.Points:
    """The points that the work passes when all goes well."""
    scene.reset()
    with scene.opened() as house, injection.watched(house, lambda n, name: None) as points:
        work(house)
    assert {name.partition(".")[0] for name in points} >= {"os", "db"}
    return points


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/proc/self/fd"))


def until_closed(most: int) -> bool:
    """What a thread or a child still has to close is closed within moments, and what a
    forgotten object holds is closed once it is collected, which takes long."""
    return descriptors() <= most or until(lambda: gc.collect() >= 0 and descriptors() <= most)


def attempts(
    scene: Scene, work: Work, code: int, *, onwards: bool, one_in: int = 6, changing: int = 1
) -> Iterator[tuple[str, House, bool]]:
    """After a fault at each point: its name, the house that goes on, whether work failed.

    No fault leaves a descriptor open.
    """
    opened = tried = 0
    for at, name in injection.worth_trying(points_of(scene, work), one_in, changing):
        if code == errno.ENOSPC and name not in TAKES_SPACE:
            continue
        scene.reset()
        with scene.opened() as house:
            failed = False
            try:
                with injection.watched(house, injection.failing(at, code, onwards=onwards)):
                    work(house)
            except DarkroomError:
                failed = True
            yield f"{at} {name}", house, failed
        tried += 1
        if tried <= WARM:
            opened = descriptors()
        else:
            assert until_closed(opened), f"{at} {name}"


class TestUpload:
    def work(self, scene: Scene) -> Work:
        return lambda house: scene.upload(house, scene.arriving)

    @pytest.mark.parametrize(("code", "onwards"), FAULTS)
    def test_a_fault(self, scene: Scene, code: int, onwards: bool) -> None:
        work = self.work(scene)
        some_failed = 0
        for point, house, failed in attempts(scene, work, code, onwards=onwards):
            some_failed += failed
            arrived = scene.ids(house) - {scene.resident_id}
            assert failed or len(arrived) == 1, point
            scene.check_sound(house)
            for one in arrived:
                assert scene.original(house, one) == scene.arriving, point
            if not onwards and not arrived:
                assert scene.strays(house) == set(), point
                assert scene.stray_keys(house) == set(), point
            again = scene.upload(house, scene.arriving)
            assert again.duplicate == bool(arrived), point
            assert scene.original(house, again.id) == scene.arriving
        assert some_failed > 20

    def test_a_kill(self, scene: Scene) -> None:
        work = self.work(scene)
        killed = Kills(injection.killed_at)
        for at, point in injection.worth_trying(points_of(scene, work)):
            scene.reset()
            if not killed(at, scene.house, work):
                continue
            with scene.started_again() as house:
                scene.check_sound(house)
                arrived = scene.ids(house) - {scene.resident_id}
                for one in arrived:
                    assert scene.original(house, one) == scene.arriving
                assert bool(arrived) == (point == "db.commit done" or at > 200), point
                again = scene.upload(house, scene.arriving)
                assert again.duplicate == bool(arrived), point
                scene.check_sound(house)


class TestDerivative:
    def work(self, scene: Scene) -> Work:
        return lambda house: scene.thumbnail(house, scene.resident_id)

    @pytest.mark.parametrize(("code", "onwards"), FAULTS)
    def test_a_fault(self, scene: Scene, code: int, onwards: bool) -> None:
        work = self.work(scene)
        for point, house, _failed in attempts(scene, work, code, onwards=onwards):
            scene.check_sound(house)
            assert scene.thumbnail(house, scene.resident_id), point
            if not onwards:
                assert scene.strays(house) == set(), point

    def test_a_kill(self, scene: Scene) -> None:
        work = self.work(scene)
        killed = Kills(injection.killed_at)
        for at, point in injection.worth_trying(points_of(scene, work)):
            scene.reset()
            if not killed(at, scene.house, work):
                continue
            with scene.started_again() as house:
                scene.check_sound(house)
                assert scene.thumbnail(house, scene.resident_id), point


class TestDestruction:
    @pytest.fixture
    def doomed(self, tmp_path_factory: pytest.TempPathFactory) -> Scene:
        scene = Scene(tmp_path_factory.mktemp("doomed"))
        with scene.opened() as house:
            self.id = scene.upload(house, scene.arriving).id
            scene.thumbnail(house, self.id)
        scene.keep()
        return scene

    def destroy(self, scene: Scene) -> Work:
        return lambda house: house.services.trash.destroy(scene.actor, self.id)

    @pytest.mark.parametrize(("code", "onwards"), FAULTS)
    def test_a_fault(self, doomed: Scene, code: int, onwards: bool) -> None:
        for point, house, failed in attempts(
            doomed, self.destroy(doomed), code, onwards=onwards
        ):
            doomed.check_nothing_readable()
            if not failed:
                self.check_gone(doomed, house)
            self.check_settled(doomed, house, point)
            with doomed.started_again() as fresh:
                doomed.check_sound(fresh)
                self.check_whole_or_gone(doomed, fresh)

    def test_a_kill(self, doomed: Scene) -> None:
        work = self.destroy(doomed)
        gone = 0
        killed = Kills(injection.killed_at)
        for at, _ in injection.worth_trying(points_of(doomed, work)):
            doomed.reset()
            if not killed(at, doomed.house, work):
                continue
            with doomed.started_again() as house:
                doomed.check_sound(house)
                gone += self.check_whole_or_gone(doomed, house)
        assert gone > 20

    def check_settled(self, scene: Scene, house: House, point: str) -> None:
        """Without a restart: it is there, or nobody sees it any more."""
        try:
            content = scene.original(house, self.id)
        except NotFound:
            return
        assert content == scene.arriving, point

    def check_whole_or_gone(self, scene: Scene, house: House) -> bool:
        if self.id not in scene.ids(house):
            self.check_gone(scene, house)
            return True
        assert scene.original(house, self.id) == scene.arriving
        house.services.trash.destroy(scene.actor, self.id)
        self.check_gone(scene, house)
        return False

    def check_gone(self, scene: Scene, house: House) -> None:
        assert scene.ids(house) == {scene.resident_id}
        assert scene.strays(house) == set()
        assert scene.stray_keys(house) == set()
