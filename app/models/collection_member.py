"""Who may do what in a collection."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, one_of, references
from app.db.times import utc_now

MEMBER_ROLES = ("viewer", "annotator", "reviewer", "editor", "owner")


class CollectionMember(Base):
    """One account's role in one collection."""

    __tablename__ = "collection_members"
    __table_args__ = (
        one_of("role", MEMBER_ROLES),
        Index(None, "user_id", "collection_id"),
    )

    collection_id: Mapped[UUID] = mapped_column(
        references("collections.id", on_delete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(
        references("users.id", on_delete="CASCADE"), primary_key=True
    )
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
