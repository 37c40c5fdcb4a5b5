"""What this installation is: one row."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.db.times import utc_now


class Installation(Base):
    """``master_check`` is the check value of the master key that it was made with: a wrong
    key is refused at start, before anything is written.
    """

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    store_id: Mapped[UUID]
    master_check: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
