"""What the installation did for its own upkeep: rotations, verifications, backups, drills."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, one_of
from app.db.times import utc_now

RUN_KINDS = (
    "rotation",
    "rewrap",
    "rekey",
    "vault_move",
    "root_rotation",
    "kek_rotation",
    "verify",
    "scrub",
    "reconcile",
    "heal",
    "backup",
    "drill",
    "restore",
    "rebuild",
    "migration",
)
RUN_STATES = ("running", "done", "failed", "stopped")


class MaintenanceRun(HasId, Base):
    """One run, finished or not. ``cursor`` is where a run that was cut short goes on.

    ``found`` = ``done`` + ``failed`` + ``remaining``. ``figures`` are counts in clear: no
    name, no path, nothing of a picture.
    """

    __tablename__ = "maintenance_runs"
    __table_args__ = (
        one_of("kind", RUN_KINDS),
        one_of("state", RUN_STATES),
        Index(None, "kind", "started_at"),
    )

    kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), default="running")
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    cursor: Mapped[str | None] = mapped_column(String(128))
    found: Mapped[int] = mapped_column(BigInteger, default=0)
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    failed: Mapped[int] = mapped_column(BigInteger, default=0)
    remaining: Mapped[int] = mapped_column(BigInteger, default=0)
    figures: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
