"""What an imported document said that Darkroom has no field for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now


class ExchangeNote(HasId, Base):
    """Unknown fields, foreign ids and orders of one format: of the whole document where
    ``image_id`` is None, else of one picture and its annotations, by their ids.

    An export in the same format puts them back.
    """

    __tablename__ = "exchange_notes"
    __table_args__ = (
        Index(None, "collection_id", "format", "image_id"),
        Index(None, "image_id"),
    )

    collection_id: Mapped[UUID] = mapped_column(
        references("collections.id", on_delete="CASCADE")
    )
    image_id: Mapped[UUID | None] = mapped_column(references("images.id", on_delete="CASCADE"))
    format: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    body: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("exchange_notes.body"))
