"""Fail and kill at every call of system, database and vault: heal and reconcile --repair.

Whatever happens, the backup's blob or the damaged one lies there and nothing half, nothing
readable is left, and the next run brings it to its end.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.access import OPERATOR
from app.errors import DarkroomError
from app.jobs.watch import Unwatched
from app.services.reconciliation import Means
from app.services.verification import Damage
from app.wiring import House
from tests.faults import injection
from tests.faults.scene import Scene
from tests.faults.test_service_faults import points_of
from tests.fixtures.kills import Kills
from tests.fixtures.uploads import flip

pytestmark = pytest.mark.slow
Work = Callable[[House], object]
ONE_IN = 40
"""Of the calls that only read; verifying a whole store makes a thousand."""


class Broken(Scene):
    """The resident picture is damaged, its sidecar is missing; a copy of before is at hand."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with self.opened() as house:
            path = house.services.verification.rows.get(self.resident_id).image.path
        self.backup = folder / "backup"
        shutil.copytree(self.instance, self.backup)
        self.blob = self.settings.store_path / path.original
        self.sidecar = self.settings.store_path / path.sidecar

    def heal(self, house: House) -> object:
        healing = house.services.healing
        source = healing.source(str(self.backup))
        return healing.run(Unwatched(), OPERATOR, source, [self.resident_id])

    def reconcile(self, house: House) -> object:
        return house.services.reconciler.run(Unwatched(), OPERATOR, Means(repair=True))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    scene = Broken(tmp_path_factory.mktemp("broken"))
    flip(scene.blob, 200)
    scene.sidecar.unlink()
    scene.keep()
    return scene


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    scene = Broken(tmp_path_factory.mktemp("bare"))
    scene.sidecar.unlink()
    scene.keep()
    return scene


def check_and_finish(scene: Broken, house: House, work: Work, point: str) -> None:
    """Nothing was half done, and doing it again does it."""
    scene.check_nothing_readable()
    allowed = {Damage.CHUNK, Damage.SIDECAR_MISSING, None}
    found = house.services.verification.check.look(scene.resident_id, full=True)
    assert {one.damage for one in found} <= allowed, point
    work(house)
    found = house.services.verification.check.look(scene.resident_id, full=True)
    assert {one.damage for one in found} == {None}, point
    assert scene.original(house, scene.resident_id) == scene.resident, point


@pytest.mark.parametrize("what", ["heal", "reconcile"])
def test_a_fault(broken: Broken, bare: Broken, what: str) -> None:
    scene = broken if what == "heal" else bare
    work: Work = getattr(scene, what)
    points = points_of(scene, work)
    tried = list(injection.worth_trying(points, ONE_IN))
    for at, name in tried:
        scene.reset()
        with scene.opened() as house:
            before = injection.failing(at, errno.EIO, onwards=False)
            try:
                with injection.watched(house, before):
                    work(house)
            except DarkroomError:
                pass
            check_and_finish(scene, house, work, f"{at} {name}")
            assert not [one for one in scene.strays(house) if ".tmp-" in one], name
    print(f"{what}: {len(tried)} of {len(points)} points failed, none lost")
    assert len(points) > 100


@pytest.mark.parametrize("what", ["heal", "reconcile"])
def test_a_kill(broken: Broken, bare: Broken, what: str) -> None:
    scene = broken if what == "heal" else bare
    work: Work = getattr(scene, what)
    points = points_of(scene, work)
    tried = list(injection.worth_trying(points, ONE_IN))
    killed = Kills(injection.killed_at)
    for at, name in tried:
        scene.reset()
        if not killed(at, scene.house, work):
            continue
        with scene.started_again() as house:
            check_and_finish(scene, house, work, f"{at} {name}")
    print(f"{what}: killed at {len(tried)} of {len(points)} points, none lost")
