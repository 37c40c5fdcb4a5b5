"""Rows of older databases: their columns, forms and keys; SQLite and a real PostgreSQL."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import create_engine, make_url
from sqlalchemy import text as sql

from app.crypto.keys import SecretKey, generate_key
from app.crypto.legacy_keys import KeyForm
from app.db.older_table import OlderTable
from app.domain.access import Actor
from app.domain.shapes import Box
from app.errors import ConfigurationError, DatabaseUnavailable, EncryptionError, InvalidInput
from app.formats.labelled_box import Corners, Units
from app.services.migration.boxes import BoxMoves
from app.services.migration.outcome import Verdict
from app.services.migration.table_columns import Mapped, parse_columns
from app.services.migration.table_import import TableImport
from tests.fixtures.older_files import OLD_KEY, TYPED_KEY, cbc_text
from tests.fixtures.rooms import Rooms

COLUMNS = parse_columns(["id=id,image=img,label=label,box=box"])
CARD = {"name": "one.png", "width": 200, "height": 100}


@pytest.fixture
def picture_id(rooms: Rooms) -> UUID:
    return rooms.picture(rooms.person(), card=CARD, meta={"sha256": "ab" * 32})


def table_import(rooms: Rooms, key: str = TYPED_KEY) -> TableImport:
    return TableImport(rooms.uow, BoxMoves(rooms.annotations), key)


def made(path: Path, *rows: tuple[Any, ...], columns: str = "id, img, label, box") -> str:
    with sqlite3.connect(path) as database:
        database.execute(f"CREATE TABLE marks ({columns})")
        places = ", ".join("?" * (columns.count(",") + 1))
        database.executemany(f"INSERT INTO marks VALUES ({places})", rows)
    database.close()
    return f"sqlite:///{path}"


class Move:
    """A table, run as the owner of the picture's collection."""

    def __init__(self, rooms: Rooms, image_id: UUID) -> None:
        self.rooms, self.image_id = rooms, image_id
        with rooms.uow.read_rows() as connection:
            owner, collection = connection.execute(
                sql("SELECT uploader_id, collection_id FROM images")
            ).one()
        self.actor = Actor(UUID(str(owner)))
        self.collection = UUID(str(collection))
        self.tables = table_import(rooms)

    def run(
        self, address: str, mapped: Mapped, form: KeyForm | None = None, table: str = "marks"
    ) -> list[str]:
        rows = self.tables.open(address, table, mapped, form)
        found = self.tables.run(self.actor, self.collection, rows, dry_run=False)
        return [one.reason or one.verdict.value for one in found]

    def boxes(self) -> list[tuple[str, Box]]:
        known = self.rooms.annotations.get(self.actor, self.image_id).annotations
        return [(one.label, one.box) for one in known]


@pytest.fixture
def move(rooms: Rooms, picture_id: UUID) -> Move:
    return Move(rooms, picture_id)


@pytest.mark.parametrize(
    ("box", "form", "units"),
    [
        ("[10, 20, 30, 40]", Corners.XYWH, Units.PIXEL),
        ("10,20,30,40", Corners.XYWH, Units.PIXEL),
        ("(10.0, 20.0, 40, 60)", Corners.XYXY, Units.PIXEL),
        ("[25, 40, 30, 40]", Corners.CXCYWH, Units.PIXEL),
        ("[0.05, 0.2, 0.15, 0.4]", Corners.XYWH, Units.NORMALISED),
        ('{"x": 10, "y": 20, "w": 30, "h": 40}', Corners.XYWH, Units.PIXEL),
        ('{"x1": 10, "y1": 20, "x2": 40, "y2": 60}', Corners.XYWH, Units.PIXEL),
        ('{"xmin": "10", "ymin": 20, "xmax": 40, "ymax": 60}', Corners.XYWH, Units.PIXEL),
    ],
)
def test_a_box_in_each_form(
    move: Move, tmp_path: Path, box: str, form: Corners, units: Units
) -> None:
    sealed = cbc_text(box.encode())
    address = made(tmp_path / "a.db", (1, "one.png", "car", box), (2, "one.png", "cat", sealed))
    assert move.run(address, Mapped(COLUMNS, form, units)) == ["imported"] * 2
    for (label, found), wanted in zip(move.boxes(), ("car", "cat"), strict=True):
        assert label == wanted
        assert (found.x, found.y, found.w, found.h) == pytest.approx((10, 20, 30, 40))


def test_columns_of_their_own_frames_and_attributes(move: Move, tmp_path: Path) -> None:
    row = (1, "clips/one.png", "car", cbc_text(b"1.5"), "2", 3.0, 4, 7, "left side")
    address = made(tmp_path / "a.db", row, columns="id, img, label, x, y, w, h, f, note")
    told = "id=id,image=img,label=label,x=x,y=y,w=w,h=h,frame=f,attributes.note=note"
    assert move.run(address, Mapped(parse_columns([told]))) == ["imported"]
    known = move.rooms.annotations.get(move.actor, move.image_id).annotations
    assert known[0].box == Box(1.5, 2, 3, 4)
    assert (known[0].frame, dict(known[0].attributes)) == (7, {"note": "left side"})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((1, "two.png", "car", "[1,2,3,4]"), "import it first"),
        ((None, "one.png", "car", "[1,2,3,4]"), "is empty"),
        ((1, "one.png", "", "[1,2,3,4]"), "is empty"),
        ((1, "one.png", "car", "[1,2,3]"), "four numbers"),
        ((1, "one.png", "car", '{"a": 1}'), "without the members"),
        ((1, "one.png", "car", None), "four numbers"),
        ((1, "one.png", "car", "[1,2,3,-4]"), "This is no box"),
        ((1, "one.png", "car", "[1,2,3,1e999]"), "This is no box"),
        ((1, "one.png", "x" * 65, "[1,2,3,4]"), "At most 64"),
        ((1, "one.png", b"\xff\xfe", "[1,2,3,4]"), "neither text"),
        ((1, "one.png", cbc_text(b"\xff\xfe"), "[1,2,3,4]"), "Decryption failed"),
        ((1, "one.png", cbc_text(b"car", generate_key()), "[1,2,3,4]"), "Decryption failed"),
    ],
)
def test_a_row_that_says_no_box(
    move: Move, tmp_path: Path, row: tuple[Any, ...], reason: str
) -> None:
    good = (9, cbc_text(b"one.png"), "ok", "[1,2,3,4]")
    address = made(tmp_path / "a.db", row, good)
    said = move.run(address, Mapped(COLUMNS))
    assert min(said, key=len) == "imported"
    assert reason in max(said, key=len)
    assert [label for label, _ in move.boxes()] == ["ok"]


def test_pictures_are_meant_by_name_id_or_hash(
    move: Move, tmp_path: Path, rooms: Rooms
) -> None:
    names = ("one.png", "a\\b\\one.png", "x/one.png.enc", str(move.image_id), "AB" * 32)
    rows = [(n, name, f"l{n}", "[1,2,3,4]") for n, name in enumerate(names)]
    address = made(tmp_path / "a.db", *rows)
    assert move.run(address, Mapped(COLUMNS)) == ["imported"] * len(names)
    assert move.run(address, Mapped(COLUMNS)) == ["already_there"] * len(names)
    rooms.picture(move.actor, card=CARD, meta={"sha256": "cd" * 32})
    said = move.run(address, Mapped(COLUMNS))
    assert said[:3] == ["Several pictures of the collection have this name."] * 3
    assert said[3:] == ["already_there"] * 2


def test_a_closed_label_set_refuses_one_by_one(move: Move, tmp_path: Path) -> None:
    first = made(tmp_path / "a.db", (1, "one.png", "car", "[1,2,3,4]"))
    move.run(first, Mapped(COLUMNS))
    with move.rooms.uow.write() as session:
        session.execute(sql("UPDATE collections SET labels_closed = true"))
    rows = [(2, "one.png", "cat", "[1,2,3,4]"), (3, "one.png", "car", "[5,2,3,4]")]
    said = move.run(made(tmp_path / "b.db", *rows), Mapped(COLUMNS))
    assert said[1] == "imported"
    assert "closed" in said[0]


def test_the_form_of_the_key_is_found_on_the_rows(move: Move, tmp_path: Path) -> None:
    hashed = SecretKey(hashlib.sha256(TYPED_KEY.encode()).digest())
    rows = [(n, "one.png", cbc_text(b"car", hashed), "[1,2,3,4]") for n in range(3)]
    rows.append((9, "one.png", cbc_text(b"odd", OLD_KEY), "[1,2,3,4]"))
    address = made(tmp_path / "a.db", *rows)
    assert move.run(address, Mapped(COLUMNS)).count("imported") == 3
    assert move.run(address, Mapped(COLUMNS), KeyForm.UTF8).count("imported") == 1
    assert [label for label, _ in move.boxes()] == ["car"] * 3 + ["odd"]
    stranger = cbc_text(b"car", generate_key())
    other = made(tmp_path / "b.db", (1, "one.png", stranger, "[1,2,3,4]"))
    with pytest.raises(EncryptionError, match="None of 1 rows"):
        move.run(other, Mapped(COLUMNS))
    move.tables = table_import(move.rooms, "")
    with pytest.raises(ConfigurationError, match="IMAGE_ENCRYPTION_KEY"):
        move.run(other, Mapped(COLUMNS))


def test_a_box_that_was_moved_here_stays(move: Move, tmp_path: Path) -> None:
    address = made(tmp_path / "a.db", (1, "one.png", "car", "[1,2,3,4]"))
    move.run(address, Mapped(COLUMNS))
    current = move.rooms.annotations.get(move.actor, move.image_id)
    (box,) = current.annotations
    changed = {"id": str(box.id), "label": "car", "box": {"x": 9, "y": 9, "w": 9, "h": 9}}
    move.rooms.annotations.put(move.actor, move.image_id, {"annotations": [changed]}, "*")
    assert move.run(address, Mapped(COLUMNS)) == ["already_there"]
    assert move.boxes() == [("car", Box(9, 9, 9, 9))]
    rows = move.tables.open(address, "marks", Mapped(COLUMNS), None)
    (proof,) = move.tables.prove(move.actor, move.collection, rows)
    assert proof.verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "columns",
    ["", "id=a", "id=a,image=b,label=c", "id=a,image=b,label=c,x=d,y=e,w=f",
     "id=a,image=b,label=c,box=d,x=e,y=f,w=g,h=h", "id=a,image=b,label=,box=d",
     "id=a,image=b,label=c,box=d,colour=e"],
)  # fmt: skip
def test_columns_that_say_too_little_or_too_much(columns: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_columns([columns])


def test_tables_and_columns_that_do_not_exist(move: Move, tmp_path: Path) -> None:
    address = made(tmp_path / "a.db")
    with pytest.raises(ConfigurationError, match="no table"):
        move.run(address, Mapped(COLUMNS), table="others")
    wrong = parse_columns(["id=id,image=img,label=note,box=box"])
    with pytest.raises(ConfigurationError, match="no column note"):
        move.run(address, Mapped(wrong))
    (tmp_path / "no.db").write_bytes(
        b"this is no database, but long enough to be looked at" * 9
    )
    with pytest.raises(DatabaseUnavailable) as refused:
        OlderTable(f"sqlite:///{tmp_path}/no.db", "marks").count()
    assert refused.value.__cause__ is None


def test_the_older_database_is_never_written(move: Move, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    address = made(path, (1, "one.png", "car", "[1,2,3,4]"))
    before = path.read_bytes()
    path.chmod(0o400)
    move.run(address, Mapped(COLUMNS))
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith("a.db-")] == []


def test_a_postgresql_database(move: Move, postgres_url: str) -> None:
    engine = create_engine(make_url(postgres_url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(sql("CREATE SCHEMA events"))
        connection.execute(
            sql("CREATE TABLE events.marks (id uuid, img text, label text, box jsonb)")
        )
        for n, label in enumerate(("car", cbc_text(b"cat"))):
            connection.execute(
                sql("INSERT INTO events.marks VALUES (:id, 'one.png', :label, '[1, 2, 3, 4]')"),
                {"id": UUID(int=n), "label": label},
            )
    engine.dispose()
    said = move.run(postgres_url, Mapped(COLUMNS), table="events.marks")
    assert said == ["imported"] * 2
    assert [label for label, _ in move.boxes()] == ["car", "cat"]
    with pytest.raises(InvalidInput):
        Mapped(COLUMNS).read((1, "a", cbc_text(b"x"), "[1,2,3,4]"), None)
