"""The audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now

_IS_VIEW = text("action = 'image.view'")


class AuditEvent(Base):
    """Append-only; ``mac`` chains each event to the one before, by ``seq``. Actor and subject
    may be gone: no foreign keys. ``details`` is bound to ``id``.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "subject_kind", "subject_id", "seq"),
        Index(None, "actor_id", "seq"),
        Index(None, "action", "seq"),
        Index(None, "at"),
        Index(
            "ix_audit_events_views",
            "subject_id",
            # Always the same here; with it SQLite never prefers the index of actions.
            "action",
            "actor_id",
            "at",
            sqlite_where=_IS_VIEW,
            postgresql_where=_IS_VIEW,
        ),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True
    )
    id: Mapped[UUID] = mapped_column(unique=True)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor_id: Mapped[UUID | None]
    action: Mapped[str] = mapped_column(String(64))
    subject_kind: Mapped[str | None] = mapped_column(String(32))
    subject_id: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16), default="ok")
    details: Mapped[dict[str, Any] | None] = mapped_column(
        EncryptedJSON("audit_events.details")
    )
    mac: Mapped[bytes | None] = mapped_column(LargeBinary(32))

    def __init__(self, **values: Any) -> None:
        values.setdefault("id", uuid4())
        super().__init__(**values)


# The condition of the partial index, for queries: SQLite matches it by its text.
IS_VIEW = AuditEvent.action == literal_column("'image.view'")
