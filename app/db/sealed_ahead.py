"""Rows sealed and turned into what the driver takes before the transaction that writes them.

Sealing, JSON and SQLAlchemy's own work on parameters take most of the time of a large write.
Done here, the write lock is held for what the database does itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, Table
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import Insert, Update
from sqlalchemy.types import TypeEngine

from app.db.field_cipher import cipher_of
from app.db.row_binding import bound_rows

Row = Mapping[str, Any]
Turn = Callable[[Any], Any] | None
_turns: WeakKeyDictionary[Dialect, dict[TypeEngine[Any], Turn]] = WeakKeyDictionary()


class SealedAhead:
    """Many rows of one INSERT or UPDATE. ``late``: names of the parameters that are told only
    in the transaction, for all rows or for each."""

    def __init__(
        self,
        engine: Engine,
        statement: Insert | Update,
        rows: Sequence[Row],
        late: Sequence[str] = (),
    ) -> None:
        self._cipher = cipher_of(engine.dialect)
        self._keys = self._cipher.keys
        self._names = tuple(rows[0]) if rows else ()
        self._late = tuple(late)
        self._rows: list[tuple[Any, ...]] = []
        if rows:
            self._make(engine.dialect, statement, rows)

    def _make(self, dialect: Dialect, statement: Insert | Update, rows: Sequence[Row]) -> None:
        table = statement.table
        assert isinstance(table, Table)  # noqa: S101 - for the type: no join is written to
        named = [*self._names, *self._late]
        compiled = statement.compile(dialect=dialect, column_keys=named)
        self._sql = str(compiled)
        self._order = tuple(compiled.positiontup or ()) if compiled.positional else None
        self._turn = {
            name: _turning(bind.type, dialect) for name, bind in compiled.binds.items()
        }
        self._rows = [
            tuple(self._turned(name, row[name]) for name in self._names)
            for row in bound_rows(table, rows, insert=isinstance(statement, Insert))
        ]

    @property
    def is_fresh(self) -> bool:
        """Whether new values would still be sealed with the same keys."""
        return self._cipher.keys is self._keys

    def write(self, session: Session, each: Iterable[Row] | None = None, **same: Any) -> None:
        """In the caller's transaction; ``each``: the late values of row by row."""
        if not self._rows:
            return
        for_all = {name: self._turned(name, value) for name, value in same.items()}
        if each is None:
            ends: Iterable[tuple[Any, ...]] = [self._end(for_all)] * len(self._rows)
        else:
            ends = [self._end({**for_all, **self._turned_row(row)}) for row in each]
        rows = [row + end for row, end in zip(self._rows, ends, strict=True)]
        session.connection().exec_driver_sql(self._sql, [*map(self._shape(), rows)])

    def _shape(self) -> Callable[[tuple[Any, ...]], Any]:
        names = (*self._names, *self._late)
        if self._order is None:
            return lambda row: dict(zip(names, row, strict=True))
        return itemgetter(*(names.index(name) for name in self._order))

    def _end(self, values: Row) -> tuple[Any, ...]:
        return tuple(values[name] for name in self._late)

    def _turned_row(self, row: Row) -> dict[str, Any]:
        return {name: self._turned(name, value) for name, value in row.items()}

    def _turned(self, name: str, value: Any) -> Any:
        turn = self._turn[name]
        return value if turn is None else turn(value)


def _turning(type_: TypeEngine[Any], dialect: Dialect) -> Turn:
    """Kept with the dialect, since a cipher remembers every sealer that it made."""
    known = _turns.setdefault(dialect, {})
    if type_ not in known:
        known[type_] = type_.dialect_impl(dialect).bind_processor(dialect)
    return known[type_]
