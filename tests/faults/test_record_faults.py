"""Fail and kill at every call: a record is never damaged, a mark never lost, and a database
is made anew whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from sqlalchemy import Engine, event, text

from app.crypto.context import Role
from app.crypto.stream import BlobReader, read_header
from app.db.migrate import upgrade
from app.db.session import make_engine
from app.domain import directory_record
from app.domain.image_record import ImageRecord
from app.errors import BlobNotFound, DarkroomError
from app.services.rebuild import database as rebuilt_database
from app.services.records.rows import directory_entries, image_record
from app.storage.object_paths import DIRECTORY_RECORD, IMAGES
from app.wiring import House
from tests.faults import injection
from tests.faults.scene import Scene
from tests.faults.test_service_faults import FAULTS, attempts, points_of
from tests.fixtures.kills import Kills
from tests.fixtures.schema import tables_from_a_copy

pytestmark = pytest.mark.slow
EIO = 5


def write(house: House) -> None:
    report = house.services.records.run()
    if report.failed:
        raise DarkroomError("some were not written")


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Records are there, and then everything changes: one more picture, other tags."""
    scene = Scene(tmp_path_factory.mktemp("records"))
    with scene.opened() as house:
        house.services.records.run()
        scene.upload(house, scene.arriving)
        house.services.tags.add(scene.actor, scene.resident_id, ["more"])
    scene.keep()
    return scene


def plain(house: House, key: str) -> bytes | None:
    try:
        with house.blobs.open(key) as handle:
            header = read_header(handle)
            dek = house.keys.key(header.file_id, header.key_version_id)
            reader = BlobReader(handle, header, dek, file_id=header.file_id, role=Role.RECORD)
            return reader.read_all()
    except BlobNotFound:
        return None


def check(scene: Scene, house: House, point: str) -> None:
    """Whatever record is there opens; what is not the database's word is marked."""
    behind = house.services.records.behind()
    current = 0
    with house.uow.read_rows() as rows:
        lines = b"".join(directory_record.encode(directory_entries(rows)))
        current += plain(house, DIRECTORY_RECORD) == lines
        for key in house.blobs.keys(IMAGES):
            if key.endswith(".bmp.record.enc"):
                raw = plain(house, key)
                assert raw is not None
                told = next(one for one in scene.ids(house) if str(one).encode() in raw)
                ImageRecord.decode(raw, told)
        for one in scene.ids(house):
            wanted = image_record(rows, one)
            assert wanted is not None
            path = scene_path(scene, house, one)
            current += plain(house, path) == wanted.encode()
    assert current + behind >= 3, point
    write(house)
    assert house.services.records.behind() == 0, point
    scene.check_nothing_readable()


def scene_path(scene: Scene, house: House, one: object) -> str:
    with house.uow.read_rows() as rows:
        wanted = text("SELECT store_slug, stored_name FROM images WHERE id = :id")
        row = rows.execute(wanted, {"id": one.hex}).one()
    return f"dam/{row[0]}/{one.hex[:2]}/{row[1]}.record.enc"


class TestWriter:
    @pytest.mark.parametrize(("code", "onwards"), FAULTS)
    def test_a_fault(self, scene: Scene, code: int, onwards: bool) -> None:
        some_failed = 0
        for point, house, failed in attempts(scene, write, code, onwards=onwards):
            some_failed += failed
            check(scene, house, point)
        assert some_failed > 10

    def test_a_kill(self, scene: Scene) -> None:
        points = points_of(scene, write)
        assert len(points) > 60
        killed = Kills(injection.killed_at)
        for at, point in enumerate(points, 1):
            scene.reset()
            if not killed(at, scene.house, write):
                continue
            with scene.started_again() as house:
                check(scene, house, point)


# -- the database made anew


def database(scene: Scene) -> Path:
    return Path(scene.settings.database_url.removeprefix("sqlite:///"))


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    scene = Scene(tmp_path_factory.mktemp("lost"))
    with scene.opened() as house:
        scene.upload(house, scene.arriving)
        house.services.records.run()
    with tables_from_a_copy(rebuilt_database):
        yield scene


def lose(scene: Scene) -> None:
    for path in database(scene).parent.glob("darkroom.db*"):
        path.unlink()


def fresh(scene: Scene) -> House:
    return House(scene.settings)


def rebuild(house: House) -> None:
    assert house.services.rebuild.run().is_whole


@contextmanager
def points(house: House, before: injection.Before) -> Iterator[injection.Points]:
    """System and vault calls, and every fifth statement and each commit of any database."""
    reached = injection.Points(before)
    statements = 0

    def executing(*_: object) -> None:
        nonlocal statements
        statements += 1
        if statements % 5 == 0:
            reached.reach("db.execute")

    def committing(*_: object) -> None:
        reached.reach("db.commit")

    unwatched = mock.patch.object(injection, "_watch_database")
    with unwatched, injection.watched(house, lambda n, name: reached.reach(name)):
        event.listen(Engine, "before_cursor_execute", executing)
        event.listen(Engine, "commit", committing)
        try:
            yield reached
        finally:
            event.remove(Engine, "before_cursor_execute", executing)
            event.remove(Engine, "commit", committing)


def all_points(scene: Scene) -> list[str]:
    lose(scene)
    house = fresh(scene)
    with points(house, lambda n, name: None) as reached:
        rebuild(house)
    house.close()
    assert {name.partition(".")[0] for name in reached} == {"os", "vault", "db"}
    return list(reached)


def check_database(scene: Scene, point: str) -> bool:
    """There is none, or all of it."""
    place = database(scene)
    if not place.exists():
        return False
    engine = make_engine(f"sqlite:///{place}", None, make=False)
    with engine.connect() as connection:
        images = connection.execute(text("SELECT count(*) FROM images")).scalar_one()
        done = connection.execute(text("SELECT count(*) FROM installation")).scalar_one()
    engine.dispose()
    assert (images, done) == (2, 1), point
    return True


def chosen(found: list[str]) -> Iterator[tuple[int, str]]:
    """Every commit, every call that changes something; of those that only read, a ninth."""
    changing = {"db.commit", "os.fsync", "os.link", "os.unlink", "os.replace", "os.mkdir"}
    for at, point in enumerate(found, 1):
        if point in changing or at % 9 == 0:
            yield at, point


def failing(at: int, hit: list[str]) -> injection.Before:
    """Fail once and tell where: the number of calls is not always the same."""
    fail = injection.failing(at, EIO, onwards=False)

    def before(number: int, name: str) -> None:
        if number == at:
            hit.append(name)
        fail(number, name)

    return before


class TestRebuild:
    def test_a_fault(self, lost: Scene) -> None:
        failures = 0
        for at, point in chosen(all_points(lost)):
            lose(lost)
            house, hit = fresh(lost), list[str]()
            try:
                with points(house, failing(at, hit)):
                    rebuild(house)
            except (DarkroomError, OSError, AssertionError):
                failures += 1
            house.close()
            if not check_database(lost, point) and at % 7 == 0:
                again = fresh(lost)
                rebuild(again)
                again.close()
                assert check_database(lost, point)
            # What cannot be removed now is removed by the next one.
            left = list(database(lost).parent.glob("*.rebuild*"))
            assert not left or hit == ["os.unlink"], (point, hit)
        assert failures > 5

    @pytest.mark.parametrize("at", [20, 50, 80])
    def test_a_fault_while_its_tables_are_made(self, lost: Scene, at: int) -> None:
        lose(lost)
        house, hit = fresh(lost), list[str]()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rebuilt_database, "upgrade", upgrade)
            with pytest.raises((DarkroomError, OSError)), points(house, failing(at, hit)):
                rebuild(house)
        house.close()
        assert hit
        assert not check_database(lost, hit[0])
        assert not list(database(lost).parent.glob("*.rebuild*"))

    def test_a_kill(self, lost: Scene) -> None:
        for at, point in chosen(all_points(lost)):
            lose(lost)
            killed(lost, at)
            if not check_database(lost, point) and at % 7 == 0:
                again = fresh(lost)
                rebuild(again)
                again.close()
                assert check_database(lost, point)
                assert not list(database(lost).parent.glob("*.rebuild*")), point


def killed(scene: Scene, at: int) -> None:
    child = os.fork()
    if child == 0:
        try:
            house = fresh(scene)
            with points(house, injection.killing(at)):
                rebuild(house)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
