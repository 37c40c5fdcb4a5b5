"""Engines: SQLite with read and write transactions, PostgreSQL with the same promises.

A connection writes unless its execution option ``darkroom_access`` is ``"read"``. A write
transaction has the write lock from its start, so a read-modify-write never loses an
update: ``BEGIN IMMEDIATE`` on SQLite, one advisory lock on PostgreSQL. A read transaction
takes no lock, waits for nobody and cannot write. No vault, store, decoder or network call
belongs inside a write transaction.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL

from app.db.database_errors import translate
from app.db.field_cipher import FieldCipher, attach_cipher
from app.db.row_binding import bind_rows
from app.db.sqlite_file import DatabaseFile
from app.db.statement_guard import guard_statements

ACCESS = "darkroom_access"
FOREIGN_KEYS = "darkroom_foreign_keys"
PATIENCE = "darkroom_patience"  # milliseconds that this writer waits, instead of BUSY_SECONDS
BUSY_SECONDS = 10.0
POOL_SIZE = 32  # more than the threads of a worker
WRITE_LOCK = 0x444B524D  # "DKRM": the advisory lock of writers on PostgreSQL

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an acknowledged commit survives a power cut
    "PRAGMA foreign_keys = ON",
    "PRAGMA trusted_schema = OFF",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA journal_size_limit = 67108864",
)


def make_engine(
    url: str | URL,
    cipher: FieldCipher | None,
    *,
    busy_seconds: float = BUSY_SECONDS,
    make: bool = True,
) -> Engine:
    """An engine for ``sqlite://`` or ``postgresql://`` (psycopg 3); connects on first use.

    ``cipher`` seals and opens the encrypted columns; None is for migrations, which see
    tokens only. ``busy_seconds``: how long a writer waits for its turn. ``make``: whether
    SQLite's file may be made if it is not there.
    """
    url = make_url(url)
    options = _OPTIONS[url.get_backend_name()](url, busy_seconds)
    engine = create_engine(url, hide_parameters=True, **options)
    if url.get_backend_name() == "sqlite":
        _wire_sqlite(engine, url.database, make)
    else:
        _wire_postgresql(engine)
    if cipher is not None:
        attach_cipher(engine.dialect, cipher)
    bind_rows(engine)
    guard_statements(engine)
    return engine


def _sqlite_options(url: URL, busy_seconds: float) -> dict[str, Any]:
    connect = {"timeout": busy_seconds, "isolation_level": None}
    if url.database in (None, "", ":memory:"):
        return {"connect_args": connect}
    return {"connect_args": connect, "pool_size": POOL_SIZE, "pool_timeout": busy_seconds}


def _postgresql_options(url: URL, busy_seconds: float) -> dict[str, Any]:
    del url
    milliseconds = int(busy_seconds * 1000)
    return {
        "connect_args": {
            "options": f"-c timezone=UTC -c lock_timeout={milliseconds}",
            "connect_timeout": max(2, int(busy_seconds)),
        },
        "pool_size": POOL_SIZE,
        "pool_timeout": busy_seconds,
        "pool_pre_ping": True,
    }


_OPTIONS = {"sqlite": _sqlite_options, "postgresql": _postgresql_options}


def _wire_sqlite(engine: Engine, path: str | None, make: bool) -> None:
    on_disk = path and path != ":memory:" and not path.startswith("file:")
    file = DatabaseFile(path, make=make) if path and on_disk else None

    @event.listens_for(engine, "do_connect")
    def look_first(*_: Any) -> None:
        if file is not None:
            file.before_connecting()

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _: Any) -> None:
        if file is not None:
            file.after_connecting()
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        _begin_sqlite(connection, file)


def _begin_sqlite(connection: Connection, file: DatabaseFile | None) -> None:
    options = connection.get_execution_options()
    reading = options.get(ACCESS) == "read"
    driver: Any = connection.connection.dbapi_connection
    try:
        _set_pragma(connection, driver, "query_only", reading)
        _set_pragma(connection, driver, "foreign_keys", options.get(FOREIGN_KEYS, True))
        if reading:
            driver.execute("BEGIN")
            return
        if file is not None:
            file.check()
        _begin_writing(driver, options.get(PATIENCE))
    except sqlite3.Error as error:
        raise translate(error) or error from None


def _begin_writing(driver: Any, patience: int | None) -> None:
    if patience is None:
        driver.execute("BEGIN IMMEDIATE")
        return
    (usual,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute(f"PRAGMA busy_timeout = {patience:d}")
    try:
        driver.execute("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout = {usual:d}")


def _set_pragma(connection: Connection, driver: Any, name: str, on: bool) -> None:
    """Sets it where it differs from what this connection of the pool last had."""
    known = connection.info.get(name, name == "foreign_keys")
    if known != on:
        driver.execute(f"PRAGMA {name} = {'ON' if on else 'OFF'}")
        connection.info[name] = on


def _wire_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def take_turn(connection: Connection) -> None:
        if connection.get_execution_options().get(ACCESS) != "read":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")
