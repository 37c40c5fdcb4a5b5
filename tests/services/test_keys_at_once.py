"""Two of the same change at once, each in a house of its own, while somebody uploads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path

import pytest

from app.db.times import utc_now
from app.errors import DarkroomError
from app.jobs.watch import Unwatched
from app.services.keys import kek_reference
from app.services.keys.root_rotation import RootTerms
from app.vault.local import LocalVault
from app.wiring import House
from tests.faults.key_scene import KeyScene

Change = Callable[[House], object]
AT_ONCE = RootTerms(timedelta(0), timedelta(0), timedelta(0))


@pytest.fixture
def scene(tmp_path: Path) -> KeyScene:
    return KeyScene(tmp_path)


def both_and_an_upload(scene: KeyScene, change: Change) -> None:
    """Either may say why it could not; what is there afterwards is what counts."""

    def attempt(house: House) -> object:
        try:
            return change(house)
        except DarkroomError as error:
            return error

    with ExitStack() as stack:
        houses = [stack.enter_context(closing(House(scene.settings))) for _ in range(3)]
        houses[2].__dict__["decoder"] = scene._house.decoder
        for house in houses:
            house.services  # noqa: B018 - made before, so that they begin together
        with ThreadPoolExecutor(3) as pool:
            running = [pool.submit(attempt, house) for house in houses[:2]]
            made = pool.submit(scene.upload, houses[2], scene.arriving)
            assert not all(isinstance(one.result(), DarkroomError) for one in running)
            scene.contents[made.result().id] = scene.arriving
        for house in houses:
            scene.check_opens(house, "at once")


def test_moves(scene: KeyScene, tmp_path: Path) -> None:
    target = LocalVault(tmp_path / "elsewhere", grace=timedelta(0), clock=utc_now)

    def copy(house: House) -> object:
        return house.services.key_changes.move.copy(Unwatched(), house.vault, target)

    with closing(House(scene.settings)) as house:
        assert house.services.key_changes.rekey.run(Unwatched(), "direct").complete
        both_and_an_upload(scene, copy)
        copy(house)
        assert house.services.key_changes.move.remove(Unwatched(), house.vault, target).complete
    assert {f"file-{one}" for one in scene.contents} <= set(target.references("file-"))


def test_keks(tmp_path: Path) -> None:
    scene = KeyScene(tmp_path, KEY_VAULT_KEYING="envelope")
    both_and_an_upload(scene, lambda house: house.services.key_changes.keks.run(Unwatched()))
    with closing(House(scene.settings)) as house:
        keks, wrapper = house.services.key_changes.keks, house.keying.wrapper
        assert keks.run(Unwatched()).complete
        keks.retirement._clock = lambda: utc_now() + timedelta(hours=25)
        keks.retirement.run(Unwatched())
        for name in map(kek_reference, scene.contents):
            assert wrapper.versions(name) == (wrapper.newest(name),)
        scene.check_opens(house, "retired")


def test_roots(scene: KeyScene) -> None:
    """Old versions outlive what is under way: that is what their grace period is for."""

    def rotate(house: House) -> object:
        return house.services.key_changes.roots.run(Unwatched(), "columns")

    both_and_an_upload(scene, rotate)
    with closing(House(scene.settings)) as house:
        house.services.key_changes.roots._terms = AT_ONCE
        rotate(house)
        house.services.key_changes.roots.tend(Unwatched())
        assert len(house.roots.all("columns")) == 1
        scene.check_opens(house, "tended")
        found = list(house.services.verification.columns())
        assert [one for one in found if one.problem] == []
