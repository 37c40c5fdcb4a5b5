"""Marking a record that was lost itself; changes are marked by the database's triggers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.models import StaleRecord

_BATCH: Final = 500


def mark_behind(session: Session, file_id: UUID) -> None:
    """Let the record of an image, or of the store, be written again, whoever was at it."""
    session.merge(StaleRecord(file_id=file_id, since=utc_now(), writer=None))


def mark_all_behind(session: Session, file_ids: Sequence[UUID]) -> None:
    """As `mark_behind`, for many: two statements for each 500."""
    rows = [{"file_id": id_, "since": utc_now(), "writer": None} for id_ in file_ids]
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        these = StaleRecord.file_id.in_([row["file_id"] for row in batch])
        session.execute(
            delete(StaleRecord).where(these).execution_options(synchronize_session=False)
        )
        session.execute(insert(StaleRecord), batch)
