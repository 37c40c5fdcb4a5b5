"""Fail and kill at every call while keys move to another vault.

Every picture opens at every moment; a moved key is in the new vault before it leaves the old
one; the next run completes it.
"""

from __future__ import annotations

import errno
from datetime import timedelta

import pytest

from app.db.times import utc_now
from app.jobs.watch import Unwatched
from app.vault.local import LocalVault
from app.wiring import House
from tests.faults import injection
from tests.faults.key_scene import KeyScene
from tests.faults.test_service_faults import Work, attempts, points_of

pytestmark = pytest.mark.slow
ONE_IN = 40


class MoveScene(KeyScene):
    """The other vault lies in the instance too, so that a reset empties it."""

    @property
    def target(self) -> LocalVault:
        return LocalVault(self.instance / "elsewhere", grace=timedelta(0), clock=utc_now)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> MoveScene:
    scene = MoveScene(tmp_path_factory.mktemp("move"))
    with scene.opened() as house:
        assert house.services.key_changes.rekey.run(Unwatched(), "direct").complete
    scene.keep()
    return scene


def copying(scene: MoveScene) -> Work:
    def work(house: House) -> object:
        move = house.services.key_changes.move
        return move.copy(Unwatched(), house.vault, scene.target)

    return work


def removing(scene: MoveScene) -> Work:
    def work(house: House) -> object:
        copying(scene)(house)
        move = house.services.key_changes.move
        return move.remove(Unwatched(), house.vault, scene.target)

    return work


def check_copied(scene: MoveScene, house: House, point: str) -> None:
    scene.check_opens(house, point)
    move = house.services.key_changes.move
    assert move.copy(Unwatched(), house.vault, scene.target).complete, point
    for reference in house.vault.references():
        if not reference.startswith("kek-"):
            theirs = {i.version: i.enabled for i in scene.target.versions(reference)}
            ours = {i.version: i.enabled for i in house.vault.versions(reference)}
            assert ours == theirs, point
    scene.check_opens(house, point)


def check_removed(scene: MoveScene, house: House, point: str) -> None:
    """What left the old vault is in the new one: together they have every key."""
    move, target = house.services.key_changes.move, scene.target
    names = {f"file-{one}" for one in scene.contents}
    here = set(house.vault.references("file-"))
    there = set(target.references("file-")) if (scene.instance / "elsewhere").exists() else ()
    assert names <= here | set(there), point
    if list(house.vault.references("root-")):  # else all is removed already
        copies = move.copy(Unwatched(), house.vault, target)
        assert copies.complete, point
    assert move.remove(Unwatched(), house.vault, target).complete, point
    assert list(house.vault.references()) == [], point
    assert names <= set(target.references("file-")), point
    assert len(list(target.references("root-"))) == 6, point


def test_a_fault_while_copying(scene: MoveScene) -> None:
    tried = 0
    for point, house, _ in attempts(
        scene, copying(scene), errno.EIO, onwards=False, one_in=ONE_IN
    ):
        check_copied(scene, house, point)
        tried += 1
    print(f"move: {tried} points failed")
    assert tried > 30


@pytest.mark.parametrize("what", ["copying", "removing"])
def test_a_kill(scene: MoveScene, what: str) -> None:
    work = copying(scene) if what == "copying" else removing(scene)
    points = points_of(scene, work)
    tried = list(injection.worth_trying(points, ONE_IN))
    if what == "removing":  # the copying before it has a turn of its own
        tried = [(at, name) for at, name in tried if at > len(points) // 2]
    for at, point in tried:
        scene.reset()
        injection.killed_at(at, scene.house, work)
        with scene.opened() as house:
            check = check_copied if what == "copying" else check_removed
            check(scene, house, f"{at} {point}")
    print(f"move, {what}: killed at {len(tried)} of {len(points)} points")
