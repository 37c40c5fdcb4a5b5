"""Signed-in browsers."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, references
from app.db.encrypted_types import EncryptedString
from app.db.times import utc_now


class Session(Base):
    """``id_hash`` is SHA-256 of the opaque id in the cookie; the id itself is not kept."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"), Index(None, "expires_at"))

    id_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    remember: Mapped[bool] = mapped_column(default=False)
    address: Mapped[str | None] = mapped_column(
        EncryptedString("sessions.address", row_bound=False)
    )
    agent: Mapped[str | None] = mapped_column(
        EncryptedString("sessions.agent", row_bound=False)
    )
