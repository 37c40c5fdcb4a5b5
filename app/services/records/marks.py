"""Marking a record that was lost itself; changes are marked by the database's triggers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.models import StaleRecord


def mark_behind(session: Session, file_id: UUID) -> None:
    """Let the record of an image, or of the store, be written again, whoever was at it."""
    session.merge(StaleRecord(file_id=file_id, since=utc_now(), writer=None))
