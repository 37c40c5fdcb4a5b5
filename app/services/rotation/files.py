"""Which files there are to rotate, and where their blobs lie."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal_column, or_, select
from sqlalchemy.orm import Session

from app.domain.states import ImageStatus
from app.models import KEY_AT_WORK, FileKey, Image, Installation
from app.services.rotation.lease import FileKeys, keys_of
from app.storage.object_paths import ObjectPath, StoredName
from app.storage.replacing import FilePlace

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

BATCH = 500
DESTROYED = ImageStatus.DESTROYED.value


@dataclass(frozen=True, slots=True)
class KeyedFile:
    """One file that has a key; ``content_rev`` is the floor of its content."""

    place: FilePlace
    keys: FileKeys
    content_rev: int


class KeyedFiles:
    """Reads ``file_keys`` and where the files of these keys lie."""

    def __init__(self, uow: UnitOfWork, clock: Callable[[], datetime]) -> None:
        self._uow = uow
        self.now = clock

    def find(self, file_id: UUID) -> KeyedFile | None:
        """The file with all its keys; None for one that is gone, or being destroyed."""
        with self._uow.read() as session:
            found = place_of(session, file_id)
            if found is None:
                return None
            place, content_rev = found
            return KeyedFile(place, keys_of(session, file_id), content_rev)

    def ids(self, wanted: ColumnElement[bool], after: UUID) -> Sequence[UUID]:
        """The next few hundred files of which a key is as ``wanted``, in the order of ids."""
        chosen = select(FileKey.file_id).where(wanted, FileKey.file_id > after)
        with self._uow.read_rows() as connection:
            return connection.scalars(
                chosen.distinct().order_by(FileKey.file_id).limit(BATCH)
            ).all()

    def each(self, wanted: ColumnElement[bool]) -> Iterator[UUID]:
        """All of them, a few hundred in memory; each once, whatever changes meanwhile."""
        after = UUID(int=0)
        while ids := self.ids(wanted, after):
            yield from ids
            after = ids[-1]

    def any(self, wanted: ColumnElement[bool]) -> bool:
        """Whether any key is as ``wanted``."""
        with self._uow.read_rows() as connection:
            return connection.execute(select(FileKey.id).where(wanted)).first() is not None

    def count(self, wanted: ColumnElement[bool]) -> int:
        """How many keys are as ``wanted``."""
        with self._uow.read_rows() as connection:
            chosen = select(func.count()).select_from(FileKey).where(wanted)
            return int(connection.execute(chosen).scalar_one())


def past_expiry(now: datetime, unlimited_before: datetime | None) -> ColumnElement[bool]:
    """Active keys that are due. ``unlimited_before``: from when on a key without an end, made
    while rotation was on demand only, is as old as keys may be now; None: that still holds.
    """
    over = FileKey.expires_at <= now
    if unlimited_before is not None:
        old = and_(FileKey.expires_at.is_(None), FileKey.created_at <= unlimited_before)
        over = or_(over, old)
    return and_(FileKey.state == "active", over)


def older_than(since: datetime) -> ColumnElement[bool]:
    """Active keys that were in use before ``since``."""
    return and_(FileKey.state == "active", FileKey.created_at < since)


def not_set_aside() -> ColumnElement[bool]:
    """Keys of whatever is not known to be damaged."""
    damaged = select(Image.id).where(Image.status == literal_column("'quarantined'"))
    return FileKey.file_id.not_in(damaged)


def unfinished(now: datetime) -> ColumnElement[bool]:
    """What a worker left that was killed, or that failed half-way."""
    nobodys = or_(FileKey.lease_until.is_(None), FileKey.lease_until <= now)
    return and_(nobodys, KEY_AT_WORK)


def retiring(now: datetime | None = None) -> ColumnElement[bool]:
    """Old keys; with ``now`` those whose grace is over."""
    old = FileKey.state == "retiring"
    return old if now is None else and_(old, FileKey.expires_at <= now)


def place_of(session: Session, file_id: UUID) -> tuple[FilePlace, int] | None:
    """Where a file lies and its ``content_rev``; None if it is gone, or being destroyed."""
    row = session.execute(
        select(Image.store_slug, Image.stored_name, Image.content_rev, Image.status).where(
            Image.id == file_id
        )
    ).first()
    if row is not None:
        if row.status == DESTROYED:
            return None
        name = StoredName.parse(row.stored_name)
        path = ObjectPath(row.store_slug, file_id, name)
        return FilePlace.of_image(path), row.content_rev
    store_id = session.scalar(select(Installation.store_id))
    return (FilePlace.of_directory(file_id), 0) if store_id == file_id else None
