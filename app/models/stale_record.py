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

    ``mark`` grows with every change: whoever wrote the record removes the row only if the
    mark is still the one that was there before it read.
    """

    __tablename__ = "stale_records"
    __table_args__ = (Index(None, "since"),)

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    mark: Mapped[int] = mapped_column(default=1)
    since: Mapped[datetime] = mapped_column(default=utc_now)
