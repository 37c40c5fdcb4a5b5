"""Who rotates a file: one worker at a time, by compare and swap on its active key's row.

The lease only chooses who works. What keeps blobs whole is the file's lock, under which the
token is read again right before every replacement: a worker that slept writes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from app.errors import DarkroomError, KeyLeaseLost
from app.models import FileKey
from app.storage.opening import Floor
from app.storage.replacing import TOKEN_DIGITS

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.keys.keying import KeyMode

TIME: Final = timedelta(minutes=2)
"""How long a worker that was killed keeps others from its file."""
RENEWED_EVERY: Final = TIME / 4
_WORKABLE = ("active", "retiring")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One generation of a file's key; ``version`` is the DEK's 16-byte id."""

    id: UUID
    file_id: UUID
    generation: int
    version: bytes
    state: str
    mode: KeyMode
    wrapped_dek: bytes | None
    created_at: datetime
    expires_at: datetime | None
    lease_until: datetime | None
    lease_token: str | None


@dataclass(frozen=True, slots=True)
class FileKeys:
    """All generations of one file's key, the oldest first."""

    rows: tuple[KeyRow, ...]

    @property
    def active(self) -> KeyRow | None:
        return next((row for row in self.rows if row.state == "active"), None)

    @property
    def pending(self) -> KeyRow | None:
        return next((row for row in self.rows if row.state == "pending"), None)

    @property
    def leased(self) -> KeyRow | None:
        """The row that a worker holds, held, or has left as it was killed."""
        return next((row for row in self.rows if row.lease_token is not None), None)

    def floor(self, content_rev: int) -> Floor:
        """What a blob of the file may be sealed with now."""
        readable = [row for row in self.rows if row.state in ("pending", *_WORKABLE)]
        known = [row.generation for row in readable if row.state != "pending"]
        versions = frozenset(row.version for row in readable)
        return Floor(min(known, default=1), content_rev, versions)


def keys_of(session: Session, file_id: UUID) -> FileKeys:
    """Read the rows of a file's key; none for a file that is gone."""
    found = session.scalars(
        select(FileKey).where(FileKey.file_id == file_id).order_by(FileKey.generation)
    )
    return FileKeys(tuple(map(_row, found)))


def _row(key: FileKey) -> KeyRow:
    return KeyRow(
        id=key.id,
        file_id=key.file_id,
        generation=key.generation,
        version=key.version_id,
        state=key.state,
        mode="envelope" if key.mode == "envelope" else "direct",
        wrapped_dek=key.wrapped_dek,
        created_at=key.created_at,
        expires_at=key.expires_at,
        lease_until=key.lease_until,
        lease_token=key.lease_token,
    )


class Lease:
    """The right to rotate one file, for as long as nobody else has taken it."""

    def __init__(
        self, uow: UnitOfWork, clock: Callable[[], datetime], key_id: UUID, token: str
    ) -> None:
        self.key_id = key_id
        self.token = token
        self._uow = uow
        self._clock = clock
        self._renewed = clock()

    @classmethod
    def take(cls, uow: UnitOfWork, clock: Callable[[], datetime], row: KeyRow) -> Lease | None:
        """Swap the token that ``row`` was read with for a new one; None: somebody has it.

        Whoever takes a lease over has removed what its last holder left half-written.
        """
        now, token = clock(), secrets.token_hex(TOKEN_DIGITS // 2)
        free = or_(FileKey.lease_until.is_(None), FileKey.lease_until <= now)
        with uow.write() as session:
            taken = session.execute(
                update(FileKey)
                .where(FileKey.id == row.id, FileKey.state.in_(_WORKABLE), free)
                .where(FileKey.lease_token.is_not_distinct_from(row.lease_token))
                .values(lease_token=token, lease_until=now + TIME)
                .returning(FileKey.id)
                .execution_options(synchronize_session=False)
            ).first()
        return cls(uow, clock, row.id, token) if taken is not None else None

    def require(self) -> None:
        """Raise KeyLeaseLost unless the token is still ours."""
        with self._uow.read_rows() as connection:
            held = connection.execute(select(FileKey.id).where(*self._mine)).first()
        if held is None:
            raise lease_lost()

    def require_in(self, session: Session) -> None:
        """As `require`, in a transaction that writes."""
        if session.execute(select(FileKey.id).where(*self._mine)).first() is None:
            raise lease_lost()

    def keep(self) -> None:
        """Extend it when a part of its time is over; cheap to call often."""
        now = self._clock()
        if now - self._renewed < RENEWED_EVERY:
            return
        self._renewed = now
        with self._uow.write() as session:
            self.require_in(session)
            self._set(session, until=now + TIME)

    def release(self) -> None:
        """All is done: the row knows no lease any more."""
        with self._uow.write() as session:
            self._set(session, until=None)

    def give_up(self) -> None:
        """Something failed: others may take it over now, and look after what is left.

        The token stays in the row, since it names what may lie half-written in the store.
        Not being able to say so is no matter: the lease runs out.
        """
        try:
            with self._uow.write() as session:
                self._set(session, until=self._clock())
        except DarkroomError:
            return

    @property
    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return (
            FileKey.id == self.key_id,
            FileKey.lease_token == self.token,
            FileKey.state.in_(_WORKABLE),
        )

    def _set(self, session: Session, *, until: datetime | None) -> None:
        token = None if until is None else self.token
        session.execute(
            update(FileKey)
            .where(*self._mine)
            .values(lease_until=until, lease_token=token)
            .execution_options(synchronize_session=False)
        )


def drop_pending(uow: UnitOfWork, lease: Lease, pending: KeyRow) -> None:
    """Forget an attempt that sealed nothing; the caller holds the file's lock, so that
    nobody seals with its key in between."""
    with uow.write() as session:
        lease.require_in(session)
        session.execute(
            delete(FileKey)
            .where(FileKey.id == pending.id, FileKey.state == "pending")
            .execution_options(synchronize_session=False)
        )


def lease_lost() -> KeyLeaseLost:
    """Return the refusal for a worker whose file is another's by now, or is gone."""
    return KeyLeaseLost(
        "Another worker rotates the key of this file, or the file is gone.",
        operation="rotation.lease",
    )
