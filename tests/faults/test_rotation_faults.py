"""Fail and kill a rotation at every call of system, database and vault.

At any moment the picture reads through the usual service, before and after the next run; that
run leaves no temporary file and a sidecar with one entry, and no key is ever disabled that a
header names. Scenes: a picture with all its blobs; one whose sidecar already speaks of a blob
that never came; one half of whose blobs have the new key; old keys at the end of their grace.
"""

from __future__ import annotations

import errno
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from app.db.times import utc_now
from app.errors import DarkroomError
from app.jobs.watch import Unwatched
from app.services.rotation import Scope
from app.wiring import House
from app.wiring_rotation import build_rotation
from tests.faults import injection
from tests.faults.rotation_scene import (
    ABORTED,
    BLOBS,
    GRACE_OVER,
    LEASE_OVER,
    RotationScene,
)
from tests.fixtures.kills import Kills

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # a busy machine takes its time
Work = Callable[[House], object]
CHANGES = frozenset(
    [
        "os.fsync",
        "os.link",
        "os.mkdir",
        "os.replace",
        "os.unlink",
        "os.write",
        "db.commit",
        "db.commit done",
        "vault.disable",
        "vault.disable done",
        "vault.put",
        "vault.put done",
    ]
)
"""Where a disk that goes away for good leaves something behind."""
ONE_READ_IN = 8
"""Of the points that only read, so many are tried: one of so many."""
SHARE = 10
"""Every so manieth picture is also rotated once more after it was recovered."""


@pytest.fixture(autouse=True, scope="module")
def silence() -> Iterator[None]:
    """Hundreds of tracebacks that are meant to be there cost more than the work."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> RotationScene:
    return RotationScene(tmp_path_factory.mktemp("rotation"))


@pytest.fixture(scope="module")
def cut_short(tmp_path_factory: pytest.TempPathFactory) -> RotationScene:
    scene = RotationScene(tmp_path_factory.mktemp("sidecar"))
    points = points_of(scene, scene.rotate)
    scene.reset()
    at = nth(points, "os.replace", BLOBS + 2)  # after the vault's and the sidecar
    assert injection.killed_at(at, scene.house, scene.rotate)
    with scene.opened() as house:
        assert len(house.store.read_sidecar(scene.path).entries) == 2
        assert scene.headers(house)[scene.path.original].generation == 1
    scene.keep()
    return scene


@pytest.fixture(scope="module")
def rotated(tmp_path_factory: pytest.TempPathFactory) -> RotationScene:
    scene = RotationScene(tmp_path_factory.mktemp("old"))
    with scene.opened() as house:
        house.keys.new(scene.resident_id, generation=2)
        scene.rotate(house)
    scene.keep()
    return scene


def points_of(scene: RotationScene, work: Work) -> injection.Points:
    """The points that the work passes when all goes well."""
    scene.reset()
    with scene.opened() as house, injection.watched(house, lambda n, name: None) as points:
        work(house)
    return points


def nth(points: injection.Points, name: str, number: int) -> int:
    """The point at which a call is made for the nth time, both counted from 1."""
    return [at for at, point in enumerate(points, 1) if point == name][number - 1]


def faults(
    scene: RotationScene, work: Work, *, onwards: bool, later: timedelta = LEASE_OVER
) -> int:
    """Fail at points, or from every change on; return how many there are."""
    tried, opened, points = 0, None, points_of(scene, work)
    for at, name in injection.worth_trying(points, ONE_READ_IN):
        if onwards and name not in CHANGES:
            continue
        point, tried = f"{at} {name}", tried + 1
        scene.reset()
        with scene.opened() as house:
            before = injection.failing(at, errno.EIO, onwards=onwards)
            with suppress(DarkroomError), injection.watched(house, before):
                work(house)
            scene.check_readable(house, point)
            scene.recover(house, later)
            scene.check_recovered(house, point)
        now = len(os.listdir("/proc/self/fd"))
        assert opened in {None, now}, point
        opened = now
    told("faults tried", f"{tried} of {len(points)}")
    return len([name for name in points if not onwards or name in CHANGES])


def kills(scene: RotationScene, work: Work, later: timedelta = LEASE_OVER) -> Counter[int]:
    """Kill at points; return how often the next run found it at which generation."""
    found: Counter[int] = Counter()
    points = points_of(scene, work)
    killed = Kills(injection.killed_at)
    for at, name in injection.worth_trying(points, ONE_READ_IN):
        point = f"{at} {name}"
        scene.reset()
        if not killed(at, scene.house, work):
            continue
        with scene.opened() as house:
            scene.check_readable(house, point)
            scene.recover(house, later)
            scene.check_recovered(house, point)
            (generation,) = scene.generations(house)
            found[generation] += 1
            if at % SHARE == 0:
                again = scene.rotate(house, later)
                assert (again.rotated, again.remaining) == (1, 0), point
                assert scene.generations(house) == {generation + 1}, point
                scene.check_recovered(house, point)
    told("kills tried", f"{found.total()} of {len(points)}")
    return found


def told(what: str, count: object) -> None:
    print(f"\n{what}: {count}")


class TestWholePicture:
    @pytest.mark.parametrize("onwards", [False, True])
    def test_a_fault(self, scene: RotationScene, onwards: bool) -> None:
        tried = faults(scene, scene.rotate, onwards=onwards)
        assert tried > (40 if onwards else 250)

    def test_a_kill(self, scene: RotationScene) -> None:
        found = kills(scene, scene.rotate)
        told("by the generation after the next run", dict(found))
        assert set(found) == {1, 2}
        assert found.total() > 60


class TestPendingSidecar:
    """Killed between steps 5 and 6: the sidecar speaks of a blob that never came."""

    def test_a_fault(self, cut_short: RotationScene) -> None:
        tried = faults(cut_short, self.again, onwards=False, later=2 * LEASE_OVER)
        assert tried > 100

    def test_a_kill(self, cut_short: RotationScene) -> None:
        found = kills(cut_short, self.again, later=2 * LEASE_OVER)
        told("by the generation after the next run", dict(found))
        assert set(found) == {2}
        assert found.total() > 20

    def again(self, house: House) -> None:
        scene_later = build_rotation(house, house.audit, lambda: utc_now() + LEASE_OVER)
        scene_later.run(Unwatched(), Scope("images", ()))


class TestOldKeys:
    """Step 9, of a key whose grace is over, with one that nobody wrote down beside it."""

    def retire(self, house: House) -> None:
        later = build_rotation(house, house.audit, lambda: utc_now() + GRACE_OVER)
        later.run(Unwatched(), Scope("images", ()))

    def test_a_fault(self, rotated: RotationScene) -> None:
        for onwards in (False, True):
            faults(rotated, self.retire, onwards=onwards, later=GRACE_OVER)
        self.check_disabled(rotated)

    def test_a_kill(self, rotated: RotationScene) -> None:
        found = kills(rotated, self.retire, later=GRACE_OVER + LEASE_OVER)
        told("by the generation after the next run", dict(found))
        assert set(found) == {2}
        assert found.total() > 10
        self.check_disabled(rotated)

    def check_disabled(self, scene: RotationScene) -> None:
        scene.reset()
        with scene.opened() as house:
            self.retire(house)
            infos = house.vault.versions(f"file-{scene.resident_id}")
            assert [info.enabled for info in infos] == [False, False, True]
            assert scene.states(house) == {1: "retired", 2: "active"}
            assert scene.original(house, scene.resident_id) == scene.resident


class TestAbortedAttempt:
    def test_its_key_is_disabled_after_a_day_and_the_next_one_works(
        self, scene: RotationScene
    ) -> None:
        points = points_of(scene, scene.rotate)
        scene.reset()
        at = nth(points, "os.replace", 2)  # the vault's file is the first
        assert injection.killed_at(at, scene.house, scene.rotate)
        with scene.opened() as house:
            assert scene.states(house) == {1: "active", 2: "pending"}
            scene.recover(house, LEASE_OVER)
            assert scene.states(house) == {1: "active", 2: "pending"}
            scene.recover(house, ABORTED)
            assert scene.states(house) == {1: "active"}
            infos = house.vault.versions(f"file-{scene.resident_id}")
            assert [info.enabled for info in infos] == [True, False]
            scene.check_recovered(house, "aborted")
            assert scene.rotate(house, ABORTED).rotated == 1
            assert scene.generations(house) == {2}
            scene.check_recovered(house, "rotated after that")
