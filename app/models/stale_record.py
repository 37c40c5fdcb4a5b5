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

    The triggers of the database make it (ADR 0015). ``writer`` is whoever took note of the
    change before it read what to write: a later change forgets the name, a later writer puts
    its own, and the row is removed only by the writer that it still names. So no change is
    lost between two writers, and ten thousand boxes of one transaction cost one write here.
    """

    __tablename__ = "stale_records"
    __table_args__ = (Index(None, "since"),)

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    since: Mapped[datetime] = mapped_column(default=utc_now)
    writer: Mapped[UUID | None]
