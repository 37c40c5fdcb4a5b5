"""Sealed records that have to be written again (store-format.md, section 2)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.db.times import utc_now


class StaleRecord(Base):
    """The file (an image, or the store's own id for the directory) whose record is behind.

    The triggers of the database keep it (ADR 0015). ``seen`` is the mark that a writer began
    with: a change counts on only from there, so that ten thousand boxes in one transaction
    cost one write. Whoever wrote the record removes the row only if ``mark`` is still what
    it saw before it read.
    """

    __tablename__ = "stale_records"
    __table_args__ = (Index(None, "since"),)

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    mark: Mapped[int] = mapped_column(default=1)
    seen: Mapped[int] = mapped_column(default=0)
    since: Mapped[datetime] = mapped_column(default=utc_now)
