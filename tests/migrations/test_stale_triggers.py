"""Whatever a record says: changing it marks the record, in the transaction of the change."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, text

from app.crypto.aead import ColumnCipher
from app.crypto.keys import generate_key
from app.db.base import Base
from app.db.field_cipher import FieldCipher
from app.db.migrate import downgrade, upgrade
from app.db.session import UnitOfWork, make_engine
from app.db.times import utc_now
from app.domain.directory_record import KINDS
from app.domain.image_record import ANNOTATION, COMMENT, COPY, IMAGE, TASK
from app.models import (
    AgreementCopy,
    AgreementRound,
    Annotation,
    Collection,
    CollectionMember,
    Comment,
    ExchangeNote,
    Image,
    ImageTag,
    ImageTask,
    Installation,
    LabelClass,
    LabelSchema,
    LabelSchemaVersion,
    Preference,
    SavedFilter,
    StaleRecord,
    Tag,
    User,
)

STORE = uuid4()


@dataclass
class Filled:
    """One row of everything, and nothing marked."""

    uow: UnitOfWork
    image: UUID

    def marked(self) -> set[UUID]:
        """The files whose record is behind; from here on each change counts anew."""
        with self.uow.write() as session:
            behind = sa.select(StaleRecord.file_id).where(StaleRecord.writer.is_(None))
            found = set(session.scalars(behind))
            session.execute(sa.update(StaleRecord).values(writer=uuid4()))
        return found

    def run(self, statement: str) -> set[UUID]:
        with self.uow.write() as session:
            session.execute(text(statement))
        return self.marked()

    def does(self, *statements: sa.Executable) -> set[UUID]:
        with self.uow.write() as session:
            for statement in statements:
                session.execute(statement)
        return self.marked()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: object) -> Iterator[Engine]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/t.db" if sqlite else request.getfixturevalue("postgres_url")
    version = os.urandom(16)
    cipher = ColumnCipher({version: generate_key()}, version)
    engine = make_engine(url, FieldCipher(cipher))
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def filled(engine: Engine) -> Filled:
    work = UnitOfWork(engine)
    user, collection, image = uuid4(), uuid4(), uuid4()
    with work.write() as session:
        session.add(Installation(store_id=STORE, master_check=b"x"))
        session.add(User(id=user, email="a@b", email_index=os.urandom(32), name="Ada"))
        session.add(Collection(id=collection, slug="c-1", name="One", owner_id=user))
        session.add(CollectionMember(collection_id=collection, user_id=user, role="owner"))
        session.add(LabelClass(collection_id=collection, body={"name": "car"}))
        session.add(LabelSchema(collection_id=collection))
        session.add(SavedFilter(user_id=user, body={"name": "a", "query": {}}))
        session.add(Preference(user_id=user, body={"keymap": {}}))
        session.add(ExchangeNote(collection_id=collection, format="coco", body={}))
        tag = Tag(collection_id=collection, name="sea")
        session.add(tag)
        session.add(_image(image, collection))
        session.flush()
        session.add(ImageTag(image_id=image, tag_id=tag.id, sort_at=utc_now()))
        session.add(_box(image))
        session.add(ImageTask(image_id=image))
        session.add(Comment(image_id=image, body={"text": "x"}))
        session.add(LabelSchemaVersion(collection_id=collection, version=1, body={}))
        made = AgreementRound(collection_id=collection, body={"name": "a"})
        session.add(made)
        session.flush()
        session.add(AgreementCopy(round_id=made.id, image_id=image, annotator_id=user))
    filled = Filled(work, image)
    assert filled.marked() == {STORE, image}
    assert filled.marked() == set()
    return filled


def _image(image: UUID, collection: UUID) -> Image:
    return Image(
        id=image,
        collection_id=collection,
        store_slug="c-1",
        stored_name=image.hex,
        mime_type="image/png",
        size=1,
        enc_size=2,
    )


def _box(image: UUID) -> Annotation:
    return Annotation(image_id=image, label="x", box=(1.0, 2.0, 3.0, 4.0))


OF_IMAGE = [
    (fields.table, name)
    for fields in (IMAGE, ANNOTATION, TASK, COMMENT, COPY)
    for name in fields.kinds
]
OF_IMAGE += [("image_tags", "tag_id"), ("images", "content_rev")]
OF_STORE = [(fields.table, name) for fields in KINDS.values() for name in fields.kinds]
#: Comes along whenever something else is said of the task; told by itself it would have the
#: record written anew for each minute of work.
COMES_ALONG = "worked_seconds"
NEVER = [
    ("image_tasks", "lease_until"),
    ("image_tasks", COMES_ALONG),
    ("label_schemas", "tallies"),
    ("users", "last_login_at"),
    ("users", "quota_used"),
    ("users", "password_hash"),
    ("collections", "image_count"),
    ("images", "dedupe"),
]


def changing(table: str, column: str) -> str:
    return f"UPDATE {table} SET {column} = {column}"


def test_every_column_of_a_record_marks_it(filled: Filled) -> None:
    """Also those that nobody changes today: ids and provenance alone never change."""
    for table, column in OF_IMAGE:
        if column not in {"id", "provenance", COMES_ALONG}:
            assert filled.run(changing(table, column)) == {filled.image}, (table, column)
    for table, column in OF_STORE:
        if column != "id":
            assert filled.run(changing(table, column)) == {STORE}, (table, column)


def test_what_no_record_says_marks_nothing(filled: Filled) -> None:
    for table, column in NEVER:
        assert filled.run(changing(table, column)) == set(), (table, column)


def test_what_comes_and_goes_marks(filled: Filled) -> None:
    image, work = filled.image, filled.uow
    with work.write() as session:
        session.add(_box(image))
    assert filled.marked() == {image}
    assert filled.does(sa.delete(Annotation)) == {image}
    assert filled.does(sa.delete(ImageTag)) == {image}
    assert filled.does(sa.delete(ImageTask)) == {image}
    assert filled.does(sa.delete(Comment)) == {image}
    assert filled.does(sa.delete(AgreementCopy)) == {image}
    assert filled.does(sa.delete(AgreementRound)) == {STORE}
    assert filled.does(sa.delete(LabelSchemaVersion)) == {STORE}
    assert filled.does(sa.delete(LabelClass)) == {STORE}
    with work.write() as session:
        (where,) = session.scalars(sa.select(Image.collection_id))
        note = {"collection_id": where, "format": "coco", "body": {}}
        session.add(ExchangeNote(image_id=image, **note))
    assert filled.marked() == {image}
    with work.write() as session:
        session.add(User(email="c@d", email_index=os.urandom(32), name="Bob"))
    assert filled.marked() == {STORE}
    assert filled.does(sa.delete(User).where(User.quota_used < 0)) <= {STORE}


def test_a_cascade_marks_as_well(filled: Filled) -> None:
    assert filled.does(sa.delete(Tag)) == {STORE, filled.image}
    assert filled.does(sa.delete(CollectionMember)) == {STORE}


def test_a_change_that_is_taken_back_marks_nothing(filled: Filled) -> None:
    with filled.uow.write() as session:
        session.execute(sa.update(Image).values(is_public=True))
        session.rollback()
    assert filled.marked() == set()


def test_a_change_forgets_who_took_note(filled: Filled) -> None:
    """And only the first: ten thousand boxes of a transaction cost one write of the mark."""
    wanted = sa.select(StaleRecord.since, StaleRecord.writer)
    wanted = wanted.where(StaleRecord.file_id == filled.image)
    with filled.uow.write() as session:
        session.execute(sa.update(Image).values(status="ready"))
    with filled.uow.read() as session:
        first = session.execute(wanted).one()
    assert first.writer is None
    with filled.uow.write() as session:
        session.add_all(_box(filled.image) for _ in range(20))
    with filled.uow.read() as session:
        assert session.execute(wanted).one() == first


def test_the_time_of_a_mark_is_now(filled: Filled) -> None:
    began = utc_now()
    filled.run(changing("images", "status"))
    with filled.uow.read() as session:
        since = session.scalar(sa.select(StaleRecord.since).order_by(StaleRecord.since.desc()))
    assert since is not None
    assert abs((since - began).total_seconds()) < 5


def test_an_older_installation_is_marked_whole_by_the_upgrade(filled: Filled) -> None:
    engine = filled.uow.engine
    downgrade(engine, "20261122_views")
    with engine.connect() as connection:
        assert triggers(connection) == []
    upgrade(engine)
    assert filled.marked() == {STORE, filled.image}


def triggers(connection: sa.Connection) -> list[str]:
    """Our triggers, and on PostgreSQL our functions too."""
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = (
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal UNION SELECT proname FROM"
            " pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
    return sorted(connection.exec_driver_sql(query).scalars())


def test_every_table_of_a_record_has_its_three_triggers(engine: Engine) -> None:
    """A later revision that rebuilds a table on SQLite would lose them without a word."""
    with engine.connect() as connection:
        found = set(triggers(connection))
    tables = {fields.table for fields in KINDS.values()} | {
        "annotations",
        "comments",
        "image_tags",
        "image_tasks",
    }
    for table in tables:
        events = ("insert", "update", "delete")
        assert {f"stale_{table}_{event}" for event in events} <= found
    assert {"stale_images_insert", "stale_images_update"} <= found
    assert tables <= Base.metadata.tables.keys()
