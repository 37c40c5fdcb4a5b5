"""Fail and kill at every call of system, database and vault while a root key is rotated.

Everything opens at every moment, in this process and in one that begins anew; the next run
completes it.
"""

from __future__ import annotations

import errno
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.jobs.watch import Unwatched
from app.services.keys import RootKeys, RootName
from app.services.keys.column_rotation import sealed_tables
from app.services.keys.root_rotation import RootTerms
from app.wiring import House
from tests.faults import injection
from tests.faults.key_scene import KeyScene
from tests.faults.test_service_faults import Work, attempts, points_of
from tests.fixtures.installation import PASSWORD

pytestmark = pytest.mark.slow
ONE_IN = 12
"""Of the calls that only read: after each, all is opened twice and a password verified."""
NAMES: dict[RootName, int] = {"columns": 3, "blind": 1}
"""And of the calls that change something: columns go table by table, each in its commits."""
AT_ONCE = RootTerms(timedelta(0), timedelta(0), timedelta(0))


class RootScene(KeyScene):
    """Between two faults the vault goes back to its former root keys, and so do we."""

    def fresh(self, house: House) -> House:
        roots = RootKeys.load_or_create(house.vaulting, allow_create=False)
        house.roots._take(roots._keys)
        house.roots._missed.clear()
        for heard in house.roots._listeners:
            heard()
        return super().fresh(house)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> RootScene:
    scene = RootScene(tmp_path_factory.mktemp("roots"))
    house = scene.use(replace(scene.settings))
    house.services.key_changes.roots._terms = AT_ONCE
    house.engine.dispose()
    return scene


def rotating(name: RootName) -> Work:
    return lambda house: house.services.key_changes.roots.run(Unwatched(), name)


def check(scene: RootScene, house: House, name: RootName, point: str) -> None:
    scene.check_opens(house, point)
    assert [f for f in house.services.verification.columns() if f.problem] == [], point
    assert house.services.accounts.authenticate("a@b.example", PASSWORD), point
    roots = house.services.key_changes.roots
    assert roots.run(Unwatched(), name).complete, point
    roots.tend(Unwatched())
    assert len(house.roots.all(name)) == 1, point
    scene.check_opens(house, point)
    assert house.services.accounts.authenticate("a@b.example", PASSWORD), point
    active = house.roots.active("columns").version[:4]
    with house.uow.read_rows() as rows:
        for sealed in sealed_tables():
            for column in sealed.contexts:
                tokens = rows.execute(text(f"SELECT {column} FROM {sealed.name}")).scalars()
                assert {token[3:7] for token in tokens if token} <= {active}, point


@pytest.mark.parametrize("name", NAMES)
def test_a_fault(scene: RootScene, name: RootName) -> None:
    tried = 0
    for point, house, _ in attempts(
        scene, rotating(name), errno.EIO, onwards=False, one_in=ONE_IN, changing=NAMES[name]
    ):
        check(scene, house, name, point)
        tried += 1
    print(f"root {name}: {tried} points failed")
    assert tried > 30


@pytest.mark.parametrize("name", NAMES)
def test_a_kill(scene: RootScene, name: RootName) -> None:
    points = points_of(scene, rotating(name))
    tried = list(injection.worth_trying(points, ONE_IN, NAMES[name]))
    for at, point in tried:
        scene.reset()
        injection.killed_at(at, scene.house, rotating(name))
        with scene.opened() as house:
            check(scene, house, name, f"{at} {point}")
    print(f"root {name}: killed at {len(tried)} of {len(points)} points")
