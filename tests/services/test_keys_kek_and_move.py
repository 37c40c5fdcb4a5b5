"""KEK rotation, and the move from one vault to another, on whole installations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete

from app.crypto.keys import generate_key
from app.db.times import utc_now
from app.errors import ConfigurationError, KeyNotFound, KeyVaultUnavailable, WorkStopped
from app.jobs.watch import Unwatched
from app.models import KekVersion
from app.services.keys import kek_reference
from app.vault.local import LocalVault
from app.wiring import House
from app.wiring_jobs import _old_keys
from tests.faults.key_scene import KeyScene


@pytest.fixture
def scene(tmp_path: Path) -> KeyScene:
    return KeyScene(tmp_path, KEY_VAULT_KEYING="envelope")


@pytest.fixture
def house(scene: KeyScene) -> Iterator[House]:
    with closing(House(scene.settings)) as house:
        yield house


class Stop:
    """Asks the work to end at its nth step."""

    def __init__(self, at: int) -> None:
        self._left = at

    def advance(self, done: int, total: int | None = None) -> None:
        self._left -= 1
        if self._left <= 0:
            raise WorkStopped("stop")


class TestKeks:
    def test_rows_and_sidecars_follow_and_the_old_version_goes(
        self, scene: KeyScene, house: House
    ) -> None:
        keks = house.services.key_changes.keks
        names = {kek_reference(one) for one in scene.contents}
        before = {name: house.keying.wrapper.newest(name) for name in names}
        report = keks.run(Unwatched())
        assert (report.done, report.keks, report.retired) == (4, len(names), 0)
        assert report.complete
        for meta in scene.settings.store_path.rglob("*.meta"):
            raw = meta.read_text()
            assert not any(old in raw for old in before.values() if old)
        scene.check_opens(house, "rotated")
        keks.retirement._clock = lambda: utc_now() + timedelta(hours=25)
        assert keks.retirement.run(Unwatched()) == len(names)
        assert keks.retirement.run(Unwatched()) == 0
        for name, old in before.items():
            assert old is not None
            assert not house.vault.get(name, old).enabled
        scene.check_opens(house, "retired")
        with closing(House(scene.settings)) as fresh:
            scene.check_opens(fresh, "another process")

    def test_one_that_was_cut_short_goes_on(self, scene: KeyScene, house: House) -> None:
        keks = house.services.key_changes.keks
        with pytest.raises(WorkStopped):
            keks.run(Stop(1))
        scene.check_opens(house, "stopped")
        versions = sum(len(house.vault.versions(n)) for n in house.vault.references("kek-"))
        names = {kek_reference(one) for one in scene.contents}
        assert keks.run(Unwatched()).complete
        after = sum(len(house.vault.versions(n)) for n in house.vault.references("kek-"))
        assert after <= versions + len(names) - 1
        scene.check_opens(house, "finished")

    def test_a_version_that_is_named_is_kept(self, scene: KeyScene, house: House) -> None:
        keks = house.services.key_changes.keks
        name = kek_reference(scene.resident_id)
        old = house.keying.wrapper.newest(name) or ""
        keks._rotate(name)
        keks.retirement._clock = lambda: utc_now() + timedelta(hours=25)
        assert keks.retirement.run(Unwatched()) == 0
        assert house.vault.get(name, old).enabled
        scene.check_opens(house, "named")

    def test_one_that_only_a_sidecar_names_is_kept(self, scene: KeyScene, house: House) -> None:
        """As after a rebuild that could not make a row of it."""
        keks = house.services.key_changes.keks
        name = kek_reference(scene.resident_id)
        old = house.keying.wrapper.newest(name) or ""
        metas = {one: one.read_bytes() for one in scene.settings.store_path.rglob("*.meta")}
        assert keks.run(Unwatched()).complete
        for meta, raw in metas.items():
            meta.write_bytes(raw)
        keks.retirement._clock = lambda: utc_now() + timedelta(hours=25)
        assert keks.retirement.run(Unwatched()) == 0
        assert house.vault.get(name, old).enabled
        for path in house.services.key_changes.keks._sidecars.paths():
            assert keks._sidecars.follow(path)
        assert keks.retirement.run(Unwatched()) == 0  # put off
        keks.retirement._clock = lambda: utc_now() + timedelta(hours=50)
        assert keks.retirement.run(Unwatched()) == len({*map(kek_reference, scene.contents)})
        scene.check_opens(house, "retired")

    def test_the_periodic_job_retires_what_is_over(self, scene: KeyScene, house: House) -> None:
        keks = house.services.key_changes.keks
        name = kek_reference(scene.resident_id)
        old = house.keying.wrapper.newest(name) or ""
        assert keks.run(Unwatched()).complete
        tend = _old_keys(house)
        assert tend(Unwatched())["keks"] == 0  # type: ignore[arg-type,index]
        keks.retirement._clock = lambda: utc_now() + timedelta(hours=25)
        assert tend(Unwatched())["keks"] > 0  # type: ignore[arg-type,index]
        assert house.keying.wrapper.versions(name) == (house.keying.wrapper.newest(name),)
        assert not house.vault.get(name, old).enabled
        scene.check_opens(house, "tended")

    def test_a_kek_of_destroyed_pictures_alone_is_rotated_too(
        self, scene: KeyScene, house: House
    ) -> None:
        keks = house.services.key_changes.keks
        name = kek_reference(scene.other_id)
        old = house.keying.wrapper.newest(name) or ""
        house.services.trash.destroy(scene.actor, scene.other_id)
        del scene.contents[scene.other_id]
        assert keks.run(Unwatched()).complete
        keks.retirement._clock = lambda: utc_now() + timedelta(hours=25)
        keks.retirement.run(Unwatched())
        assert old not in house.keying.wrapper.versions(name)
        scene.check_opens(house, "retired")

    def test_what_nobody_wrote_down_is_found_by_the_next_rotation(
        self, scene: KeyScene, house: House
    ) -> None:
        """As after a rebuild, and where two rotate at once."""
        keks = house.services.key_changes.keks
        assert keks.run(Unwatched()).complete
        with house.uow.write() as session:
            session.execute(delete(KekVersion))
        keks.retirement._clock = lambda: utc_now() + timedelta(hours=25)
        assert keks.retirement.run(Unwatched()) == 0
        assert keks.run(Unwatched()).complete
        keks.retirement._clock = lambda: utc_now() + timedelta(hours=50)
        names = {*map(kek_reference, scene.contents)}
        assert keks.retirement.run(Unwatched()) == 2 * len(names)
        assert {len(house.keying.wrapper.versions(name)) for name in names} == {1}
        scene.check_opens(house, "retired")


class TestMove:
    @pytest.fixture
    def scene(self, tmp_path: Path) -> KeyScene:
        scene = KeyScene(tmp_path)
        with closing(House(scene.settings)) as house:
            assert house.services.key_changes.rekey.run(Unwatched(), "direct").complete
            rotated, version = f"file-{scene.resident_id}", bytes(15) + b"\x01"
            house.vaulting.store(rotated, version, generate_key())
            house.vaulting.disable(rotated, version)
        return scene

    @pytest.fixture
    def target(self, tmp_path: Path) -> LocalVault:
        return LocalVault(tmp_path / "elsewhere", grace=timedelta(0), clock=utc_now)

    def test_copies_everything_and_again_nothing(
        self, scene: KeyScene, house: House, target: LocalVault
    ) -> None:
        move = house.services.key_changes.move
        report = move.copy(Unwatched(), house.vault, target)
        assert (report.done, report.failed, report.complete) == (8, 0, True)
        for reference in house.vault.references():
            if reference.startswith("kek-"):
                continue
            ours, theirs = house.vault.versions(reference), target.versions(reference)
            assert {(i.version, i.enabled, i.current) for i in ours} == {
                (i.version, i.enabled, i.current) for i in theirs
            }
        files = {
            p: p.stat().st_mtime_ns
            for p in (scene.instance.parent / "elsewhere").rglob("*.json")
        }
        assert move.copy(Unwatched(), house.vault, target).done == 8
        assert files == {p: p.stat().st_mtime_ns for p in files}
        self.switched(scene)

    def switched(self, scene: KeyScene) -> None:
        elsewhere = replace(scene.settings, vault_path=scene.instance.parent / "elsewhere")
        with closing(House(elsewhere)) as other:
            scene.check_opens(other, "switched")

    def test_the_source_is_emptied_only_of_what_opens_there(
        self, scene: KeyScene, house: House, target: LocalVault
    ) -> None:
        move = house.services.key_changes.move
        move.copy(Unwatched(), house.vault, target)
        reference = f"file-{scene.other_id}"
        target.delete(reference)
        report = move.remove(Unwatched(), house.vault, target)
        assert report.failures == (reference,)
        assert set(house.vault.references("root-")) | {reference} <= set(
            house.vault.references()
        )
        move.copy(Unwatched(), house.vault, target)
        assert move.remove(Unwatched(), house.vault, target).complete
        assert list(house.vault.references()) == []
        self.switched(scene)

    def test_resumes_and_follows_what_came_meanwhile(
        self, scene: KeyScene, house: House, target: LocalVault
    ) -> None:
        move = house.services.key_changes.move
        with pytest.raises(WorkStopped):
            move.copy(Stop(3), house.vault, target)
        made = scene.upload(house, scene.arriving).id
        scene.contents[made] = scene.arriving
        assert move.copy(Unwatched(), house.vault, target).complete
        self.switched(scene)

    def test_what_is_destroyed_meanwhile_is_not_in_the_other_vault(
        self, scene: KeyScene, house: House, target: LocalVault
    ) -> None:
        class Watch:
            gone = False

            def advance(self, done: int, total: int | None = None) -> None:
                if not self.gone and f"file-{scene.other_id}" in set(target.references()):
                    house.services.trash.destroy(scene.actor, scene.other_id)
                    self.gone = True

        assert house.services.key_changes.move.copy(Watch(), house.vault, target).complete
        with pytest.raises(KeyNotFound):
            target.versions(f"file-{scene.other_id}")

    def test_keys_in_envelopes_cannot_go(
        self, scene: KeyScene, house: House, target: LocalVault
    ) -> None:
        assert house.services.key_changes.rekey.run(Unwatched(), "envelope").complete
        with pytest.raises(ConfigurationError, match="rekey --to direct"):
            house.services.key_changes.move.copy(Unwatched(), house.vault, target)

    def test_the_same_vault_twice_and_missing_settings(self, house: House) -> None:
        for to in ("local", "hashicorp"):
            with pytest.raises(ConfigurationError), house.two_vaults(to):  # type: ignore[arg-type]
                pass

    def test_a_source_that_is_away(
        self, scene: KeyScene, house: House, target: LocalVault
    ) -> None:
        path = scene.settings.vault_path
        work = house.services.key_changes.move
        path.rename(path.with_name("away"))
        with pytest.raises(KeyVaultUnavailable):
            work.copy(Unwatched(), house.vault, target)
