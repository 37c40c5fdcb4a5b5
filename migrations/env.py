"""How Alembic reaches the database and the models.

The connection comes from ``config.attributes["connection"]`` (``app.db.migrate``, tests),
an engine made from ``config.attributes["url"]``, or, under ``flask db``, the application's
own engine.
"""

from __future__ import annotations

from typing import Any

from alembic import context
from sqlalchemy import Connection, Engine

from app.db.encrypted_types import EncryptedType
from app.db.engine import FOREIGN_KEYS, make_engine
from app.db.times import UtcDateTime
from app.errors import DarkroomError
from app.models import Base

config = context.config


def render_item(kind: str, item: Any, _: Any) -> str | bool:
    """Migrations are frozen: our own types are written as what they are in the database."""
    if kind == "type" and isinstance(item, EncryptedType):
        return "sa.LargeBinary()"
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def configure(**target: Any) -> None:
    context.configure(
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        render_item=render_item,
        transactional_ddl=True,  # make_engine begins for real, on SQLite too
        **target,
    )


def migrate(connection: Connection) -> None:
    configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
        check_foreign_keys(connection)


def check_foreign_keys(connection: Connection) -> None:
    """SQLite rebuilds a table by dropping the old one, which needs the checks off: look."""
    if connection.dialect.name != "sqlite":
        return
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise RuntimeError(f"the migration breaks a foreign key of {broken[0]}")


def wired_engine() -> Engine:
    """The application's own, under ``flask db``."""
    from flask import current_app

    from app.cli.terminal import refusal_of

    try:
        engine: Engine = current_app.extensions["darkroom"].engine
    except DarkroomError as error:
        raise refusal_of(error) from None
    return engine


def migrate_on(engine: Engine) -> None:
    with engine.connect() as connection:
        migrate(connection.execution_options(**{FOREIGN_KEYS: False}))


def run() -> None:
    given, url = config.attributes.get("connection"), config.attributes.get("url")
    if given is not None:
        migrate(given)
    elif url is not None:
        engine = make_engine(url, None)
        migrate_on(engine)
        engine.dispose()
    else:
        migrate_on(wired_engine())


if context.is_offline_mode():
    configure(url=config.attributes.get("url", "sqlite://"), literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run()
