"""Has anything changed? What was read may be remembered for as long as the answer is no."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from typing import cast

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

Stamp = tuple[int, int]


class Freshness:
    """A stamp that differs after every commit of anybody, in this process or another.

    It is SQLite's ``data_version``, on a connection that is kept for nothing else, so that
    every commit is one of "another connection" (https://sqlite.org/pragma.html). Costs 3 us
    where a SELECT through SQLAlchemy costs 100. May be shared by threads.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        on_disk = engine.url.database not in (None, "", ":memory:")
        self._can_tell = engine.dialect.name == "sqlite" and on_disk
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = 0

    def stamp(self) -> Stamp | None:
        """Take it before reading; None: it cannot be told, so nothing may be remembered."""
        if not self._can_tell:
            return None
        with self._lock:
            try:
                version = self._ask()
                return self._opened, version
            except (sqlite3.Error, SQLAlchemyError):
                self._drop()
                return None

    def close(self) -> None:
        """Give the connection back; the next stamp opens another and differs."""
        with self._lock:
            self._drop()

    def _ask(self) -> int:
        if self._connection is None:
            fairy = self._engine.raw_connection()
            fairy.detach()
            self._connection = cast("sqlite3.Connection", fairy.dbapi_connection)
            self._opened += 1
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()
