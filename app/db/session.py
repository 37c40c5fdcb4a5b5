"""Units of work: a read transaction or a write transaction around a session."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from app.db.database_errors import translated
from app.db.engine import ACCESS, BUSY_SECONDS, PATIENCE
from app.db.engine import make_engine as make_engine
from app.errors import DatabaseUnavailable

CHECK_SECONDS = 2.0


class UnitOfWork:
    """Opens sessions on an engine; may be shared by threads.

    Inside a block the errors are SQLAlchemy's own (an ``IntegrityError`` of a flush can be
    caught there); what leaves it is an error of the tree: ``DatabaseUnavailable``,
    ``StoreFull``, ``Conflict`` (unique or foreign key; ``details["constraint"]``).
    """

    def __init__(self, engine: Engine, *, turn_seconds: float = BUSY_SECONDS) -> None:
        snapshot = (
            {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            if engine.dialect.name == "postgresql"
            else {}
        )
        self.engine = engine
        self._reader = engine.execution_options(**{ACCESS: "read"}, **snapshot)
        self._turn = threading.Lock()
        self._turn_seconds = turn_seconds

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One snapshot; waits for no writer; writing in it fails."""
        with translated(), Session(self._reader, autoflush=False) as session:
            yield session

    @contextmanager
    def read_rows(self) -> Iterator[Connection]:
        """As :meth:`read`, without the ORM: for requests that are one or two SELECTs."""
        with translated(), self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Has the write lock from its first statement; commits at the end of the block.

        Not to be nested: the inner one would wait for the outer one's turn.
        """
        with (
            self._my_turn(),
            translated(),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def check(self, patience: float = CHECK_SECONDS) -> None:
        """Raise what keeps a change from being written now; changes nothing.

        ``patience``: the seconds to wait for other writers. It reads a page of the
        database's own, since SQLite answers ``SELECT 1`` without opening its file.
        """
        wait = {PATIENCE: int(patience * 1000)}
        writer = self.engine.execution_options(**wait)
        with self._my_turn(patience), translated(), writer.connect() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version"))

    @contextmanager
    def _my_turn(self, seconds: float | None = None) -> Iterator[None]:
        # Threads of one process wait here, woken at once, not in the database's poll.
        if not self._turn.acquire(timeout=self._turn_seconds if seconds is None else seconds):
            raise DatabaseUnavailable(
                "The database is not available: busy",
                operation="database.write",
                details={"reason": "busy"},
            )
        try:
            yield
        finally:
            self._turn.release()
