"""Every sealed column: what lies in the database is a token, and it opens for its row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sqlalchemy import LargeBinary, Select, select, type_coerce

from app.db.base import Base
from app.db.encrypted_types import EncryptedType
from app.db.field_cipher import Sealed
from app.errors import DecryptionFailed
from app.services.verification.findings import Damage, Finding

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

    from app.db.session import UnitOfWork

PAGE = 500
EXAMPLES = 5


class ColumnCheck:
    """Reads tables by their key, a few hundred rows in memory and in one transaction."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def findings(self) -> Iterator[Finding]:
        """One finding a sealed column."""
        for table in Base.metadata.sorted_tables:
            for column in table.columns:
                if isinstance(column.type, EncryptedType):
                    yield self._look(table, column)

    def raw(self, name: str) -> bytes | None:
        """The first value of ``table.column`` as the database has it, past the type that
        would open it."""
        table, _, column_name = name.partition(".")
        column = Base.metadata.tables[table].columns[column_name]
        raw = type_coerce(column, LargeBinary()).label("raw")
        with self._uow.read_rows() as connection:
            return connection.execute(select(raw).where(column.is_not(None)).limit(1)).scalar()

    def _look(self, table: Table, column: Column[Any]) -> Finding:
        bad = 0
        examples: list[str] = []
        for row_id in self._bad_rows(table, column):
            bad += 1
            if len(examples) < EXAMPLES:
                examples.append(str(row_id))
        name = f"{table.name}.{column.name}"
        if not bad:
            return Finding(name, "column")
        return Finding(name, "column", Damage.COLUMN, f"{bad}: rows {', '.join(examples)}")

    def _bad_rows(self, table: Table, column: Column[Any]) -> Iterator[Any]:
        key = _key_of(table)
        wanted = select(key.label("row_id"), column.label("value")).where(column.is_not(None))
        after: Any = None
        while True:
            page = wanted if after is None else wanted.where(key > after)
            page = page.order_by(key).limit(PAGE)
            rows = self._page(page, key, column)
            yield from (row_id for row_id, opens in rows if not opens)
            if len(rows) < PAGE:
                return
            after = rows[-1][0]

    def _page(
        self, page: Select[Any], key: Column[Any], column: Column[Any]
    ) -> list[tuple[Any, bool]]:
        """(row, whether its value opens) of one page."""
        try:
            with self._uow.read_rows() as connection:
                rows = connection.execute(page).all()
        except DecryptionFailed:  # a column that is not bound opens while it is fetched
            return self._one_by_one(page, key, column)
        return [(row.row_id, _opens(row.value, row.row_id)) for row in rows]

    def _one_by_one(
        self, page: Select[Any], key: Column[Any], column: Column[Any]
    ) -> list[tuple[Any, bool]]:
        with self._uow.read_rows() as connection:
            ids = connection.scalars(page.with_only_columns(key)).all()
            return [(one, self._fetches(select(column).where(key == one))) for one in ids]

    def _fetches(self, wanted: Select[Any]) -> bool:
        try:
            with self._uow.read_rows() as connection:
                connection.execute(wanted).all()
        except DecryptionFailed:
            return False
        return True


def _key_of(table: Table) -> Column[Any]:
    """What the table is paged by, and its tokens are bound to."""
    if "id" in table.columns:
        return table.columns["id"]
    return next(iter(table.primary_key.columns))


def _opens(value: Any, row_id: Any) -> bool:
    if not isinstance(value, Sealed):
        return True  # opened when it was fetched
    try:
        value.of(row_id)
    except DecryptionFailed:
        return False
    return True
