"""Every change of the annotations of a picture, in order, never changed afterwards."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now


class AnnotationOp(HasId, Base):
    """One operation: ``id`` is made by who sent it, so that one sent twice is done once.

    ``seq`` is the revision of the set after it; several operations of one save share it and
    stand in ``place``. ``body`` is {before, after}: the annotation as JSON, None for none.
    """

    __tablename__ = "annotation_ops"
    __table_args__ = (Index(None, "image_id", "seq", "place"),)

    image_id: Mapped[UUID] = mapped_column(references("images.id", on_delete="CASCADE"))
    seq: Mapped[int]
    place: Mapped[int] = mapped_column(default=0)
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor_id: Mapped[UUID | None] = mapped_column(references("users.id", on_delete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(16))
    annotation_id: Mapped[UUID | None]
    body: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("annotation_ops.body"))
