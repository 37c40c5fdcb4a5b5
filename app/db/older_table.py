"""A table of somebody else's database: looked at, never written.

SQLite is opened read-only and never made; PostgreSQL reads in a read-only transaction.
Values come as the driver gives them. Errors name the table and columns that were asked for,
and nothing of a row or of the address, which may hold a password.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import (
    URL,
    Connection,
    column,
    create_engine,
    func,
    inspect,
    make_url,
    select,
    table,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from app.errors import ConfigurationError, DatabaseUnavailable

BATCH: Final = 500
CONNECT_SECONDS: Final = 10
DRIVERS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg"}


class OlderTable:
    """``name`` may be ``schema.table``; nothing is opened before it is asked for."""

    def __init__(self, address: str, name: str) -> None:
        schema, _, bare = name.rpartition(".")
        self.name = name
        self._bare, self._schema = bare, schema or None
        self._url = _read_only(address)
        try:
            self._engine = create_engine(
                self._url, poolclass=NullPool, hide_parameters=True, **_options(self._url)
            )
        except (ImportError, NoSuchModuleError):
            raise ConfigurationError(
                "The driver of this database is not installed: see requirements-scale.txt.",
                operation="older.open",
            ) from None

    def columns(self) -> tuple[str, ...]:
        """The names of its columns; ``ConfigurationError`` where there is no such table."""
        with self._connected() as connection:
            known = inspect(connection)
            if not known.has_table(self._bare, schema=self._schema):
                raise ConfigurationError(
                    f"There is no table {self.name} in this database.", operation="older.table"
                )
            found = known.get_columns(self._bare, schema=self._schema)
        return tuple(str(one["name"]) for one in found)

    def count(self) -> int:
        """How many rows it has."""
        with self._connected() as connection:
            counted = connection.execute(select(func.count()).select_from(self._table()))
            return int(counted.scalar_one())

    def rows(self, names: Sequence[str], order: str) -> Iterator[tuple[Any, ...]]:
        """The values of these columns, a few hundred rows in memory, in a stable order."""
        source = self._table(*names, order)
        wanted = [source.c[name] for name in names]
        with self._connected() as connection:
            streaming = connection.execution_options(yield_per=BATCH)
            for row in streaming.execute(select(*wanted).order_by(source.c[order])):
                yield tuple(row)

    def _table(self, *names: str) -> Any:
        columns: list[Any] = [column(name) for name in dict.fromkeys(names)]
        return table(self._bare, *columns, schema=self._schema)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as connection:
                yield connection
        except SQLAlchemyError:
            raise DatabaseUnavailable(
                "The older database cannot be read: is the address right, and may it be read?",
                operation="older.read",
            ) from None


def _options(url: URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {}
    return {
        "execution_options": {"postgresql_readonly": True},
        "connect_args": {"connect_timeout": CONNECT_SECONDS},
    }


def _read_only(address: str) -> URL:
    try:
        url = make_url(address)
        driver = DRIVERS[url.get_backend_name()]
    except (ArgumentError, KeyError, ValueError):
        raise ConfigurationError(
            "The older database is named as sqlite:///FILE or postgresql://USER@HOST/NAME.",
            operation="older.open",
        ) from None
    url = url.set(drivername=driver)
    if driver != "sqlite":
        return url
    path = Path(url.database or "")
    if not path.is_file():
        raise ConfigurationError(
            "There is no file of this name: name the older database as sqlite:///FILE.",
            operation="older.open",
        )
    place = f"file:{quote(str(path.absolute()))}"
    return url.set(database=place, query={"mode": "ro", "uri": "true"})
