"""API keys."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedString
from app.db.times import utc_now


class ApiKey(HasId, Base):
    """Shown once, kept as a hash; ``scopes`` is a JSON list of words, in clear.
    ``rate`` is the key's own limit ("600 per minute"); None: the one for its address.
    """

    __tablename__ = "api_keys"
    __table_args__ = (Index(None, "user_id"),)

    user_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    prefix: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(EncryptedString("api_keys.name"))
    scopes: Mapped[str] = mapped_column(Text, default="[]")
    rate: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
