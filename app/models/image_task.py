"""Whose turn it is with a picture."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedJSON


class ImageTask(HasId, Base):
    """Beside a picture from the first time that somebody takes, submits or reviews it.

    ``assignee_id``: nobody else is given it; ``lease_until``: until then it is given to nobody
    but ``lease_user_id``. ``worked_seconds`` adds up over sittings, ``active_at`` is up to when
    it has been counted. ``body`` is {reason, of}: why it was skipped or rejected, and which.
    """

    __tablename__ = "image_tasks"
    __table_args__ = (
        Index("uq_image_tasks_image_id", "image_id", unique=True),
        Index(None, "assignee_id"),
        Index(None, "lease_user_id", "lease_until"),
        Index(None, "submitted_by", "submitted_at"),
    )

    image_id: Mapped[UUID] = mapped_column(references("images.id", on_delete="CASCADE"))
    assignee_id: Mapped[UUID | None] = mapped_column(
        references("users.id", on_delete="SET NULL")
    )
    lease_user_id: Mapped[UUID | None] = mapped_column(
        references("users.id", on_delete="SET NULL")
    )
    lease_until: Mapped[datetime | None]
    submitted_by: Mapped[UUID | None] = mapped_column(
        references("users.id", on_delete="SET NULL")
    )
    submitted_at: Mapped[datetime | None]
    reviewed_by: Mapped[UUID | None] = mapped_column(
        references("users.id", on_delete="SET NULL")
    )
    reviewed_at: Mapped[datetime | None]
    worked_seconds: Mapped[int] = mapped_column(default=0)
    body: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("image_tasks.body"))
    active_at: Mapped[datetime | None]
