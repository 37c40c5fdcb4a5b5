"""Row binding: the id of its row goes into each token, and is compared on load.

Written by any INSERT or UPDATE whose rows are *parameters*: the ORM's flush, and
``session.execute(insert(Annotation), [{"id": …, "label": …}, …])``. A value that stands in
the statement itself (``.values(label=…)``) has no row that could be known here: it is
refused unless it is given as ``Bound(row_id, value)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Table, event
from sqlalchemy.sql.dml import Insert, Update

from app.db.encrypted_types import EncryptedType
from app.db.field_cipher import Bound, Sealed
from app.errors import EncryptionError

if TYPE_CHECKING:
    from sqlalchemy.orm import InstanceState

ID = "id"
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Binding:
    columns: tuple[str, ...]
    where_id: str  # what the ORM calls the id in the WHERE of an UPDATE


_bindings: WeakKeyDictionary[Table, _Binding] = WeakKeyDictionary()


def watch_rows(cls: type[Any]) -> None:
    """Called once for every mapped class: its bound columns are compared on load."""
    table: Table = cls.__table__
    names = tuple(
        column.key
        for column in table.columns
        if isinstance(column.type, EncryptedType) and column.type.row_bound
    )
    if not names:
        return
    _bindings[table] = _Binding(names, f"{table.name}_{ID}")

    def opened(state: InstanceState[Any], *_: object) -> None:
        values = state.dict
        row = values[ID].bytes
        for name in names:
            value = values.get(name)
            if type(value) is Sealed:
                values[name] = value(row)

    # First in the line: what follows (tracked JSON) must see opened values.
    event.listen(cls, "load", opened, raw=True, insert=True)
    event.listen(cls, "refresh", opened, raw=True, insert=True)


def bind_rows(engine: Engine) -> None:
    """Wires the writing side to an engine."""
    event.listen(engine, "before_execute", _before_execute, retval=True)


def _before_execute(
    connection: Connection,
    statement: Any,
    many: Sequence[Row],
    one: Row,
    execution_options: Mapping[str, Any],
) -> tuple[Any, Sequence[Row], Row]:
    del connection, execution_options
    if not isinstance(statement, Insert | Update) or not isinstance(statement.table, Table):
        return statement, many, one
    binding = _bindings.get(statement.table)
    if binding is None:
        return statement, many, one
    insert = isinstance(statement, Insert)
    if many:
        return statement, [_bound(row, binding, insert) for row in many], one
    return statement, many, _bound(one, binding, insert) if one else one


def bound_rows(table: Table, rows: Sequence[Row], *, insert: bool) -> Sequence[Row]:
    """The rows of an INSERT or an UPDATE with their sealed columns ``Bound`` to them."""
    binding = _bindings.get(table)
    return [_bound(row, binding, insert) for row in rows] if binding else rows


def _bound(row: Row, binding: _Binding, insert: bool) -> Row:
    bound, row_id = dict(row), None
    for name in binding.columns:
        value = bound.get(name)
        if value is not None and type(value) is not Bound:
            row_id = row_id or _row_id(bound, binding, insert)
            bound[name] = Bound(row_id, value)
    return bound


def _row_id(row: dict[str, Any], binding: _Binding, insert: bool) -> UUID:
    """The id among a row's parameters; a new one where an INSERT has none."""
    row_id = row.get(ID) or row.get(binding.where_id)
    if row_id is None and insert:
        row_id = row[ID] = uuid4()
    if not isinstance(row_id, UUID):
        raise EncryptionError("A row-bound value needs its row's id", operation="column.seal")
    return row_id
