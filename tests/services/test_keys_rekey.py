"""`keys rekey`: from the vault into envelopes and back, on whole installations."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app.db.times import utc_now
from app.errors import KeyVaultUnavailable, WorkStopped
from app.jobs.watch import Unwatched
from app.models import FileKey
from app.services.keys import KeyMode
from app.wiring import House
from tests.faults.key_scene import KeyScene

MODES: list[KeyMode] = ["envelope", "direct"]


@pytest.fixture
def scene(tmp_path: Path) -> KeyScene:
    return KeyScene(tmp_path)


def files_in_vault(house: House) -> set[str]:
    return set(house.vault.references("file-"))


def modes(house: House) -> set[str]:
    with house.uow.read() as session:
        return set(session.scalars(select(FileKey.mode)))


def blobs(scene: KeyScene) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in scene.settings.store_path.rglob("*.enc")}


@pytest.mark.parametrize("to", MODES)
def test_every_key_is_kept_the_other_way(scene: KeyScene, to: KeyMode) -> None:
    before = blobs(scene)
    with closing(House(scene.settings)) as house:
        report = house.services.key_changes.rekey.run(Unwatched(), to)
        assert (report.found, report.done, report.complete) == (1, 1, True)
        assert modes(house) == {to}
        wanted = set() if to == "envelope" else {f"file-{one}" for one in scene.contents}
        assert files_in_vault(house) == wanted
        with house.uow.read() as session:
            raws = session.scalars(select(FileKey.wrapped_dek)).all()
        assert all((raw is not None) == (to == "envelope") for raw in raws)
        again = house.services.key_changes.rekey.run(Unwatched(), to)
        assert again.found == 0
        assert [f for f in house.services.verification.images() if f.problem] == []
    assert blobs(scene) == before
    for keying in MODES:
        with closing(House(replace(scene.settings, keying=keying))) as other:
            scene.check_opens(other, keying)


def test_there_and_back(scene: KeyScene) -> None:
    metas = {p: p.read_bytes() for p in scene.settings.store_path.rglob("*.meta")}
    with closing(House(scene.settings)) as house:
        rekey = house.services.key_changes.rekey
        for to in ("envelope", "direct", "envelope", "direct"):
            assert rekey.run(Unwatched(), to).complete  # type: ignore[arg-type]
            scene.check_opens(house, to)
    changed = [p for p, raw in metas.items() if b'"mode":"direct"' not in p.read_bytes()]
    assert changed == []


def test_a_file_that_is_being_rotated_is_left_for_later(scene: KeyScene) -> None:
    with closing(House(scene.settings)) as house:
        with house.uow.write() as session:
            session.execute(
                update(FileKey).values(
                    lease_token="held", lease_until=utc_now() + timedelta(minutes=1)
                )
            )
        rekey = house.services.key_changes.rekey
        report = rekey.run(Unwatched(), "envelope")
        assert (report.done, report.remaining, report.complete) == (0, 1, False)
        with house.uow.write() as session:
            session.execute(update(FileKey).values(lease_token=None, lease_until=None))
        assert rekey.run(Unwatched(), "envelope").complete


def test_a_damaged_key_stays_where_it_is(scene: KeyScene) -> None:
    with closing(House(scene.settings)) as house:
        reference = f"file-{scene.resident_id}"
        info = house.vault.versions(reference)[0]
        house.vault.put(reference, info.version, b"x" * 40, content_type=info.content_type)
        report = house.services.key_changes.rekey.run(Unwatched(), "envelope")
        assert report.failures == (reference,)
        assert files_in_vault(house) == {reference}
        assert modes(house) == {"direct", "envelope"}


def test_uploads_and_destruction_meanwhile(scene: KeyScene) -> None:
    class Watch:
        made = None

        def advance(self, done: int, total: int | None = None) -> None:
            if self.made is None:
                Watch.made = scene.upload(house, scene.arriving).id
                house.services.trash.destroy(scene.actor, scene.resident_id)

    with closing(House(scene.settings)) as house:
        rekey = house.services.key_changes.rekey
        assert rekey.run(Watch(), "envelope").failed == 0
        assert rekey.run(Unwatched(), "envelope").complete
        assert Watch.made is not None
        assert scene.original(house, Watch.made) == scene.arriving
        assert scene.original(house, scene.other_id) == scene.other
        assert files_in_vault(house) == set()


def test_one_that_is_on_its_way_out_is_not_touched(scene: KeyScene) -> None:
    with closing(House(scene.settings)) as house:
        with house.uow.write() as session:
            house.services.trash._mark(session, scene.other_id)
        report = house.services.key_changes.rekey.run(Unwatched(), "direct")
        assert report.found == 0
        assert files_in_vault(house) == {f"file-{scene.resident_id}"}


def test_stopped_and_a_vault_that_is_away(scene: KeyScene) -> None:
    class Stop:
        def advance(self, done: int, total: int | None = None) -> None:
            raise WorkStopped("stop")

    with closing(House(scene.settings)) as house:
        with pytest.raises(WorkStopped):
            house.services.key_changes.rekey.run(Stop(), "envelope")
        last = house.services.runs.last("rekey", state=None)
        assert last is not None
        assert last.state == "stopped"
        path = scene.settings.vault_path
        path.rename(path.with_name("away"))
        with pytest.raises(KeyVaultUnavailable):
            house.services.key_changes.rekey.run(Unwatched(), "direct")
        path.with_name("away").rename(path)
        assert house.services.key_changes.rekey.run(Unwatched(), "direct").complete


def test_two_at_once(scene: KeyScene) -> None:
    def work(to: KeyMode) -> bool:
        with closing(House(scene.settings)) as house:
            return house.services.key_changes.rekey.run(Unwatched(), to).failed == 0

    for to in MODES:
        with ThreadPoolExecutor(2) as pool:
            assert all(pool.map(work, [to, to]))
        with closing(House(scene.settings)) as house:
            assert house.services.key_changes.rekey.run(Unwatched(), to).complete
            assert modes(house) == {to}
            scene.check_opens(house, to)
