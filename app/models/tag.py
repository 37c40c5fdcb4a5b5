"""Tags of a collection, and which image has which."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedString


class Tag(HasId, Base):
    """A tag; found by opening the collection's short list."""

    __tablename__ = "tags"
    __table_args__ = (Index(None, "collection_id"),)

    collection_id: Mapped[UUID] = mapped_column(
        references("collections.id", on_delete="CASCADE")
    )
    name: Mapped[str] = mapped_column(EncryptedString("tags.name"))


class ImageTag(Base):
    """An image has a tag.

    ``sort_at`` repeats the image's (whoever changes that one changes this one too): a page
    of a tag is then one walk along an index, however many images have it.
    """

    __tablename__ = "image_tags"
    __table_args__ = (Index("ix_image_tags_timeline", "tag_id", "sort_at", "image_id"),)

    image_id: Mapped[UUID] = mapped_column(
        references("images.id", on_delete="CASCADE"), primary_key=True
    )
    tag_id: Mapped[UUID] = mapped_column(
        references("tags.id", on_delete="CASCADE"), primary_key=True
    )
    sort_at: Mapped[datetime]
