"""Label classes of a collection."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now


class LabelClass(HasId, Base):
    """A class with a stable id; ``body`` is {name, colour, hotkey, attributes (typed), number,
    aliases, merged_into, deleted}. A row is never removed before its collection is."""

    __tablename__ = "label_classes"
    __table_args__ = (Index(None, "collection_id", "position"),)

    collection_id: Mapped[UUID] = mapped_column(
        references("collections.id", on_delete="CASCADE")
    )
    position: Mapped[int] = mapped_column(default=0)
    body: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("label_classes.body"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deprecated_at: Mapped[datetime | None]
