"""Keys of files: references and states, never a usable key (store-format.md section 4)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    literal_column,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, one_of
from app.db.times import utc_now

KEY_STATES = ("pending", "active", "retiring", "retired", "destroyed")
KEY_MODES = ("direct", "envelope")
_ACTIVE = text("state = 'active'")
_AT_WORK = text("lease_token IS NOT NULL OR state = 'pending'")


class FileKey(HasId, Base):
    """One generation of one file's key. ``file_id`` is an image's id, or the store's own id
    for the directory record; hence no foreign key.
    """

    __tablename__ = "file_keys"
    __table_args__ = (
        UniqueConstraint("file_id", "generation"),
        Index(
            "uq_file_keys_active",
            "file_id",
            unique=True,
            sqlite_where=_ACTIVE,
            postgresql_where=_ACTIVE,
        ),
        Index(None, "state", "expires_at"),
        Index(
            "ix_file_keys_at_work",
            "file_id",
            sqlite_where=_AT_WORK,
            postgresql_where=_AT_WORK,
        ),
        one_of("state", KEY_STATES),
        one_of("mode", KEY_MODES),
    )

    file_id: Mapped[UUID]
    key_reference: Mapped[str] = mapped_column(String(127))
    generation: Mapped[int] = mapped_column(default=1)
    version_id: Mapped[bytes] = mapped_column(LargeBinary(16))
    state: Mapped[str] = mapped_column(String(16), default="active")
    mode: Mapped[str] = mapped_column(String(16), default="direct")
    wrapped_dek: Mapped[bytes | None]
    vault_version: Mapped[str | None] = mapped_column(String(127))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(String(64))


# As the index `ix_file_keys_at_work` has it, which SQLite uses for no other words.
KEY_AT_WORK = or_(
    FileKey.lease_token.is_not(None), FileKey.state == literal_column("'pending'")
)
