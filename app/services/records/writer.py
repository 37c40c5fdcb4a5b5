"""Writes the records that are behind, in batches, and loses no mark.

Triggers of the database mark a record in the transaction that changes what it says (ADR
0015). Before anything is read the writer takes note, by putting its name to the mark, and the
mark goes after the record was written, if it still has this name: no change has come since,
and no other writer. So a crash or a change at any moment leaves at worst a record that is
written once more.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select, update

from app.domain.ids import new_id
from app.errors import DarkroomError, DatabaseUnavailable
from app.jobs.watch import Unwatched, Watch
from app.models import StaleRecord
from app.services.records.sealing import RecordSealing

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.keys import FileKeyService
    from app.storage.encrypted_store import EncryptedStore

log = logging.getLogger("darkroom.records")
AT_ONCE = 50
Stale = tuple[datetime, UUID]
"""When it was marked first, and the id of the file: the order in which they are written."""
UNWATCHED = Unwatched()


@dataclass(frozen=True, slots=True)
class RecordsReport:
    """``found`` = ``written`` + ``failed``, but for a run that was stopped."""

    found: int
    written: int
    failed: int


class Records:
    """Keeps the store's records current; several may work at once, each file one at a time."""

    def __init__(self, uow: UnitOfWork, store: EncryptedStore, keys: FileKeyService) -> None:
        self._uow = uow
        self._sealing = RecordSealing(uow, store, keys)

    def behind(self) -> int:
        """How many records are not what the database says."""
        with self._uow.read_rows() as connection:
            return connection.scalar(select(func.count()).select_from(StaleRecord)) or 0

    def run(self, watch: Watch = UNWATCHED) -> RecordsReport:
        """Write as many records as are behind now, the oldest change first.

        What cannot be written is logged, stays behind and is tried by the next run. Raises
        what ``watch`` raises, and ``DatabaseUnavailable``.
        """
        name, found, written, failed = new_id(), self.behind(), 0, 0
        after: Stale | None = None
        while written + failed < found and (batch := self._next(after)):
            done: list[UUID] = []
            try:
                for file_id in self._take_note(name, batch):
                    watch.advance(written + failed, found)
                    if self._write(file_id):
                        done.append(file_id)
                        written += 1
                    else:
                        failed += 1
            finally:
                self._settle(name, done)
            after = batch[-1]
        return RecordsReport(written + failed, written, failed)

    def _next(self, after: Stale | None) -> list[Stale]:
        columns = StaleRecord.since, StaleRecord.file_id
        wanted = select(*columns).order_by(*columns).limit(AT_ONCE)
        if after is not None:
            since, file_id = after
            same = and_(StaleRecord.since == since, StaleRecord.file_id > file_id)
            wanted = wanted.where(or_(StaleRecord.since > since, same))
        with self._uow.read_rows() as connection:
            return [(row.since, row.file_id) for row in connection.execute(wanted)]

    def _take_note(self, name: UUID, batch: Sequence[Stale]) -> Sequence[UUID]:
        """From here on a change marks anew; the files that are still marked, in this order."""
        files = [file_id for _, file_id in batch]
        with self._uow.write() as session:
            noted = session.scalars(
                update(StaleRecord)
                .where(StaleRecord.file_id.in_(files))
                .values(writer=name)
                .returning(StaleRecord.file_id)
                .execution_options(synchronize_session=False)
            ).all()
        return sorted(noted, key=files.index)

    def _write(self, file_id: UUID) -> bool:
        try:
            self._sealing.write(file_id)
        except DatabaseUnavailable:
            raise
        except DarkroomError as error:
            log.warning("a record could not be written", exc_info=error)
            return False
        return True

    def _settle(self, name: UUID, files: Sequence[UUID]) -> None:
        """Forget the marks of what was written, where they still have this name."""
        if not files:
            return
        with self._uow.write() as session:
            session.execute(
                delete(StaleRecord)
                .where(StaleRecord.file_id.in_(files), StaleRecord.writer == name)
                .execution_options(synchronize_session=False)
            )
