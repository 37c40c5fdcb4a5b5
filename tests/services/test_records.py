"""Sealed records: written after a change, never older than what they say, never lost."""

from __future__ import annotations

import logging
import threading
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select, update

from app.crypto.context import Role
from app.crypto.stream import BlobReader, read_header
from app.db.times import utc_now
from app.domain import directory_record
from app.domain.image_record import ImageRecord
from app.errors import KeyVaultUnavailable, WorkStopped
from app.models import FileKey, Image, Installation, LabelClass, StaleRecord, Tag, User
from app.services.labels import LabelEdit
from app.services.records import RecordsReport, mark_behind
from app.storage.object_paths import DIRECTORY_RECORD
from tests.fixtures.installation import PASSWORD
from tests.fixtures.uploads import PictureRoom, picture

BOX = {"x": 1.25, "y": 2.0, "w": 3.0, "h": 4.0}


def plain(room: PictureRoom, key: str) -> bytes:
    house = room.installation.house
    with house.blobs.open(key) as handle:
        header = read_header(handle)
        dek = house.keys.key(header.file_id, header.key_version_id)
        reader = BlobReader(handle, header, dek, file_id=header.file_id, role=Role.RECORD)
        return reader.read_all()


def record(room: PictureRoom, image: UUID) -> ImageRecord:
    return ImageRecord.decode(plain(room, room.path(image).record), image)


def directory(room: PictureRoom) -> list[tuple[str, object]]:
    return list(directory_record.decode(plain(room, DIRECTORY_RECORD).splitlines(True)))


def put(room: PictureRoom, image: UUID, *names: str) -> None:
    boxes = [{"label": name, "box": BOX, "attributes": {"n": 0.1}} for name in names]
    room.services.annotations.put(room.actor, image, {"annotations": boxes}, "*")


def run(room: PictureRoom) -> RecordsReport:
    return room.services.records.run()


def test_an_upload_has_its_record(room: PictureRoom) -> None:
    image = room.upload(picture(), tags=("sea",)).id
    assert room.services.records.behind() == 2
    assert run(room) == RecordsReport(2, 2, 0)
    assert room.services.records.behind() == 0
    found, row = record(room, image), room.row(image)
    assert row is not None
    assert found.image == {name: getattr(row, name) for name in found.image}
    assert len(found.tags) == 1
    assert found.annotations == ()


def test_boxes_tags_and_access_follow(room: PictureRoom) -> None:
    image = room.upload(picture(), tags=("sea",)).id
    run(room)
    put(room, image, "car", "bus")
    assert run(room).written == 2  # the classes are new
    boxes = record(room, image).annotations
    assert [box["box"] for box in boxes] == [(1.25, 2.0, 3.0, 4.0)] * 2
    assert boxes[0]["attributes"] == {"n": 0.1}
    room.services.trash.trash(room.actor, image)
    assert run(room).written == 1
    assert record(room, image).image["trashed_at"] is not None


def test_the_directory_tells_people_collections_classes_and_tags(room: PictureRoom) -> None:
    owner = room.actor
    slug = room.services.collections.create(owner, name="Straßen").slug
    other = room.installation.person("bob")
    room.services.members.add(owner, slug, email=other.email, role="annotator")
    room.services.labels.create(owner, slug, LabelEdit(name="car", colour="#123456"))
    room.upload(picture(), collection=slug, tags=("sea",))
    run(room)
    rows = directory(room)
    told = {kind: [row for each, row in rows if each == kind] for kind, _ in rows}
    assert {row["email"] for row in told["account"]} == {other.email, "ann@people.example"}
    assert "Straßen" in {row["name"] for row in told["collection"]}
    assert ("annotator", other.id) in {(row["role"], row["user_id"]) for row in told["member"]}
    assert [row["body"]["name"] for row in told["label"]] == ["car"]
    assert [row["name"] for row in told["tag"]] == ["sea"]


def test_no_secret_is_in_any_record(room: PictureRoom) -> None:
    image = room.upload(picture()).id
    key = room.installation.key("ann")
    room.installation.browser("ann")
    run(room)
    house = room.installation.house
    with house.uow.read_rows() as rows:
        (user,) = rows.execute(select(User.password_hash, User.email_index))
        raw = plain(room, DIRECTORY_RECORD) + plain(room, room.path(image).record)
    assert b"ann@people.example" in raw
    for secret in (user.password_hash, PASSWORD, key, user.email_index.hex(), "argon2"):
        assert secret.encode() not in raw
    sealed = (room.blob(DIRECTORY_RECORD)).read_bytes()
    assert b"ann" not in sealed


def test_a_change_while_the_record_is_written_is_not_lost(
    room: PictureRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = room.upload(picture()).id
    run(room)
    records = room.services.records
    store = records._sealing._store
    real = store.seal_record

    def slow(_: object, *args: object) -> object:
        monkeypatch.undo()
        put(room, image, "car")
        return real(*args)

    room.services.tags.add(room.actor, image, ["sea"])
    monkeypatch.setattr(type(store), "seal_record", slow)
    records.run()
    assert records.behind() == 2  # this picture, and the directory with the new class
    run(room)
    assert len(record(room, image).annotations) == 1
    assert records.behind() == 0


def test_a_change_between_note_and_reading_costs_one_more_run(room: PictureRoom) -> None:
    image = room.upload(picture()).id
    records = room.services.records
    name = uuid4()
    noted = records._take_note(name, records._next(None))
    put(room, image, "car")
    for file_id in noted:
        assert records._write(file_id)
    records._settle(name, noted)
    assert records.behind() == 2
    assert len(record(room, image).annotations) == 1


def test_a_mark_that_came_back_is_not_the_one_that_went(room: PictureRoom) -> None:
    """A slow writer, a quick one that ends, a change: the slow one must not forget it."""
    image = room.upload(picture()).id
    records, slow = room.services.records, uuid4()
    noted = records._take_note(slow, records._next(None))
    records.run()
    put(room, image, "car")
    third = uuid4()
    records._take_note(third, records._next(None))  # and dies
    records._settle(slow, noted)
    assert records.behind() == 2


def test_two_writers_leave_what_the_later_one_read(room: PictureRoom) -> None:
    images = [room.upload(picture(n)).id for n in range(6)]
    records = room.services.records
    stop = threading.Event()
    trouble: list[BaseException] = []

    def write() -> None:
        try:
            while not stop.is_set():
                records.run()
        except BaseException as error:  # noqa: BLE001 - told below
            trouble.append(error)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for turn in range(5):
        for image in images:
            put(room, image, *["car"] * (turn + 1))
    stop.set()
    for writer in writers:
        writer.join()
    assert trouble == []
    records.run()
    assert records.behind() == 0
    assert [len(record(room, image).annotations) for image in images] == [5] * 6


def test_a_destroyed_picture_has_no_record(room: PictureRoom) -> None:
    image = room.upload(picture()).id
    run(room)
    path = room.path(image)
    assert room.blob(path.record).exists()
    put(room, image, "car")
    room.services.trash.destroy(room.actor, image)
    assert run(room).failed == 0
    assert not room.blob(path.record).exists()
    assert room.services.records.behind() == 0


def test_one_that_is_marked_destroyed_is_not_written(room: PictureRoom) -> None:
    image = room.upload(picture()).id
    with room.installation.house.uow.write() as session:
        session.execute(update(Image).values(status="destroyed"))
    run(room)
    with room.installation.house.uow.read() as session:
        (row,) = session.execute(select(Image.store_slug, Image.stored_name))
    folder = room.blob(f"dam/{row.store_slug}/{image.hex[:2]}")
    assert not list(folder.glob("*.record.enc"))


def test_it_is_sealed_under_the_newest_key_that_may_be_read(room: PictureRoom) -> None:
    """A rotation under way has put the record under its new key already, or will find it."""
    image = room.upload(picture()).id
    house = room.installation.house
    new = house.keys.new(image, generation=2)
    row = house.keys.row(new)
    row.state = "pending"
    with house.uow.write() as session:
        session.add(row)
    run(room)
    with house.blobs.open(room.path(image).record) as handle:
        header = read_header(handle)
    assert (header.generation, header.key_version_id) == (2, new.version)
    assert record(room, image).id == image


def test_what_cannot_be_written_stays_behind(
    room: PictureRoom, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = (room.upload(picture(n)).id for n in range(2))
    house = room.installation.house
    real = type(house.keys).key

    def key(self: object, file_id: UUID, version: bytes) -> object:
        if file_id == bad:
            raise KeyVaultUnavailable("away")
        return real(self, file_id, version)

    monkeypatch.setattr(type(house.keys), "key", key)
    with caplog.at_level(logging.WARNING):
        assert run(room) == RecordsReport(3, 2, 1)
    assert "could not be written" in caplog.text
    assert room.services.records.behind() == 1
    monkeypatch.undo()
    assert run(room) == RecordsReport(1, 1, 0)
    assert {record(room, one).id for one in (bad, good)} == {bad, good}


def test_a_value_that_does_not_open_leaves_the_record_as_it_was(room: PictureRoom) -> None:
    image = room.upload(picture()).id
    put(room, image, "car")
    run(room)
    house = room.installation.house
    with house.uow.write() as session:
        session.connection().exec_driver_sql("UPDATE annotations SET box = label")
    assert run(room).failed == 1
    assert len(record(room, image).annotations) == 1


class StopAt:
    """Asks the work to end at its nth step."""

    def __init__(self, at: int) -> None:
        self.left = at

    def advance(self, done: int, total: int | None = None) -> None:
        assert total is None or done <= total
        self.left -= 1
        if self.left < 0:
            raise WorkStopped("stopped")


def test_a_record_that_was_lost_is_marked_by_hand(room: PictureRoom) -> None:
    image = room.upload(picture()).id
    run(room)
    room.blob(room.path(image).record).unlink()
    for _ in range(2):
        with room.installation.house.uow.write() as session:
            mark_behind(session, image)
    assert room.services.records.behind() == 1
    run(room)
    assert record(room, image).id == image


def test_a_stop_keeps_what_was_written(room: PictureRoom) -> None:
    for n in range(4):
        room.upload(picture(n))
    with pytest.raises(WorkStopped):
        room.services.records.run(StopAt(3))
    assert room.services.records.behind() == 2
    assert run(room).written == 2


def test_a_thousand_go_in_batches(room: PictureRoom) -> None:
    image = room.upload(picture()).id
    house = room.installation.house
    now = utc_now()
    gone = [{"file_id": uuid4(), "since": now} for _ in range(1000)]
    with house.uow.write() as session:
        session.execute(insert(StaleRecord), gone)
    assert run(room) == RecordsReport(1002, 1002, 0)  # what is gone has nothing to write
    assert record(room, image).id == image


@pytest.fixture
def crowd(room: PictureRoom) -> PictureRoom:
    """More rows than one chunk of a blob holds."""
    people = [
        {
            "id": uuid4(),
            "email": f"p{n}@example.org",
            "email_index": n.to_bytes(32),
            "name": "P",
        }
        for n in range(3000)
    ]
    with room.installation.house.uow.write() as session:
        session.execute(insert(User), people)
    return room


def test_a_large_directory_is_written_line_by_line(crowd: PictureRoom) -> None:
    run(crowd)
    rows = directory(crowd)
    assert sum(kind == "account" for kind, _ in rows) == 3000


def test_the_directory_keeps_its_key(room: PictureRoom) -> None:
    room.upload(picture())
    run(room)
    house = room.installation.house
    with house.uow.read() as session:
        store_id = session.scalar(select(Installation.store_id))
        assert store_id is not None
        first = session.scalars(select(FileKey.version_id).where(FileKey.file_id == store_id))
        known = first.all()
    room.installation.person("bob")
    run(room)
    with house.uow.read() as session:
        again = session.scalars(select(FileKey.version_id).where(FileKey.file_id == store_id))
        assert again.all() == known
        assert len(known) == 1
        assert session.scalars(select(LabelClass.id)).all() == []
        assert session.scalars(select(Tag.id)).all() == []
