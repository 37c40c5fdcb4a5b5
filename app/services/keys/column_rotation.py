"""Every encrypted column sealed again under the present root key, some rows at a time.

A token is opened and its payload sealed anew as it is: the id of its row stands in it, so it
stays bound to that row, and nobody looks at the value. A row is read and written in one small
write transaction, so that no change of anybody is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    Table,
    column,
    func,
    or_,
    select,
    table,
    update,
)

from app.crypto.aead import ColumnCipher
from app.db.encrypted_types import EncryptedType
from app.db.session import UnitOfWork
from app.errors import DecryptionFailed
from app.models import Base

_ROWS = 200
_KEY_ID_AT, _KEY_ID_BYTES = 4, 4  # of a token, counted from 1


@dataclass(frozen=True, slots=True)
class SealedColumns:
    """The encrypted columns of one table, and the column that tells its rows apart."""

    name: str
    key: Column[object]
    contexts: dict[str, str]

    @classmethod
    def of(cls, found: Table) -> SealedColumns | None:
        contexts = {
            one.name: one.type.context
            for one in found.columns
            if isinstance(one.type, EncryptedType)
        }
        (key, *_) = found.primary_key.columns
        return cls(found.name, key, contexts) if contexts else None


def sealed_tables() -> list[SealedColumns]:
    """Every table that has encrypted columns."""
    return list(filter(None, map(SealedColumns.of, Base.metadata.sorted_tables)))


class ColumnRotation:
    """Finds and changes tokens under other keys than the active one of ``cipher``."""

    def __init__(self, uow: UnitOfWork, cipher: ColumnCipher) -> None:
        self._uow = uow
        self._cipher = cipher

    def run(self) -> Iterator[tuple[int, int]]:
        """After each transaction: how many tokens were sealed again, and how many do not
        open under any key and stay as they are."""
        for sealed in sealed_tables():
            after: object | None = None
            while True:
                changed, damaged, after = self._change_some(sealed, after)
                yield changed, damaged
                if after is None:
                    break

    def left(self) -> int:
        """How many rows hold a token that is not under the active key."""
        count = 0
        with self._uow.read_rows() as connection:
            for sealed in sealed_tables():
                plain = _plain(sealed)
                chosen = select(func.count()).select_from(plain)
                where = self._under_others(sealed)
                count += connection.scalar(chosen.where(where)) or 0
        return count

    def _change_some(
        self, sealed: SealedColumns, after: object | None
    ) -> tuple[int, int, object | None]:
        plain = _plain(sealed)
        key = plain.c[sealed.key.name]
        chosen = select(plain).where(self._under_others(sealed))
        if after is not None:
            chosen = chosen.where(key > after)
        changed = damaged = 0
        with self._uow.write() as session:
            rows = session.execute(chosen.order_by(key).limit(_ROWS)).all()
            for row in rows:
                values = row._mapping  # noqa: SLF001 - Row's public name
                fresh, bad = self._sealed_again(sealed, dict(values))
                damaged += bad
                if fresh:
                    same = key == values[sealed.key.name]
                    session.execute(update(plain).where(same).values(fresh))
                    changed += len(fresh)
        full = len(rows) == _ROWS
        return changed, damaged, rows[-1]._mapping[sealed.key.name] if full else None  # noqa: SLF001

    def _sealed_again(
        self, sealed: SealedColumns, values: dict[str, bytes | None]
    ) -> tuple[dict[str, bytes], int]:
        fresh, damaged = {}, 0
        for name, context in sealed.contexts.items():
            token = values[name]
            if token is None or token[3:7] == self._cipher.active_key_id:
                continue
            try:
                codec, payload = self._cipher.open(context, token)
            except DecryptionFailed:
                damaged += 1
                continue
            fresh[name] = self._cipher.seal(codec, context, payload)
        return fresh, damaged

    def _under_others(self, sealed: SealedColumns) -> ColumnElement[bool]:
        found = []
        for name in sealed.contexts:
            key_id = func.substr(column(name), _KEY_ID_AT, _KEY_ID_BYTES, type_=LargeBinary)
            found.append(key_id != self._cipher.active_key_id)
        return or_(*found)


def _plain(sealed: SealedColumns):  # type: ignore[no-untyped-def]
    """The table with its tokens as bytes: no type opens or seals them."""
    names = [column(name, LargeBinary()) for name in sealed.contexts]
    return table(sealed.name, column(sealed.key.name, sealed.key.type), *names)
