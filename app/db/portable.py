"""The rows of a database as lines that any other database of Darkroom takes in again.

Values are copied as they are stored: what is sealed stays sealed and no column key is
needed. Each table begins with a line that names its columns and their kinds, so that a later
release can put the rows into the tables of the release that wrote them::

    {"table": "images", "columns": [["id", "uuid"], ["card", "bytes"], …]}
    ["9f6c…", "3AECAA…", …]                                 one line a row
    {"rows": {"images": 12, …}}                              the last line
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Uuid,
    column,
    insert,
    select,
    table,
    type_coerce,
)
from sqlalchemy.types import TypeEngine

from app.db.encrypted_types import EncryptedType
from app.db.times import UtcDateTime
from app.errors import DecryptionFailed

AT_ONCE = 500
"""Rows that are fetched, or inserted, at once."""

Line = Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    type: TypeEngine[Any]
    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _bytes_out(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


_KINDS: Mapping[str, _Kind] = {
    "bytes": _Kind(
        LargeBinary(), _bytes_out, lambda text: base64.b64decode(text, validate=True)
    ),
    "uuid": _Kind(Uuid(), lambda value: value.hex, UUID),
    "time": _Kind(UtcDateTime(), datetime.isoformat, datetime.fromisoformat),
    "json": _Kind(JSON(), _same, _same),
    "bool": _Kind(Boolean(), _same, _same),
    "int": _Kind(BigInteger(), _same, _same),
    "float": _Kind(Float(), _same, _same),
    "text": _Kind(String(), _same, _same),
}
_KIND_OF: Sequence[tuple[type[Any], str]] = (
    (EncryptedType, "bytes"),
    (LargeBinary, "bytes"),
    (Uuid, "uuid"),
    (UtcDateTime, "time"),
    (JSON, "json"),
    (Boolean, "bool"),
    (Integer, "int"),
    (Float, "float"),
    (String, "text"),
)


def kind_of(one: Column[Any]) -> str:
    """The kind of a column's values; TypeError for a type that nobody thought of here."""
    for known, kind in _KIND_OF:
        if isinstance(one.type, known):
            return kind
    raise TypeError(f"{one.table.name}.{one.name} cannot be written portably")


def dump(
    connection: Connection, metadata: MetaData, leave_out: frozenset[str] = frozenset()
) -> Iterator[Line]:
    """Every row of every table but those of ``leave_out``, parents before children.

    Consistent if the connection is in one transaction that sees one state.
    """
    counts: dict[str, int] = {}
    for one in metadata.sorted_tables:
        if one.name in leave_out:
            continue
        kinds = [(each.name, kind_of(each)) for each in one.columns]
        yield {"table": one.name, "columns": [list(pair) for pair in kinds]}
        counts[one.name] = 0
        for row in rows_of(connection, one):
            counts[one.name] += 1
            yield row
    yield {"rows": counts}


def rows_of(connection: Connection, one: Table, *where: Any) -> Iterator[list[Any]]:
    """The rows of a table as lines hold them."""
    writers = [_KINDS[kind_of(each)].write for each in one.columns]
    wanted = select(*(_as_stored(each) for each in one.columns)).where(*where)
    streaming = connection.execution_options(yield_per=AT_ONCE)
    for row in streaming.execute(wanted):
        yield [
            None if value is None else write(value)
            for write, value in zip(writers, row, strict=True)
        ]


def _as_stored(each: Column[Any]) -> Any:
    """Past the type that would open it."""
    if isinstance(each.type, EncryptedType):
        return type_coerce(each, LargeBinary()).label(each.name)
    return each


def load(connection: Connection, lines: Iterable[Line]) -> dict[str, int]:
    """Insert what `dump` gave into empty tables; return how many rows each got.

    DecryptionFailed where the lines make no sense or end early.
    """
    loading: _Loading | None = None
    told: Mapping[str, int] | None = None
    counts: dict[str, int] = {}
    for line in lines:
        if isinstance(line, Mapping):
            if loading is not None:
                counts[loading.name] = loading.finish()
            told = line.get("rows")
            loading = _Loading(connection, line) if told is None else None
        elif loading is None:
            raise DecryptionFailed(operation="rows.load")
        else:
            loading.add(line)
    if told is None or dict(told) != counts:
        raise DecryptionFailed(operation="rows.load")
    return counts


class _Loading:
    """One table that is being filled."""

    def __init__(self, connection: Connection, head: Mapping[str, Any]) -> None:
        try:
            self.name = str(head["table"])
            pairs = [(str(name), _KINDS[kind]) for name, kind in head["columns"]]
        except (KeyError, ValueError, TypeError):
            raise DecryptionFailed(operation="rows.load") from None
        self._connection = connection
        self._names = [name for name, _ in pairs]
        self._readers = [kind.read for _, kind in pairs]
        columns = (column(name, kind.type) for name, kind in pairs)
        self._insert = insert(table(self.name, *columns))
        self._waiting: list[dict[str, Any]] = []
        self._count = 0

    def add(self, line: Sequence[Any]) -> None:
        try:
            values = (
                None if value is None else read(value)
                for read, value in zip(self._readers, line, strict=True)
            )
            self._waiting.append(dict(zip(self._names, values, strict=True)))
        except (ValueError, TypeError, AttributeError):
            raise DecryptionFailed(operation="rows.load") from None
        if len(self._waiting) >= AT_ONCE:
            self._send()

    def finish(self) -> int:
        """Insert the rest; return how many rows there were."""
        self._send()
        return self._count

    def _send(self) -> None:
        if self._waiting:
            self._connection.execute(self._insert, self._waiting)
            self._count += len(self._waiting)
            self._waiting = []
