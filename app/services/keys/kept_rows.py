"""All keys of one file, turned from one way of being kept to the other, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update

from app.db.session import UnitOfWork
from app.errors import KeyManagementError
from app.models import FileKey
from app.services.keys.keying import KeyMode


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One generation of a file's key as far as it matters where the key is."""

    id: UUID
    version: bytes
    state: str
    mode: str
    wrapped_dek: bytes | None
    expires_at: datetime | None
    busy: bool


class KeptRows:
    """Reads and changes the rows of one file in short transactions."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def of(self, file_id: UUID) -> tuple[KeptRow, ...]:
        """The oldest generation first; nothing for a file that is destroyed or gone.

        Raises KeyManagementError while a rotation is at work: it makes a key more.
        """
        chosen = select(FileKey).where(FileKey.file_id == file_id)
        with self._uow.read() as session:
            found = session.scalars(chosen.order_by(FileKey.generation)).all()
            rows = tuple(map(_kept, found))
        if any(row.state == "destroyed" for row in rows):
            return ()
        if any(row.busy for row in rows):
            raise _busy()
        return rows

    def turn(
        self, rows: Sequence[KeptRow], mode: KeyMode, wrapped: Mapping[bytes, bytes]
    ) -> None:
        """Let the rows say ``mode``, and give those in ``wrapped`` (by version) its bytes.

        All or none: KeyManagementError where anything changed since they were read.
        """
        file_id = select(FileKey.file_id).where(FileKey.id == rows[0].id).scalar_subquery()
        with self._uow.write() as session:
            count = select(func.count()).where(FileKey.file_id == file_id)
            changed = 0
            for row in rows:
                values = {"mode": mode} | (
                    {"wrapped_dek": wrapped[row.version]} if row.version in wrapped else {}
                )
                done = session.execute(
                    update(FileKey)
                    .where(FileKey.id == row.id, FileKey.state == row.state)
                    .where(FileKey.mode == row.mode, FileKey.lease_token.is_(None))
                    .values(**values)
                    .returning(FileKey.id)
                    .execution_options(synchronize_session=False)
                )
                changed += done.first() is not None
            if changed != len(rows) or session.scalar(count) != len(rows):
                raise _busy()

    def drop_envelopes(self, file_id: UUID) -> None:
        """The vault has the keys: what the rows still hold of them goes."""
        with self._uow.write() as session:
            session.execute(
                update(FileKey)
                .where(FileKey.file_id == file_id, FileKey.mode == "direct")
                .values(wrapped_dek=None)
                .execution_options(synchronize_session=False)
            )


def _kept(row: FileKey) -> KeptRow:
    return KeptRow(
        id=row.id,
        version=row.version_id,
        state=row.state,
        mode=row.mode,
        wrapped_dek=row.wrapped_dek,
        expires_at=row.expires_at,
        busy=row.state == "pending" or row.lease_token is not None,
    )


def _busy() -> KeyManagementError:
    return KeyManagementError(
        "The key of this file is being rotated; try again", operation="keys.rekey"
    )
