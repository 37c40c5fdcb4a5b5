"""The envelopes of the database, changed a page at a time while others use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, func, select, update

from app.db.session import UnitOfWork
from app.errors import DarkroomError, KeyVaultUnavailable
from app.models import FileKey
from app.services.keys.wrapped_dek import (
    KEK_NAME_BYTES,
    MASTER_AT,
    MASTER_BYTES,
    NAMES_AT,
    Envelope,
    names_kek,
)

_PAGE = 100
Sealed = Callable[[UUID, Envelope], Envelope | None]
"""The envelope that takes the place of one of a file; None: it stays."""


class _Row(NamedTuple):
    id: UUID
    file_id: UUID
    wrapped_dek: bytes


class EnvelopeRows:
    """Finds and changes the ``wrapped_dek`` of rows; the vault is asked between
    transactions, and a row that somebody changed meanwhile is left to them."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def change(
        self, which: ColumnElement[bool], sealed: Sealed
    ) -> Iterator[tuple[int, Sequence[UUID]]]:
        """After each page: how many rows have another envelope, and the files whose
        envelope could not be opened. Raises KeyVaultUnavailable."""
        after = UUID(int=0)
        while rows := self._page(which, after):
            after = rows[-1].id
            fresh, failed = [], []
            for row in rows:
                try:
                    new = sealed(row.file_id, Envelope.from_row(row.wrapped_dek))
                except KeyVaultUnavailable:
                    raise
                except DarkroomError:
                    failed.append(row.file_id)
                    continue
                if new is not None:
                    fresh.append((row, new.to_row()))
            yield self._write(fresh), failed

    def count(self, which: ColumnElement[bool]) -> int:
        """How many envelopes there are of which ``which`` is true."""
        chosen = select(func.count()).select_from(FileKey).where(_IN_ENVELOPE, which)
        with self._uow.read_rows() as connection:
            return connection.scalar(chosen) or 0

    def keks(self) -> list[str]:
        """The names of all KEKs that envelopes are under, sorted."""
        at, width = NAMES_AT + 1, 1 + KEK_NAME_BYTES
        name = func.substr(FileKey.wrapped_dek, at, width, type_=LargeBinary)
        with self._uow.read_rows() as connection:
            found = connection.scalars(select(name).where(_IN_ENVELOPE).distinct()).all()
        return sorted(raw[1:].decode("ascii") for raw in found)

    def by_master(self) -> dict[str, int]:
        """How many envelopes hold a key under which master key, by its 8 hex digits."""
        chosen = select(_MASTER, func.count()).where(_IN_ENVELOPE).group_by(_MASTER)
        with self._uow.read_rows() as connection:
            return {master.hex(): count for master, count in connection.execute(chosen)}

    def _page(self, which: ColumnElement[bool], after: UUID) -> Sequence[_Row]:
        chosen = (
            select(FileKey.id, FileKey.file_id, FileKey.wrapped_dek)
            .where(_IN_ENVELOPE, which, FileKey.id > after)
            .order_by(FileKey.id)
            .limit(_PAGE)
        )
        with self._uow.read_rows() as connection:
            return [
                _Row(row.id, row.file_id, row.wrapped_dek or b"")
                for row in connection.execute(chosen)
            ]

    def _write(self, fresh: Sequence[tuple[_Row, bytes]]) -> int:
        if not fresh:
            return 0
        changed = 0
        with self._uow.write() as session:
            for row, raw in fresh:
                same = FileKey.id == row.id, FileKey.wrapped_dek == row.wrapped_dek
                done = session.execute(
                    update(FileKey)
                    .where(*same)
                    .values(wrapped_dek=raw)
                    .returning(FileKey.id)
                    .execution_options(synchronize_session=False)
                )
                changed += done.first() is not None
        return changed


_MASTER = func.substr(FileKey.wrapped_dek, MASTER_AT + 1, MASTER_BYTES, type_=LargeBinary)
_IN_ENVELOPE = (FileKey.mode == "envelope") & FileKey.wrapped_dek.is_not(None)


def under_master(master_id: str) -> ColumnElement[bool]:
    """Rows whose envelope holds a key under the master key with these 8 hex digits."""
    master = bytes.fromhex(master_id)
    return _MASTER.is_not_distinct_from(master)


def under_kek(kek: str, version: str) -> ColumnElement[bool]:
    """Rows whose envelope was made with this version of a KEK."""
    at, names = names_kek(kek, version)
    found = func.substr(FileKey.wrapped_dek, at, len(names), type_=LargeBinary)
    return found.is_not_distinct_from(names)


def of_kek(kek: str) -> ColumnElement[bool]:
    """Rows whose envelope was made with any version of a KEK."""
    raw = bytes((len(kek),)) + kek.encode("ascii")
    name = func.substr(FileKey.wrapped_dek, NAMES_AT + 1, len(raw), type_=LargeBinary)
    return name.is_not_distinct_from(raw)
