"""Who has a picture open in the editor now."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, references
from app.db.times import utc_now


class Presence(Base):
    """``tab`` is drawn by the page; a row whose ``seen_at`` is old is somebody who left."""

    __tablename__ = "presences"
    __table_args__ = (Index(None, "seen_at"),)

    image_id: Mapped[UUID] = mapped_column(
        references("images.id", on_delete="CASCADE"), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column(
        references("users.id", on_delete="CASCADE"), primary_key=True
    )
    tab: Mapped[UUID] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)
