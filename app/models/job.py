"""Jobs: work that goes on after the answer. The row decides, the queue only carries its id."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, one_of, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now

JOB_STATES = ("waiting", "running", "done", "failed", "stopped")
_OPEN = text("state IN ('waiting', 'running')")
# The 16-byte version of the root key, and the wrapped key (RFC 5649: 32 + 8 bytes).
WRAPPED_BYTES = 56


class Job(HasId, Base):
    """One piece of work; ``owner_id`` is None for what the installation does for itself.

    ``purpose`` is one of a kind among the open jobs, so that periodic work is never queued
    twice; ``again``: it was asked for once more while it ran, and waits anew when it ends.
    A worker claims a row by compare and swap and extends ``lease_until`` while it
    works; a lease that ran out lets the next worker take the job. ``done`` of ``total`` (None:
    not known yet) is the progress. ``params`` and ``result`` are bound to the row;
    ``wrapped_dek`` is the key of the sealed result file (role 07), wrapped (RFC 5649) under
    the root key ``transient``, with that key's version before it.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", JOB_STATES),
        Index(
            "uq_jobs_purpose",
            "purpose",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
        Index(None, "state", "run_at"),
        Index(None, "owner_id", "created_at", "id"),
        Index(None, "finished_at"),
    )

    owner_id: Mapped[UUID | None] = mapped_column(references("users.id", on_delete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(64))
    purpose: Mapped[str | None] = mapped_column(String(128))
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    params: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("jobs.params"))
    result: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("jobs.result"))
    error: Mapped[str | None] = mapped_column(String(64))  # a code of the error tree
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int | None] = mapped_column(BigInteger)
    stop_requested: Mapped[bool] = mapped_column(default=False)
    again: Mapped[bool] = mapped_column(default=False)
    tries: Mapped[int] = mapped_column(default=0)
    run_at: Mapped[datetime] = mapped_column(default=utc_now)
    lease_until: Mapped[datetime | None]
    lease_token: Mapped[str | None] = mapped_column(String(64))
    wrapped_dek: Mapped[bytes | None] = mapped_column(LargeBinary(WRAPPED_BYTES))
    result_size: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
