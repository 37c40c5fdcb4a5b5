"""One line of revisions, the same schema as the models, and the way back."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, Table, inspect, select
from sqlalchemy.exc import DBAPIError

from app.db.engine import FOREIGN_KEYS, make_engine
from app.db.migrate import (
    MIGRATIONS,
    current_revision,
    downgrade,
    head_revision,
    is_current,
    migration_config,
    upgrade,
)
from app.db.session import UnitOfWork
from app.errors import DatabaseUnavailable
from app.models import Base, Image
from tests.migrations.schema import VERSION_TABLE, revisions, schema_of

TOKEN = b"\xdc\x01\x11" + bytes(range(60))
NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def test_there_is_one_head_and_one_base() -> None:
    script = ScriptDirectory.from_config(migration_config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1
    assert script.get_current_head() == head_revision()


def test_versions_are_frozen_and_named_by_date_and_subject() -> None:
    files = sorted((MIGRATIONS / "versions").glob("*.py"))
    assert files
    for file in files:
        assert file.stem[:8].isdigit()
        assert file.stem[8] == "_"
        assert imports_of(file) <= {"__future__", "typing", "sqlalchemy", "alembic"}


def imports_of(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_models_equal_migrations(empty_engine: Engine, second_engine: Engine) -> None:
    upgrade(empty_engine)
    with second_engine.begin() as connection:
        Base.metadata.create_all(connection)
    migrated, declared = schema_of(empty_engine), schema_of(second_engine)
    assert migrated.keys() == declared.keys() == Base.metadata.tables.keys()
    for table, facts in declared.items():
        assert migrated[table] == facts, table
    assert any("sealed" in check for check in declared["annotations"]["checks"])


def test_autogenerate_finds_nothing(empty_engine: Engine) -> None:
    upgrade(empty_engine)
    with empty_engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_up_down_up_leaves_the_same(empty_engine: Engine) -> None:
    upgrade(empty_engine)
    first = schema_of(empty_engine)
    downgrade(empty_engine, "base")
    assert set(inspect(empty_engine).get_table_names()) <= {VERSION_TABLE}
    upgrade(empty_engine)
    assert schema_of(empty_engine) == first
    assert is_current(empty_engine)


def test_each_step_goes_up_and_down_alone(empty_engine: Engine) -> None:
    before: list[dict[str, object]] = []
    for revision in revisions():
        before.append(dict(schema_of(empty_engine)))
        upgrade(empty_engine, revision)
        assert current_revision(empty_engine) == revision
    for _ in revisions():
        downgrade(empty_engine, "-1")
        assert schema_of(empty_engine) == before.pop()


def test_a_second_upgrade_does_nothing(empty_engine: Engine) -> None:
    upgrade(empty_engine)
    upgrade(empty_engine)
    assert is_current(empty_engine)


UPGRADE = """
import sys
from app.db.engine import make_engine
from app.db.migrate import upgrade
upgrade(make_engine(sys.argv[1], None))
"""


def test_several_processes_may_start_at_once(empty_engine: Engine) -> None:
    url = empty_engine.url.render_as_string(hide_password=False)
    command_line = [sys.executable, "-c", UPGRADE, url]
    started = [subprocess.Popen(command_line, cwd=MIGRATIONS.parent) for _ in range(3)]
    assert [each.wait(60) for each in started] == [0, 0, 0]
    assert is_current(empty_engine)


def test_rows_survive_the_step_that_does_not_concern_them(empty_engine: Engine) -> None:
    upgrade(empty_engine, "20261122_accounts")
    user = insert_user(empty_engine)
    collection = insert_collection(empty_engine, user)
    upgrade(empty_engine)
    downgrade(empty_engine, "20261122_accounts")
    upgrade(empty_engine)
    tables = reflected(empty_engine)
    with empty_engine.connect() as connection:
        users = connection.execute(select(tables["users"].c.email)).all()
        owners = connection.execute(select(tables["collections"].c.slug)).all()
    assert users == [(TOKEN,)]
    assert owners == [(collection,)]


def test_an_account_survives_getting_a_theme_and_losing_it(empty_engine: Engine) -> None:
    upgrade(empty_engine, "20261122_expiry")
    user = insert_user(empty_engine)
    upgrade(empty_engine, "20261122_theme")
    users = reflected(empty_engine)["users"]
    with empty_engine.begin() as connection:
        assert connection.execute(select(users.c.id, users.c.theme)).all() == [(user, None)]
        connection.execute(users.update().values(theme="dark"))
    downgrade(empty_engine, "20261122_expiry")
    users = reflected(empty_engine)["users"]
    assert "theme" not in users.c
    with empty_engine.connect() as connection:
        assert connection.execute(select(users.c.id, users.c.email)).all() == [(user, TOKEN)]


def test_an_upgrade_that_fails_leaves_nothing(empty_engine: Engine) -> None:
    with empty_engine.begin() as connection:  # in the way of the second revision
        connection.exec_driver_sql("CREATE TABLE file_keys (id INTEGER PRIMARY KEY)")
    with pytest.raises(DBAPIError):
        upgrade(empty_engine)
    assert set(inspect(empty_engine).get_table_names()) == {"file_keys"}
    assert current_revision(empty_engine) is None


def test_plain_alembic_with_a_url(empty_engine: Engine) -> None:
    config = migration_config()
    config.attributes["url"] = empty_engine.url.render_as_string(hide_password=False)
    command.upgrade(config, "head")
    assert is_current(empty_engine)


@pytest.mark.parametrize(("checks", "left"), [(False, 1), (True, 0)])
def test_a_rebuilt_table_keeps_its_children(tmp_path: Path, checks: bool, left: int) -> None:
    """SQLite rebuilds by dropping the old table: with the checks on, its children go along."""
    engine = make_engine(f"sqlite:///{tmp_path}/rebuilt.db", None)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE parents (id INTEGER PRIMARY KEY, old INTEGER)")
        connection.exec_driver_sql(
            "CREATE TABLE children (parent INTEGER REFERENCES parents (id) ON DELETE CASCADE)"
        )
        connection.exec_driver_sql("INSERT INTO parents VALUES (1, 1)")
        connection.exec_driver_sql("INSERT INTO children VALUES (1)")
    with engine.connect().execution_options(**{FOREIGN_KEYS: checks}) as connection:
        with connection.begin():
            operations = Operations(MigrationContext.configure(connection))
            with operations.batch_alter_table("parents") as batch:
                batch.drop_column("old")
        count = connection.exec_driver_sql("SELECT count(*) FROM children").scalar()
    assert count == left
    with engine.connect() as connection:  # the next transaction checks again
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def reflected(engine: Engine) -> dict[str, Table]:
    metadata = MetaData()
    metadata.reflect(engine)
    return dict(metadata.tables)


def insert_user(engine: Engine) -> object:
    users = reflected(engine)["users"]
    row = {
        "id": uuid4().hex if engine.dialect.name == "sqlite" else uuid4(),
        "email": TOKEN,
        "email_index": bytes(32),
        "name": TOKEN,
        "is_admin": False,
        "state": "active",
        "quota_used": 0,
        "auto_delete": False,
        "must_change_password": False,
        "created_at": NOW,
        "updated_at": NOW,
    }
    with engine.begin() as connection:
        connection.execute(users.insert(), row)
    return row["id"]


def insert_collection(engine: Engine, owner: object) -> str:
    collections = reflected(engine)["collections"]
    row = {
        "id": uuid4().hex if engine.dialect.name == "sqlite" else uuid4(),
        "slug": "c-0123456789",
        "name": TOKEN,
        "owner_id": owner,
        "is_personal": True,
        "labels_closed": False,
        "timeline": "uploaded",
        "image_count": 0,
        "created_at": NOW,
        "updated_at": NOW,
    }
    with engine.begin() as connection:
        connection.execute(collections.insert(), row)
    return "c-0123456789"


@pytest.mark.parametrize("revision", ["base", "20261122_expiry"])
def test_an_older_schema_is_told_and_what_to_do(empty_engine: Engine, revision: str) -> None:
    """A command of this release that comes before its first start."""
    upgrade(empty_engine)
    downgrade(empty_engine, revision)
    with (
        pytest.raises(DatabaseUnavailable, match=r"of another release.*flask db upgrade"),
        UnitOfWork(empty_engine).read_rows() as connection,
    ):
        connection.execute(select(Image.provenance))
