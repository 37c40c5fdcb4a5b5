"""What imports said is kept sealed, comes back at a rebuild, and moves with its picture."""

from __future__ import annotations

import json

from sqlalchemy import select

from app.models import ExchangeNote
from app.services.records.rows import image_record
from tests.fixtures.exchange import ExchangeRoom, coco
from tests.fixtures.installation import Installation
from tests.services.test_rebuild import fresh, lose, rebuild


def take(installation: Installation) -> ExchangeRoom:
    room = ExchangeRoom(installation, ("a.png", "b.png"))
    room.take(json.dumps(coco("a.png", "b.png")).encode(), "set.json")
    return room


def test_notes_of_pictures_come_back_at_a_rebuild(installation: Installation) -> None:
    room = take(installation)
    with installation.house.uow.read_rows() as connection:
        record = image_record(connection, room.images["a.png"])
    assert record is not None
    assert len(record.notes) == 1
    assert record.decode(record.encode(), record.id).notes == record.notes
    installation.services.records.run()
    lose(installation)
    rebuild(installation)
    house = fresh(installation)
    try:
        with house.uow.read_rows() as connection:
            rows = connection.execute(
                select(ExchangeNote.id, ExchangeNote.image_id, ExchangeNote.body)
            ).all()
            kept = {row.image_id: row.body.of(row.id) for row in rows}
    finally:
        house.close()
    assert set(kept) == {*room.images.values(), None}, "that of the document, too"
    assert kept[room.images["a.png"]] == record.notes[0]["body"]


def test_a_note_alone_marks_the_record_of_its_picture(installation: Installation) -> None:
    room = take(installation)
    records = installation.services.records
    records.run()
    document = coco("a.png", "b.png")
    document["annotations"][0]["by"] = "bob"
    room.take(json.dumps(document).encode(), "set.json")
    assert records.behind() == 3, "both pictures, and the directory with the document's"
    records.run()
    assert records.behind() == 0


def test_notes_are_sealed(installation: Installation) -> None:
    take(installation)
    engine = installation.house.uow.engine
    with engine.connect() as connection:
        raw = connection.exec_driver_sql("SELECT body FROM exchange_notes").fetchall()
    assert len(raw) == 3
    for (body,) in raw:
        assert bytes(body[:2]) == b"\xdc\x01"
        assert b"somebody" not in body
        assert b"ada" not in body


def test_notes_move_with_their_picture(installation: Installation) -> None:
    room = take(installation)
    other = installation.services.collections.create(room.actor, name="Other")
    installation.services.moves.move(room.actor, room.images["a.png"], other.slug)
    room.slug = other.slug
    (document,) = [
        json.loads(content)
        for name, content in room.give(images=False).items()
        if name != "manifest.json"
    ]
    assert [image["id"] for image in document["images"]] == [100], "the foreign id came along"
