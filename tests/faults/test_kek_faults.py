"""Fail and kill at every change in system, database and vault while KEKs are rotated.

Every picture opens at every moment, also by its sidecar alone; the next run completes it, and
in the end no older version of a KEK is left and nothing names one.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import timedelta

import pytest

from app.jobs.watch import Unwatched
from app.services.keys.envelope_rows import of_kek, under_kek
from app.wiring import House
from tests.faults import injection
from tests.faults.key_scene import KeyScene
from tests.faults.test_service_faults import attempts, points_of

pytestmark = pytest.mark.slow
ONE_IN = 80
"""Of the calls that only read: a look at each of 256 possible KEKs."""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> KeyScene:
    """All of its pictures lie in envelopes, and what is replaced is destroyed at once."""
    scene = KeyScene(tmp_path_factory.mktemp("keks"))
    house = scene.use(replace(scene.settings, keying="envelope"))
    assert house.services.key_changes.rekey.run(Unwatched(), "envelope").complete
    house.services.key_changes.keks.retirement._grace = timedelta(0)
    house.engine.dispose()
    scene.keep()
    return scene


def rotating(house: House) -> object:
    return house.services.key_changes.keks.run(Unwatched())


def check(scene: KeyScene, house: House, point: str) -> None:
    scene.check_opens(house, point)
    keks, wrapper = house.services.key_changes.keks, house.keying.wrapper
    assert keks.run(Unwatched()).complete, point
    keks.retirement.run(Unwatched())
    scene.check_opens(house, point)
    names = {f"kek-{file_id.hex[:2]}" for file_id in scene.contents}
    for kek in names:
        newest = wrapper.newest(kek)
        assert newest is not None, point
        assert list(wrapper.versions(kek)) == [newest], point
        assert not keks._rows.count(of_kek(kek) & ~under_kek(kek, newest)), point
    named = keks.retirement._named_by_sidecars(Unwatched())
    assert named == {(kek, wrapper.newest(kek)) for kek in names}, point


def test_a_fault(scene: KeyScene) -> None:
    tried = 0
    for point, house, _ in attempts(scene, rotating, errno.EIO, onwards=False, one_in=ONE_IN):
        check(scene, house, point)
        tried += 1
    print(f"KEK rotation: {tried} points failed")
    assert tried > 30


def test_a_kill(scene: KeyScene) -> None:
    points = points_of(scene, rotating)
    tried = list(injection.worth_trying(points, ONE_IN))
    for at, point in tried:
        scene.reset()
        injection.killed_at(at, scene.house, rotating)
        with scene.opened() as house:
            check(scene, house, f"{at} {point}")
    print(f"KEK rotation: killed at {len(tried)} of {len(points)} points")
