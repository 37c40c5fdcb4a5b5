"""What somebody set for themselves: the keys of the editor."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now


class Preference(HasId, Base):
    """``body`` is {keymap: {action: key}}; one row a person."""

    __tablename__ = "preferences"
    __table_args__ = (Index("uq_preferences_user_id", "user_id", unique=True),)

    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    body: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("preferences.body"))
