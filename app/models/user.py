"""Accounts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, one_of
from app.db.encrypted_types import EncryptedString
from app.db.times import utc_now

USER_STATES = ("active", "disabled")


class User(HasId, Base):
    """A person who may sign in; found by ``email_index``, since the e-mail is sealed."""

    __tablename__ = "users"
    __table_args__ = (one_of("state", USER_STATES),)

    email: Mapped[str] = mapped_column(EncryptedString("users.email"))
    email_index: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[str] = mapped_column(EncryptedString("users.name"))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    is_admin: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(String(16), default="active")
    quota_limit: Mapped[int | None] = mapped_column(BigInteger)  # bytes; None: the default
    quota_used: Mapped[int] = mapped_column(BigInteger, default=0)  # bytes
    auto_delete: Mapped[bool] = mapped_column(default=False)
    default_expiry_days: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    password_changed_at: Mapped[datetime | None]
    must_change_password: Mapped[bool] = mapped_column(default=False)
    last_login_at: Mapped[datetime | None]
    theme: Mapped[str | None] = mapped_column(String(8))  # None: never chosen
