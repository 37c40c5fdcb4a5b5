"""Fail and kill at every call of system, database and vault while the master key changes.

Both pictures open at every moment with the new and the old key; the store's marker names the
new key only when nothing lies under the old one any more; the next run completes it.
"""

from __future__ import annotations

import errno
from dataclasses import replace

import pytest

from app.crypto.keys import generate_key
from app.jobs.watch import Unwatched
from app.services.keys.envelope_rows import EnvelopeRows
from app.services.keys.vaulting import master_of
from app.storage.marker import read_marker
from app.wiring import House
from tests.faults import injection
from tests.faults.key_scene import KeyScene
from tests.faults.test_service_faults import attempts, points_of

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> KeyScene:
    scene = KeyScene(tmp_path_factory.mktemp("rewrap"))
    old = scene.settings.encryption_key
    new = replace(scene.settings, encryption_key=generate_key(), encryption_key_previous=(old,))
    scene.alone = House(replace(new, encryption_key_previous=()))  # type: ignore[attr-defined]
    scene.use(new)
    return scene


def work(house: House) -> object:
    return house.services.key_changes.rewrap.run(Unwatched())


def check(scene: KeyScene, house: House, point: str) -> bool:
    """True if it was complete already."""
    scene.check_opens(house, point)
    complete = _is_at_new(house)
    if complete:
        assert _masters(house) == {house.vaulting.master_id}, point
    assert house.services.key_changes.rewrap.run(Unwatched()).complete, point
    assert _is_at_new(house), point
    assert _masters(house) == {house.vaulting.master_id}, point
    alone: House = scene.alone  # type: ignore[attr-defined]
    scene.check_opens(alone, point)
    alone.engine.dispose()
    vault = scene.settings.vault_path
    assert [path.name for path in vault.rglob("*") if ".tmp-" in path.name] == [], point
    return complete


def _is_at_new(house: House) -> bool:
    marker = read_marker(house.blobs)
    assert marker is not None
    return marker.check == house.vaulting.master_check


def _masters(house: House) -> set[str | None]:
    vault = house.vault
    infos = [info for name in vault.references() for info in vault.versions(name)]
    return {master_of(info.content_type) for info in infos} | set(
        EnvelopeRows(house.uow).by_master()
    )


ONE_IN = 8
"""Of the calls that only read."""


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
def test_a_fault(scene: KeyScene, code: int) -> None:
    tried = complete = 0
    for point, house, _failed in attempts(scene, work, code, onwards=False, one_in=ONE_IN):
        complete += check(scene, house, point)
        tried += 1
    print(f"rewrap: {tried} points, {complete} after which it was complete")
    assert tried > 50


def test_a_kill(scene: KeyScene) -> None:
    complete = 0
    points = points_of(scene, work)
    tried = list(injection.worth_trying(points, ONE_IN))
    for at, point in tried:
        scene.reset()
        if not injection.killed_at(at, scene.house, work):  # a point less than the first time
            continue
        with scene.opened() as house:
            complete += check(scene, house, f"{at} {point}")
    print(
        f"rewrap: killed at {len(tried)} of {len(points)} points,"
        f" {complete} after which it was complete"
    )
    assert 0 < complete < len(tried)
