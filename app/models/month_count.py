"""Counters of the time line: live images a month."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, references


class MonthCount(Base):
    """``month`` is ``YYYY-MM`` of ``sort_at`` in UTC; kept in the transaction that counts."""

    __tablename__ = "month_counts"

    collection_id: Mapped[UUID] = mapped_column(
        references("collections.id", on_delete="CASCADE"), primary_key=True
    )
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    count: Mapped[int] = mapped_column(default=0)
