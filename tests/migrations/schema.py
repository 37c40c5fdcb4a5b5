"""What a database says of its own schema, comparable whatever the order it was made in."""

from __future__ import annotations

from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Inspector, inspect

from app.db.migrate import migration_config

VERSION_TABLE = "alembic_version"


def revisions() -> list[str]:
    """Every revision, the first one first."""
    script = ScriptDirectory.from_config(migration_config())
    return [each.revision for each in reversed(list(script.walk_revisions()))]


def schema_of(engine: Engine) -> dict[str, dict[str, Any]]:
    """Table name -> columns, keys, uniques, checks, indexes, as the database tells them."""
    inspector = inspect(engine)
    definitions = _sqlite_indexes(engine) if engine.dialect.name == "sqlite" else {}
    return {
        table: _table(inspector, table) | {"index_sql": definitions.get(table)}
        for table in sorted(inspector.get_table_names())
        if table != VERSION_TABLE
    }


def _table(inspector: Inspector, table: str) -> dict[str, Any]:
    return {
        "columns": [
            (column["name"], str(column["type"]), column["nullable"], column["default"])
            for column in inspector.get_columns(table)
        ],
        "primary_key": inspector.get_pk_constraint(table),
        "foreign_keys": _sorted(inspector.get_foreign_keys(table)),
        "uniques": _sorted(inspector.get_unique_constraints(table)),
        "checks": _sorted(inspector.get_check_constraints(table)),
        "indexes": _sorted(map(_told, inspector.get_indexes(table))),
    }


def _sorted(facts: Any) -> list[str]:
    return sorted(
        str({key: str(value) for key, value in sorted(fact.items())}) for fact in facts
    )


def _told(index: Any) -> dict[str, Any]:
    """Without SQLite's condition, an object without equality: its text is in index_sql."""
    options = dict(index.get("dialect_options", {}))
    options.pop("sqlite_where", None)
    return {**index, "dialect_options": options}


def _sqlite_indexes(engine: Engine) -> dict[str, list[str]]:
    """The CREATE INDEX texts: reflection does not tell all of a partial index."""
    query = "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    found: dict[str, list[str]] = {}
    with engine.connect() as connection:
        for table, sql in connection.exec_driver_sql(query):
            found.setdefault(table, []).append(sql)
    return {table: sorted(texts) for table, texts in found.items()}
