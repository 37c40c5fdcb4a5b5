"""The label schema of a collection: its version, what it was before, what is counted."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now

TOKEN_BYTES = 8


class LabelSchema(HasId, Base):
    """Beside a collection: ``version`` rises with every change of its classes.

    ``tallies`` is {class id in hex: [annotations, pictures]}, kept in the transactions that
    change annotations, so that counting decrypts nothing else; sealed, so that it tells
    nobody else how many there are. ``is_indexed``: `LabelToken` rows are kept.
    """

    __tablename__ = "label_schemas"
    __table_args__ = (Index("uq_label_schemas_collection_id", "collection_id", unique=True),)

    collection_id: Mapped[UUID] = mapped_column(
        references("collections.id", on_delete="CASCADE")
    )
    version: Mapped[int] = mapped_column(default=1)
    is_indexed: Mapped[bool] = mapped_column(default=False)
    tallies: Mapped[dict[str, Any] | None] = mapped_column(
        EncryptedJSON("label_schemas.tallies")
    )


class LabelSchemaVersion(HasId, Base):
    """What changed at ``at``: ``body`` is {classes, change}.

    ``classes`` are those that the change touched, as they are after it: what all of them were
    at a version is told by the latest entry of each up to there.
    """

    __tablename__ = "label_schema_versions"
    __table_args__ = (
        Index("uq_label_schema_versions_version", "collection_id", "version", unique=True),
    )

    collection_id: Mapped[UUID] = mapped_column(
        references("collections.id", on_delete="CASCADE")
    )
    version: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=utc_now)
    actor_id: Mapped[UUID | None] = mapped_column(references("users.id", on_delete="SET NULL"))
    body: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON("label_schema_versions.body"))


class LabelToken(Base):
    """A picture has an annotation of the class behind this token (HMAC, root key ``blind``).

    Kept only where the collection's owner switched it on: whoever reads the database learns
    which pictures share a class, and how many do, but not which class.
    """

    __tablename__ = "label_tokens"
    __table_args__ = (Index(None, "image_id"),)

    collection_id: Mapped[UUID] = mapped_column(
        references("collections.id", on_delete="CASCADE"), primary_key=True
    )
    token: Mapped[bytes] = mapped_column(LargeBinary(TOKEN_BYTES), primary_key=True)
    image_id: Mapped[UUID] = mapped_column(
        references("images.id", on_delete="CASCADE"), primary_key=True
    )
