"""Alerts: the conditions that hold now, and the messages about them that are on their way."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, one_of
from app.db.times import utc_now

CHANNELS = ("webhook", "email")
EVENTS = ("raised", "cleared")
_UNSENT = text("sent_at IS NULL")


class Alert(Base):
    """A condition that holds; the row goes when it holds no more. ``detail`` is the sentence
    of the last look, with figures and nothing of a person or a picture."""

    __tablename__ = "alerts"

    condition: Mapped[str] = mapped_column(String(32), primary_key=True)
    detail: Mapped[str] = mapped_column(String(300))
    raised_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_at: Mapped[datetime] = mapped_column(default=utc_now)


class AlertMessage(HasId, Base):
    """One message to one place; kept until it was sent, or given up after ``tries``."""

    __tablename__ = "alert_messages"
    __table_args__ = (
        one_of("channel", CHANNELS),
        one_of("event", EVENTS),
        Index(
            "ix_alert_messages_due", "due_at", sqlite_where=_UNSENT, postgresql_where=_UNSENT
        ),
        Index(None, "at"),
    )

    channel: Mapped[str] = mapped_column(String(16))
    event: Mapped[str] = mapped_column(String(16))
    condition: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]


UNSENT = AlertMessage.sent_at.is_(None)
