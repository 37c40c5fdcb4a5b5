"""The master keys that this installation had, each by its check value."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base
from app.db.times import utc_now


class FormerMaster(Base):
    """A master key that ``keys rewrap`` began to replace: no new key is wrapped under it.

    ``check_value`` is what HKDF gives for the purpose ``check``: it opens nothing.
    """

    __tablename__ = "former_masters"

    check_value: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    replaced_at: Mapped[datetime] = mapped_column(default=utc_now)
