"""Fail and kill at every call: a source that moves in, boxes of a table, a removal.

Nothing half is there, the source is as it was, and the same run again completes it. A source
is only gone when its copy verifies.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from app.domain.access import OPERATOR
from app.errors import StoreError
from app.services.migration.opened import OldFiles, OldKeys
from app.services.migration.outcome import Outcome, Verdict
from app.services.migration.proof import Proven
from app.services.migration.sources import find_sources
from app.services.migration.table_columns import Mapped, parse_columns
from app.services.new_image import UNVERIFIED, Wishes
from app.wiring import House
from tests.faults import injection
from tests.faults.scene import NAME, Scene, marked_picture
from tests.faults.test_service_faults import attempts, points_of
from tests.fixtures.kills import Kills
from tests.fixtures.older_files import OLD_KEY, cbc, cbc_text, meta

pytestmark = pytest.mark.slow
FAULTS = [
    pytest.param(errno.EIO, False, id="one-EIO"),
    pytest.param(errno.ENOSPC, False, id="one-ENOSPC"),
    pytest.param(errno.EIO, True, id="EIO-from-then-on"),
]


class OldFolder(Scene):
    """A scene with a folder of one old sealed picture beside the installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "old"
        self.folder.mkdir()
        self.files = {
            self.folder / f"{NAME}.bmp.enc": cbc(marked_picture(2)),
            self.folder / f"{NAME}.bmp.enc.meta": meta("image/bmp", ".bmp").encode(),
        }
        super().__init__(folder)
        self.reset()

    def reset(self) -> None:
        super().reset()
        for path, content in self.files.items():
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)

    @property
    def opener(self) -> OldFiles:
        return OldFiles(OldKeys(OLD_KEY), self.settings.instance_path, 1 << 20)

    def take(self, house: House) -> Outcome:
        take, wishes = house.services.moving_in.folders.take, Wishes()
        found = [
            take(self.actor, source, self.opener, wishes, dry_run=False)
            for source in find_sources(self.folder).sources
        ]
        (outcome,) = [_done(one) for one in found]
        return outcome

    def remove(self, house: House) -> Outcome | None:
        """Prove and remove; a source that is gone already is none."""
        for source in find_sources(self.folder).sources:
            door = house.services.moving_in
            one = door.proof.prove(self.actor, None, source, self.opener)
            _done(one.outcome if isinstance(one, Proven) else one)
            assert isinstance(one, Proven)
            left = door.removal.remove(OPERATOR, one, frozenset())
            if left is not None:
                _done(left)
        return None

    def untouched(self) -> bool:
        return all(
            path.exists() and path.read_bytes() == content
            for path, content in self.files.items()
        )


def _done(outcome: Outcome) -> Outcome:
    """A refusal counts as a failure of the work."""
    if outcome.verdict is Verdict.REFUSED:
        raise StoreError(outcome.reason)
    return outcome


def check_taken_or_not(scene: OldFolder, house: House, point: str) -> bool:
    arrived = scene.ids(house) - {scene.resident_id}
    scene.check_sound(house)
    for one in arrived:
        assert scene.original(house, one) == scene.arriving, point
        with house.uow.read_rows() as rows:
            told = rows.exec_driver_sql(
                "SELECT provenance FROM images WHERE id <> ?", (scene.resident_id.hex,)
            )
            assert set(told.scalars()) <= {UNVERIFIED, "sealed"}
    assert scene.untouched(), point
    again = scene.take(house)
    assert (again.verdict is Verdict.THERE) == bool(arrived), point
    assert len(scene.ids(house)) == 2
    return bool(arrived)


@pytest.fixture(scope="module")
def arriving(tmp_path_factory: pytest.TempPathFactory) -> OldFolder:
    """The old picture is not here yet."""
    return OldFolder(tmp_path_factory.mktemp("arriving"))


@pytest.fixture(scope="module")
def arrived(tmp_path_factory: pytest.TempPathFactory) -> OldFolder:
    """The old picture was imported."""
    scene = OldFolder(tmp_path_factory.mktemp("arrived"))
    with scene.opened() as house:
        scene.take(house)
    scene.keep()
    return scene


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    return Table(tmp_path_factory.mktemp("table"))


class TestImport:
    @pytest.mark.parametrize(("code", "onwards"), FAULTS)
    def test_a_fault(self, arriving: OldFolder, code: int, onwards: bool) -> None:
        scene = arriving
        failures = 0
        for point, house, failed in attempts(scene, scene.take, code, onwards=onwards):
            failures += failed
            arrived = check_taken_or_not(scene, house, point)
            assert failed or arrived, point
        assert failures > 20

    def test_a_kill(self, arriving: OldFolder) -> None:
        scene = arriving
        points = points_of(scene, scene.take)
        killed = Kills(injection.killed_at)
        for at, point in injection.worth_trying(points):
            scene.reset()
            if not killed(at, scene.house, scene.take):
                continue
            with scene.started_again() as house:
                check_taken_or_not(scene, house, point)
        assert len(points) > 100


class TestRemoval:
    @pytest.mark.parametrize(("code", "onwards"), FAULTS)
    def test_a_fault(self, arrived: OldFolder, code: int, onwards: bool) -> None:
        scene = arrived
        for point, house, failed in attempts(scene, scene.remove, code, onwards=onwards):
            check_gone_or_whole(scene, house, point, failed=failed)

    def test_a_kill(self, arrived: OldFolder) -> None:
        scene = arrived
        gone = 0
        killed = Kills(injection.killed_at)
        for at, point in enumerate(points_of(scene, scene.remove), 1):
            scene.reset()
            if not killed(at, scene.house, scene.remove):
                continue
            with scene.started_again() as house:
                gone += check_gone_or_whole(scene, house, point, failed=True)
        assert gone > 1

    def test_a_damaged_copy_keeps_its_source(self, arrived: OldFolder) -> None:
        scene = arrived
        scene.reset()
        store = scene.settings.store_path
        with scene.opened() as house:
            (new,) = scene.ids(house) - {scene.resident_id}
            (blob,) = (p for p in store.rglob("*.bmp.enc") if new.hex[:2] == p.parent.name)
            whole = blob.read_bytes()
            for at in (5, 40, 100, 140, len(whole) - 1):
                blob.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
                with pytest.raises(StoreError, match="missing, damaged, or not equal"):
                    scene.remove(house)
            blob.write_bytes(whole)
            sidecar = blob.with_name(blob.name + ".meta")
            kept = sidecar.read_bytes()
            sidecar.unlink()
            with pytest.raises(StoreError, match="missing, damaged, or not equal"):
                scene.remove(house)
            sidecar.write_bytes(kept)
            assert scene.untouched()
            scene.remove(house)
        assert not any(path.exists() for path in scene.files)


def check_gone_or_whole(scene: OldFolder, house: House, point: str, *, failed: bool) -> bool:
    """The picture is there in any case; its source is as it was, or (in part) removed."""
    (new,) = scene.ids(house) - {scene.resident_id}
    assert scene.original(house, new) == scene.arriving, point
    picture, told = scene.files
    assert failed or not picture.exists(), point
    for path in (picture, told):
        assert not path.exists() or path.read_bytes() == scene.files[path], point
    assert picture.exists() or not told.exists(), point
    gone = not picture.exists()
    scene.remove(house)
    assert not picture.exists()
    assert not told.exists()
    scene.check_sound(house)
    return gone


class Table(Scene):
    """A scene with an older database that has three boxes of the resident picture."""

    def __init__(self, folder: Path) -> None:
        path = folder / "older.db"
        with sqlite3.connect(path) as database:
            database.execute("CREATE TABLE marks (id, picture, label, box)")
            rows = [(n, f"{NAME}.bmp", cbc_text(b"car"), f"[{n},1,2,3]") for n in range(3)]
            database.executemany("INSERT INTO marks VALUES (?, ?, ?, ?)", rows)
        database.close()
        super().__init__(folder)
        with self.opened() as house:
            self.collection = house.services.moving_in.proof.target(self.actor, None).id
            tables = house.services.moving_in.tables
            tables._key_text = OLD_KEY.reveal().decode()
            mapped = Mapped(parse_columns(["id=id,image=picture,label=label,box=box"]))
            self.rows = tables.open(f"sqlite:///{path}", "marks", mapped, None)

    def move(self, house: House) -> list[Outcome]:
        tables = house.services.moving_in.tables
        found = tables.run(self.actor, self.collection, self.rows, dry_run=False)
        return [_done(outcome) for outcome in found]

    def boxes(self, house: House) -> int:
        known = house.services.annotations.get(self.actor, self.resident_id)
        return len(known.annotations)


class TestTable:
    def test_a_fault(self, table: Table) -> None:
        scene = table
        for point, house, failed in attempts(scene, scene.move, errno.EIO, onwards=False):
            there = scene.boxes(house)
            assert there in (0, 3), point
            assert failed or there == 3, point
            self.check_completed(scene, house)

    def test_a_kill(self, table: Table) -> None:
        scene = table
        work: Callable[[House], object] = scene.move
        killed = Kills(injection.killed_at)
        for at, point in injection.worth_trying(points_of(scene, work)):
            scene.reset()
            if not killed(at, scene.house, work):
                continue
            with scene.started_again() as house:
                assert scene.boxes(house) in (0, 3), point
                self.check_completed(scene, house)

    def check_completed(self, scene: Table, house: House) -> None:
        scene.move(house)
        assert scene.boxes(house) == 3
        tables = house.services.moving_in.tables
        proven = tables.prove(scene.actor, scene.collection, scene.rows)
        assert {outcome.verdict for outcome in proven} == {Verdict.PROVEN}
        scene.check_sound(house)


def test_the_loops_count_the_removal_itself(tmp_path: Path) -> None:
    """The points of a removal hold the calls that take the files away."""
    scene = OldFolder(tmp_path)
    with scene.opened() as house:
        scene.take(house)
    scene.keep()
    points = points_of(scene, scene.remove)
    assert points.count("os.unlink") == 2
    assert points.index("db.commit done") < points.index("os.unlink")
    assert os.listdir(scene.folder) == []
