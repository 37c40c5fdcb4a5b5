"""10,000 annotations of 20 images by the ORM: label and box sealed, against plain columns."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from app.crypto.aead import ColumnCipher
from app.crypto.keys import generate_key
from app.db.encrypted_types import EncryptedBox, EncryptedString
from app.db.field_cipher import FieldCipher
from app.db.row_binding import watch_rows
from app.db.session import make_engine
from tests.benchmarks._measure import Row, compare, report

COUNT, IMAGES = 10_000, 20


class Base(DeclarativeBase):
    """Tables of this benchmark alone."""


class Plain(Base):
    """What a tool without sealing keeps."""

    __tablename__ = "plain"

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    image_id: Mapped[UUID] = mapped_column(sa.Uuid, index=True)
    label: Mapped[str] = mapped_column(sa.String(64))
    x: Mapped[float]
    y: Mapped[float]
    w: Mapped[float]
    h: Mapped[float]


class Sealed(Base):
    """The same with two sealed columns."""

    __tablename__ = "sealed"

    id: Mapped[UUID] = mapped_column(sa.Uuid, primary_key=True)
    image_id: Mapped[UUID] = mapped_column(sa.Uuid, index=True)
    label: Mapped[str] = mapped_column(EncryptedString("bench.label"))
    box: Mapped[object] = mapped_column(EncryptedBox("bench.box"))


watch_rows(Sealed)


def rows_of(images: list[UUID]) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    plain, sealed = [], []
    for number in range(COUNT):
        same = {"id": uuid4(), "image_id": images[number % IMAGES], "label": uuid4().hex}
        box = (number * 0.5, number * 0.25, 10.0, 20.0)
        plain.append({**same, "x": box[0], "y": box[1], "w": box[2], "h": box[3]})
        sealed.append({**same, "box": box})
    return plain, sealed


def measure(folder: Path) -> list[Row]:
    version = os.urandom(16)
    cipher = FieldCipher(ColumnCipher({version: generate_key()}, version))
    engine = make_engine(f"sqlite:///{folder / 'bench.db'}", cipher)
    Base.metadata.create_all(engine)
    images = [uuid4() for _ in range(IMAGES)]

    given = rows_of(images)

    def insert(table: type[Base]) -> None:
        rows = given[table is Sealed]
        with Session(engine) as session, session.begin():
            session.execute(sa.delete(table))
            session.execute(sa.insert(table), rows)

    def load(table: type[Base]) -> None:
        with Session(engine) as session:
            wanted = sa.select(table).where(table.image_id.in_(images))
            assert len(session.scalars(wanted).all()) == COUNT

    made = compare(
        "insert 10,000 annotations in bulk",
        "same rows, plain columns",
        lambda: insert(Sealed),
        lambda: insert(Plain),
        goal=1.7,
        clock=time.process_time,
    )
    loaded = compare(
        "load 10,000 annotations by ORM",
        "same rows, plain columns",
        lambda: load(Sealed),
        lambda: load(Plain),
        goal=1.5,
        clock=time.process_time,
    )
    engine.dispose()
    return [loaded, made]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        report(measure(Path(name)))


if __name__ == "__main__":
    main()
