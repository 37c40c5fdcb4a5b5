"""Where the new database comes to lie: all of it, or nothing.

SQLite: a file beside the place, filled in one transaction, synced and then renamed, under the
lock of a start and with another look at the place. PostgreSQL: the tables, then one
transaction.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, inspect, make_url, select
from sqlalchemy.orm import Session

from app.db.migrate import is_current, upgrade
from app.db.session import UnitOfWork
from app.errors import ConfigurationError, DatabaseUnavailable
from app.models import Image, Installation, User

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

SUFFIX = ".rebuild"
BESIDE = ("", "-wal", "-shm", "-journal")
MakeEngine = Callable[[str], Engine]


class NewDatabase:
    """``make_engine`` gives an engine, with the column cipher, for a URL."""

    def __init__(self, url: str, make_engine: MakeEngine) -> None:
        self._url: URL = make_url(url)
        self._make_engine = make_engine

    @contextmanager
    def filled(self) -> Iterator[Session]:
        """One write transaction on an empty database; it is in place after the block.

        Raises ConfigurationError, before anything is written, where there is a database that
        holds something, and DatabaseUnavailable.
        """
        if self._url.get_backend_name() != "sqlite":
            with self._on_server() as session:
                yield session
            return
        place = Path(self._url.database or "")
        with _alone(place.parent):
            self._require_empty(place)
            draft = place.with_name(place.name + SUFFIX)
            _remove(draft)
            try:
                with self._drafted(draft) as session:
                    yield session
                self._put_in_place(draft, place)
            finally:
                _remove(draft)

    @contextmanager
    def _drafted(self, draft: Path) -> Iterator[Session]:
        engine = self._make_engine(self._url.set(database=str(draft)).render_as_string(False))
        try:
            _make_tables(engine)
            with UnitOfWork(engine).write() as session:
                yield session
        finally:
            engine.dispose()  # the last connection carries the log over and removes it
        if draft.with_name(draft.name + "-wal").exists():
            raise DatabaseUnavailable(
                "The new database could not be completed.", operation="rebuild.database"
            )

    @contextmanager
    def _on_server(self) -> Iterator[Session]:
        engine = self._make_engine(self._url.render_as_string(hide_password=False))
        try:
            if _holds_something(engine):
                raise _refusal("The database is not empty: name an empty one in DATABASE_URL.")
            _make_tables(engine)
            with UnitOfWork(engine).write() as session:
                yield session
        finally:
            engine.dispose()

    def _require_empty(self, place: Path) -> None:
        lost = [place.name + end for end in BESIDE[1:] if _beside(place, end).exists()]
        if not place.exists():
            if lost:
                raise _refusal(f"{lost[0]} is left of a database that is gone: move it away.")
            return
        engine = self._make_engine(self._url.render_as_string(hide_password=False))
        try:
            full = _holds_something(engine)
        except DatabaseUnavailable:
            full = True
        finally:
            engine.dispose()
        if full or any(_beside(place, end).exists() for end in BESIDE[1:]):
            raise _refusal(
                f"There is a database at {place.name}: stop Darkroom and move it away, with"
                " its -wal and -shm, then run this again."
            )

    def _put_in_place(self, draft: Path, place: Path) -> None:
        _sync(draft)
        self._require_empty(place)
        draft.replace(place)
        _sync(place.parent)


def _make_tables(engine: Engine) -> None:
    """And look: revisions that cannot be read are, to Alembic, none at all."""
    upgrade(engine)
    if not is_current(engine):
        raise DatabaseUnavailable(
            "The tables of the new database could not be made.", operation="rebuild.database"
        )


def _holds_something(engine: Engine) -> bool:
    with UnitOfWork(engine).read_rows() as connection:
        tables = set(inspect(connection).get_table_names())
        return any(
            model.__tablename__ in tables
            and connection.execute(select(model.id).limit(1)).first() is not None
            for model in (Installation, User, Image)
        )


def _refusal(message: str) -> ConfigurationError:
    return ConfigurationError(message, operation="rebuild.database")


def _beside(place: Path, end: str) -> Path:
    return place.with_name(place.name + end)


def _remove(draft: Path) -> None:
    for end in BESIDE:
        with suppress(FileNotFoundError):
            _beside(draft, end).unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """The lock that a start takes on the same folder: no start looks at half a work."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _refusal("Darkroom is being started, or rebuilt, at this moment.") from None
        yield
    finally:
        os.close(descriptor)
