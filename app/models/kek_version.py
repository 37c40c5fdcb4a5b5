"""Versions of key encryption keys that a newer one has replaced."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.db.times import utc_now


class KekVersion(Base):
    """``version`` is the vault's name for it. It is destroyed (``retired_at``) when nothing
    names it any more and whoever still used it had the time to finish.
    """

    __tablename__ = "kek_versions"

    kek: Mapped[str] = mapped_column(String(127), primary_key=True)
    version: Mapped[str] = mapped_column(String(127), primary_key=True)
    superseded_at: Mapped[datetime] = mapped_column(default=utc_now)
    retired_at: Mapped[datetime | None]
