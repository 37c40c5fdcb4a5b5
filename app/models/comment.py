"""What people say to each other about a picture, or about one thing in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now


class Comment(HasId, Base):
    """``body`` is {text, point, of}: pinned to an annotation, to a place (x, y), or to none.

    ``of`` is the state that the picture was given with these words, if any.
    """

    __tablename__ = "comments"
    __table_args__ = (Index(None, "image_id", "created_at"),)

    image_id: Mapped[UUID] = mapped_column(references("images.id", on_delete="CASCADE"))
    annotation_id: Mapped[UUID | None]
    author_id: Mapped[UUID | None] = mapped_column(references("users.id", on_delete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[UUID | None] = mapped_column(
        references("users.id", on_delete="SET NULL")
    )
    body: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("comments.body"))
