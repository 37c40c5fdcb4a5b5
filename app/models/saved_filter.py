"""Filters that somebody saved under a name."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now


class SavedFilter(HasId, Base):
    """``body`` is {name, query}; it belongs to one person and, but for None, one collection."""

    __tablename__ = "saved_filters"
    __table_args__ = (Index(None, "user_id", "created_at"),)

    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    collection_id: Mapped[UUID | None] = mapped_column(
        references("collections.id", on_delete="CASCADE")
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    body: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("saved_filters.body"))
