"""Collections of images."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, one_of, references
from app.db.encrypted_types import EncryptedString
from app.db.times import utc_now

TIMELINES = ("uploaded", "taken")


class Collection(HasId, Base):
    """A set of images with members; ``slug`` is readable, name and description are not."""

    __tablename__ = "collections"
    __table_args__ = (
        one_of("timeline", TIMELINES),
        Index(None, "owner_id"),
    )

    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(EncryptedString("collections.name"))
    description: Mapped[str | None] = mapped_column(EncryptedString("collections.description"))
    owner_id: Mapped[UUID] = mapped_column(references("users.id"))
    is_personal: Mapped[bool] = mapped_column(default=False)
    labels_closed: Mapped[bool] = mapped_column(default=False)
    timeline: Mapped[str] = mapped_column(String(16), default="uploaded")
    image_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]
