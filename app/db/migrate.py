"""Brings a database to the schema of this release; ``flask db`` is for people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from app.db.database_errors import translated
from app.db.engine import ACCESS, FOREIGN_KEYS

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def migration_config() -> Config:
    """Alembic's settings, without a database: see ``migrations/env.py``."""
    return Config(str(MIGRATIONS / "alembic.ini"))


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Runs what is missing, in one transaction: all of it or nothing.

    Two processes may start at once: one waits for the other and finds nothing to do.
    Raises ``DatabaseUnavailable`` or ``StoreFull``.
    """
    _run(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Takes back what came after ``revision`` (``base``: everything)."""
    _run(engine, command.downgrade, revision)


def current_revision(engine: Engine) -> str | None:
    """The revision that the database is at; None for an empty one."""
    reader = engine.execution_options(**{ACCESS: "read"})
    with translated(), reader.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str | None:
    """The newest revision of this release; reads files only."""
    return ScriptDirectory.from_config(migration_config()).get_current_head()


def is_current(engine: Engine) -> bool:
    return current_revision(engine) == head_revision()


def _run(engine: Engine, step: Callable[[Config, str], None], revision: str) -> None:
    config = migration_config()
    with translated(), engine.connect() as connection:
        # The option reaches the begin event: SQLite changes it between transactions only.
        config.attributes["connection"] = connection.execution_options(**{FOREIGN_KEYS: False})
        step(config, revision)
