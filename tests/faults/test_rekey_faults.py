"""Fail and kill at every call of system, database and vault while keys change their place.

Every picture opens at every moment under both settings, and the next run completes it.
"""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest
from sqlalchemy import select

from app.jobs.watch import Unwatched
from app.models import FileKey
from app.services.keys import KeyMode
from app.wiring import House
from tests.faults import injection
from tests.faults.key_scene import KeyScene
from tests.faults.test_service_faults import Work, attempts, points_of

pytestmark = pytest.mark.slow
MODES: list[KeyMode] = ["envelope", "direct"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> KeyScene:
    scene = KeyScene(tmp_path_factory.mktemp("rekey"))
    scene.use(replace(scene.settings, keying="envelope"))
    return scene


def turning(to: KeyMode) -> Work:
    return lambda house: house.services.key_changes.rekey.run(Unwatched(), to)


def check(scene: KeyScene, house: House, to: KeyMode, point: str) -> None:
    for one in scene.houses:
        scene.check_opens(one, point)
        if one is not house:
            one.engine.dispose()
    assert house.services.key_changes.rekey.run(Unwatched(), to).complete, point
    scene.check_opens(house, point)
    with house.uow.read() as session:
        rows = session.execute(select(FileKey.mode, FileKey.wrapped_dek)).all()
    assert {row.mode for row in rows} == {to}, point
    assert all((row.wrapped_dek is None) == (to == "direct") for row in rows), point
    in_vault = len(list(house.vault.references("file-")))
    assert in_vault == (0 if to == "envelope" else len(scene.contents)), point
    for meta in scene.settings.store_path.rglob("*.meta"):
        assert f'"mode":"{to}"'.encode() in meta.read_bytes(), point


ONE_IN = 6
"""Of the calls that only read."""


@pytest.mark.parametrize("to", MODES)
def test_a_fault(scene: KeyScene, to: KeyMode) -> None:
    tried = 0
    for point, house, _ in attempts(
        scene, turning(to), errno.EIO, onwards=False, one_in=ONE_IN
    ):
        check(scene, house, to, point)
        tried += 1
    print(f"rekey to {to}: {tried} points failed")
    assert tried > 40


@pytest.mark.parametrize("to", MODES)
def test_a_kill(scene: KeyScene, to: KeyMode) -> None:
    points = points_of(scene, turning(to))
    tried = list(injection.worth_trying(points, ONE_IN))
    for at, point in tried:
        scene.reset()
        injection.killed_at(at, scene.house, turning(to))
        with scene.opened() as house:
            check(scene, house, to, f"{at} {point}")
    print(f"rekey to {to}: killed at {len(tried)} of {len(points)} points")
