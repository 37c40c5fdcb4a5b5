"""Rounds in which several people label the same pictures without seeing each other's work."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, one_of, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now
from app.domain.blind_copies import COPY_STATES


class AgreementRound(HasId, Base):
    """``body`` is {name, iou}: the least overlap at which two boxes are the same thing."""

    __tablename__ = "agreement_rounds"
    __table_args__ = (Index(None, "collection_id", "created_at"),)

    collection_id: Mapped[UUID] = mapped_column(
        references("collections.id", on_delete="CASCADE")
    )
    created_by: Mapped[UUID | None] = mapped_column(
        references("users.id", on_delete="SET NULL")
    )
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    closed_at: Mapped[datetime | None]
    body: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("agreement_rounds.body"))


class AgreementCopy(HasId, Base):
    """One person's own set of one picture; ``body`` is {annotations}, as the API tells them.

    ``skipped``: the round goes on without it. It is kept as it was, and not counted.
    """

    __tablename__ = "agreement_copies"
    __table_args__ = (
        one_of("state", COPY_STATES),
        Index(
            "uq_agreement_copies_person", "round_id", "image_id", "annotator_id", unique=True
        ),
        Index(None, "image_id"),
        Index(None, "annotator_id", "state"),
    )

    round_id: Mapped[UUID] = mapped_column(
        references("agreement_rounds.id", on_delete="CASCADE")
    )
    image_id: Mapped[UUID] = mapped_column(references("images.id", on_delete="CASCADE"))
    annotator_id: Mapped[UUID] = mapped_column(references("users.id", on_delete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16), default="new")
    rev: Mapped[int] = mapped_column(default=0)
    submitted_at: Mapped[datetime | None]
    adjudicated_at: Mapped[datetime | None]
    adjudicated_by: Mapped[UUID | None] = mapped_column(
        references("users.id", on_delete="SET NULL")
    )
    body: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("agreement_copies.body"))
