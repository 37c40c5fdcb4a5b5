"""Annotations: labelled boxes in an image."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.codecs import Box
from app.db.encrypted_types import EncryptedBox, EncryptedJSON, EncryptedString
from app.db.times import utc_now


class Annotation(HasId, Base):
    """One of a picture: ``label`` is the class's id in hex, ``box`` is (x, y, width, height).

    ``shape`` is what `app.domain.shape_document` tells of anything but a plain box; ``box`` is
    then what is around it. ``position`` is the order in which they lie on each other.
    """

    __tablename__ = "annotations"
    __table_args__ = (Index(None, "image_id", "position"),)

    image_id: Mapped[UUID] = mapped_column(references("images.id", on_delete="CASCADE"))
    rev: Mapped[int] = mapped_column(default=1)
    label: Mapped[str] = mapped_column(EncryptedString("annotations.label"))
    box: Mapped[Box] = mapped_column(EncryptedBox("annotations.box"))
    frame: Mapped[int | None]
    attributes: Mapped[dict[str, Any] | None] = mapped_column(
        EncryptedJSON("annotations.attributes")
    )
    position: Mapped[int] = mapped_column(default=0)
    author_id: Mapped[UUID | None] = mapped_column(references("users.id", on_delete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    shape: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("annotations.shape"))
