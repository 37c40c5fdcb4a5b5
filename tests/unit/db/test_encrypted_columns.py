"""Encrypted columns on both databases: what is stored, what comes back, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import (
    Column,
    Engine,
    MetaData,
    String,
    Table,
    bindparam,
    cast,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from app.db.encrypted_types import (
    EncryptedBox,
    EncryptedFloat,
    EncryptedJSON,
    EncryptedString,
    EncryptedType,
)
from app.db.field_cipher import Bound, FieldCipher
from app.db.session import UnitOfWork, make_engine
from app.db.times import UtcDateTime
from app.errors import DarkroomError, EncryptionError, InvalidInput
from app.models import Annotation, Base, Image, Session, Tag, User
from tests.unit.db.conftest import BOX, LABEL, new_annotation, new_user, stored_image

ENCRYPTED = [
    (table, column)
    for table in Base.metadata.sorted_tables
    for column in table.columns
    if isinstance(column.type, EncryptedType)
]


def raw(work: UnitOfWork, statement: str) -> list[Any]:
    with work.read_rows() as connection:
        return list(connection.exec_driver_sql(statement).scalars())


def test_values_come_back_and_tokens_are_stored(any_work: UnitOfWork) -> None:
    image = stored_image(any_work)
    box = new_annotation(image.id, attributes={"occluded": True, "note": None})
    with any_work.write() as session:
        session.add(box)
    with any_work.read() as session:
        found = session.get_one(Annotation, box.id)
        assert (found.label, found.box) == (LABEL, BOX)
        assert found.attributes == {"occluded": True, "note": None}
    for token in raw(any_work, "SELECT label FROM annotations"):
        assert bytes(token)[:2] == b"\xdc\x01"
        assert LABEL.encode() not in bytes(token)


def test_null_stays_null_and_empty_is_a_value(any_work: UnitOfWork) -> None:
    image = stored_image(any_work, card=None, meta={})
    first, second = new_annotation(image.id), new_annotation(image.id, label="")
    with any_work.write() as session:
        session.add_all([first, second])
    with any_work.read() as session:
        found = session.get_one(Image, image.id)
        assert (found.card, found.meta) == (None, {})
        assert session.get_one(Annotation, first.id).attributes is None
        assert session.get_one(Annotation, second.id).label == ""
        without = select(Image.id).where(Image.card.is_(None), Image.meta.is_not(None))
        assert session.scalars(without).all() == [image.id]
    assert raw(any_work, "SELECT count(*) FROM annotations WHERE attributes IS NULL") == [2]


def test_an_update_seals_again_for_the_same_row(any_work: UnitOfWork) -> None:
    image = stored_image(any_work)
    tag = Tag(collection_id=image.collection_id, name="sea")
    with any_work.write() as session:
        session.add(tag)
    before = raw(any_work, "SELECT name FROM tags")
    with any_work.write() as session:
        session.get_one(Tag, tag.id).name = "harbour"
    with any_work.read() as session:
        assert session.get_one(Tag, tag.id).name == "harbour"
    assert raw(any_work, "SELECT name FROM tags") != before


def test_the_same_value_has_another_token_each_time(work: UnitOfWork) -> None:
    image = stored_image(work)
    with work.write() as session:
        session.add_all([new_annotation(image.id) for _ in range(5)])
    tokens = raw(work, "SELECT label FROM annotations")
    assert len(set(tokens)) == 5
    assert len({len(token) for token in raw(work, "SELECT box FROM annotations")}) == 1


def test_rows_as_parameters_of_a_bulk_insert(any_work: UnitOfWork) -> None:
    image = stored_image(any_work)
    rows = [
        {"id": uuid4(), "image_id": image.id, "label": f"label {n}", "box": (n, 0, 1, 1)}
        for n in range(50)
    ]
    with any_work.write() as session:
        session.execute(insert(Annotation), rows[:25])
        session.connection().execute(insert(Annotation.__table__), rows[25:])  # type: ignore[arg-type]
        session.execute(insert(Tag), [{"collection_id": image.collection_id, "name": "x"}])
    assert "label" in rows[0], "the caller's rows are not changed"
    with any_work.read() as session:
        found = {
            each.id: (each.label, each.box) for each in session.scalars(select(Annotation))
        }
        assert found == {row["id"]: (row["label"], row["box"]) for row in rows}
        assert session.scalars(select(Tag)).one().name == "x"


def test_rows_as_parameters_of_a_bulk_update(any_work: UnitOfWork) -> None:
    image = stored_image(any_work)
    boxes = [new_annotation(image.id) for _ in range(3)]
    with any_work.write() as session:
        session.add_all(boxes)
    with any_work.write() as session:
        session.execute(
            update(Annotation),
            [{"id": each.id, "label": str(n)} for n, each in enumerate(boxes)],
        )
    with any_work.write() as session:
        session.connection().execute(
            update(Annotation)
            .where(Annotation.id == bindparam("annotations_id"))
            .values(box=bindparam("box")),
            [{"annotations_id": boxes[0].id, "box": (1, 2, 3, 4)}],
        )
    with any_work.read() as session:
        found = [session.get_one(Annotation, each.id) for each in boxes]
        assert [each.label for each in found] == ["0", "1", "2"]
        assert found[0].box == (1, 2, 3, 4)


def test_a_value_inside_the_statement_names_its_row(any_work: UnitOfWork) -> None:
    image = stored_image(any_work)
    tag = Tag(collection_id=image.collection_id, name="old")
    with any_work.write() as session:
        session.add(tag)
    with pytest.raises(EncryptionError, match="bound to its row"), any_work.write() as session:
        session.execute(update(Tag).values(name="new"))
    with any_work.write() as session:
        session.execute(update(Tag).where(Tag.id == tag.id).values(name=Bound(tag.id, "new")))
    with any_work.read() as session:
        assert session.get_one(Tag, tag.id).name == "new"


def test_a_core_select_gives_sealed_values(any_work: UnitOfWork) -> None:
    image = stored_image(any_work)
    with any_work.read_rows() as connection:
        row = connection.execute(select(Image.id, Image.card, Image.meta)).one()
    assert row.card.of(row.id) == image.card
    assert row.meta is None
    assert "harbour" not in f"{row!r}{row}{row.card}{row.card!r}"


def test_columns_without_a_row_id_open_at_once(any_work: UnitOfWork) -> None:
    user = new_user()
    now = datetime.now(UTC)
    opened = Session(
        id_hash=bytes(32), user_id=user.id, expires_at=now + timedelta(1), address="192.0.2.7"
    )
    with any_work.write() as session:
        session.add_all([opened, user])
    with any_work.read_rows() as connection:
        assert connection.execute(select(Session.address, Session.agent)).one() == (
            "192.0.2.7",
            None,
        )
    with any_work.write() as session:
        session.execute(update(Session).values(agent="curl"))
    with any_work.read() as session:
        assert session.scalars(select(Session)).one().agent == "curl"


@pytest.mark.parametrize(
    ("table", "column"), ENCRYPTED, ids=[f"{t.name}.{c.name}" for t, c in ENCRYPTED]
)
def test_plaintext_that_slips_past_the_type_fails_in_the_database(
    engine: Engine, table: Table, column: Column[Any]
) -> None:
    refuse_plaintext(engine, table, column)


def test_plaintext_fails_on_postgresql_too(any_engine: Engine) -> None:
    for table, column in ENCRYPTED:
        refuse_plaintext(any_engine, table, column)


def refuse_plaintext(engine: Engine, table: Table, column: Column[Any]) -> None:
    """An INSERT of the one column: NOT NULL and foreign keys come after the CHECK, or as well;
    the name in the error tells which rule spoke.
    """
    bare = Table(table.name, MetaData(), *(Column(each.name) for each in table.columns))
    values: dict[str, Any] = {c.name: sample(engine, c) for c in table.columns}
    plain = ("X'736563726574'", "'secret'") if engine.dialect.name == "sqlite" else (r"'\x73'",)
    for expression in plain:
        statement = insert(bare).values(values | {column.name: literal_column(expression)})
        rule = f"ck_{table.name}_{column.name}_sealed"
        with pytest.raises(IntegrityError, match=rule), engine.begin() as connection:
            connection.execute(statement)


def sample(engine: Engine, column: Column[Any]) -> Any:
    """Any value that fits: a token for encrypted columns, words from the CHECKs else."""
    kind = column.type
    if isinstance(kind, EncryptedType):
        return b"\xdc\x01" + bytes(40)
    words = {"state": "active", "role": "owner", "kind": "image", "status": "ready"}
    words |= {"timeline": "taken", "annotation_state": "new", "mode": "direct"}
    words |= {"jobs.state": "waiting", "agreement_copies.state": "new"}
    for name in (f"{column.table.name}.{column.name}", column.name):
        if name in words:
            return words[name]
    samples: dict[str, Any] = {"int": 1, "str": "x", "bytes": b"x", "bool": False}
    identity, now = uuid4(), datetime(2026, 1, 1, tzinfo=UTC)
    samples["UUID"] = identity.hex if engine.dialect.name == "sqlite" else identity
    return now if isinstance(kind, UtcDateTime) else samples[kind.python_type.__name__]


Attempt = Callable[[], Any]
ATTEMPTS: dict[str, Attempt] = {
    "equal": lambda: Tag.name == "x",
    "unequal": lambda: Tag.name != "x",
    "less": lambda: Tag.name < "x",
    "like": lambda: Tag.name.like("x%"),
    "ilike": lambda: Tag.name.ilike("x%"),
    "startswith": lambda: Tag.name.startswith("x"),
    "contains": lambda: Tag.name.contains("x"),
    "in": lambda: Tag.name.in_(["x"]),
    "between": lambda: Tag.name.between("a", "b"),
    "concatenation": lambda: Tag.name + "x",
    "reverse concatenation": lambda: "x" + Tag.name,
    "descending": lambda: Tag.name.desc(),
    "distinct": lambda: Tag.name.distinct(),
    "other column": lambda: Tag.name == User.name,
    "json path": lambda: Image.card["name"],
    "literal on the left": lambda: select(Tag).where(literal("x") == Tag.name),
    "order by": lambda: select(Tag).order_by(Tag.name),
    "order by name": lambda: select(Tag).order_by("name"),
    "order by function": lambda: select(Tag).order_by(func.lower(Tag.name)),
    "order by label": lambda: select(Tag.name.label("n")).order_by("n"),
    "group by": lambda: select(func.count()).select_from(Tag).group_by(Tag.name),
    "window": lambda: select(func.row_number().over(order_by=Tag.name)),
    "function": lambda: select(Tag).where(func.lower(Tag.name) == "x"),
    "cast": lambda: select(Tag).where(cast(Tag.name, String) == "x"),
    "maximum": lambda: select(func.max(Tag.name)),
    "subquery": lambda: select(Tag).where(
        Tag.id.in_(select(Tag.id).where(literal("x") == Tag.name))
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_no_comparison_reaches_the_database(engine: Engine, attempt: Attempt) -> None:
    with pytest.raises(InvalidRequestError, match="is encrypted"), engine.begin() as connection:
        connection.execute(attempt())


def test_null_tests_are_the_only_comparison(engine: Engine) -> None:
    with engine.begin() as connection:
        for condition in (Tag.name == None, Tag.name.is_not(None)):  # noqa: E711
            assert connection.execute(select(Tag.id).where(condition)).all() == []


def test_a_literal_is_not_rendered(engine: Engine) -> None:
    statement = update(Session).values(address="192.0.2.7")
    with pytest.raises(InvalidRequestError, match="is encrypted"):
        statement.compile(engine, compile_kwargs={"literal_binds": True})


@pytest.mark.parametrize(
    "values",
    [
        {"box": (float("nan"), 0, 1, 1)},
        {"box": (float("inf"), 0, 1, 1)},
        {"attributes": {"a": float("nan")}},
        {"label": "secret \ud800"},
    ],
)
def test_what_cannot_be_sealed_is_refused(work: UnitOfWork, values: dict[str, Any]) -> None:
    image = stored_image(work)
    with pytest.raises(InvalidInput) as caught, work.write() as session:
        session.add(new_annotation(image.id, **values))
    assert "secret" not in str(caught.value)


def test_an_engine_without_a_cipher_neither_seals_nor_opens(engine: Engine) -> None:
    stored_image(UnitOfWork(engine))
    bare = UnitOfWork(make_engine(engine.url, None))
    with (
        pytest.raises(EncryptionError, match="without a column cipher"),
        bare.read() as session,
    ):
        session.scalars(select(Image)).all()
    with (
        pytest.raises(EncryptionError, match="without a column cipher"),
        bare.write() as session,
    ):
        session.add(new_user())
    bare.engine.dispose()


def test_errors_and_logs_hide_parameters(engine: Engine) -> None:
    with pytest.raises(IntegrityError) as caught, engine.begin() as connection:
        connection.execute(
            text("INSERT INTO tags (id, collection_id, name) VALUES (:a, :a, :name)"),
            {"a": "x", "name": "a secret name"},
        )
    assert "secret name" not in str(caught.value)


def test_a_broken_rule_leaves_without_the_row(any_work: UnitOfWork) -> None:
    with pytest.raises(DarkroomError) as caught, any_work.write() as session:
        session.execute(
            text("INSERT INTO tags (id, collection_id, name) VALUES (:a, :a, :name)"),
            {
                "a": uuid4().hex if any_work.engine.dialect.name == "sqlite" else uuid4(),
                "name": b"a secret name",
            },
        )
    assert caught.value.details == {"rule": "check", "constraint": "ck_tags_name_sealed"}
    assert caught.value.__cause__ is None
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (EncryptedString("a.b"), "EncryptedString('a.b')"),
        (EncryptedJSON("a.b"), "EncryptedJSON('a.b')"),
        (EncryptedBox("a.b", row_bound=False), "EncryptedBox('a.b', row_bound=False)"),
        (EncryptedFloat("a.b"), "EncryptedFloat('a.b')"),
    ],
)
def test_types_render_and_have_cache_keys(kind: EncryptedType, shown: str) -> None:
    assert repr(kind) == shown
    assert repr(eval(shown)) == shown
    assert kind.cache_ok
    assert kind._static_cache_key == eval(shown)._static_cache_key
    assert kind._static_cache_key != type(kind)("c.d")._static_cache_key


def test_no_key_stands_on_a_type_or_in_a_repr(engine: Engine, cipher: FieldCipher) -> None:
    stored_image(UnitOfWork(engine))
    for _, column in ENCRYPTED:
        assert set(vars(column.type)) & {"cipher", "key", "keys"} == set()
        assert not any(isinstance(value, FieldCipher) for value in vars(column.type).values())
    assert repr(cipher) == "<FieldCipher>"
    assert repr(Bound(uuid4(), "secret")) == "<Bound>"
    assert repr(new_user()) == "<User>"


def test_each_context_is_the_columns_own_name() -> None:
    assert len(ENCRYPTED) == 28
    for table, column in ENCRYPTED:
        assert isinstance(column.type, EncryptedType)
        assert column.type.context == f"{table.name}.{column.name}"
        assert column.type.row_bound or table.name == "sessions"
