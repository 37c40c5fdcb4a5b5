"""Images (and clips): the row beside the sealed blobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, LargeBinary, String, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Base, HasId, one_of, references
from app.db.encrypted_types import EncryptedJSON
from app.db.times import utc_now

IMAGE_KINDS = ("image", "video")
IMAGE_STATUSES = ("uploading", "processing", "ready", "error", "quarantined", "destroyed")
ANNOTATION_STATES = ("new", "in_progress", "done", "skipped", "rejected", "accepted")


def _where(name: str, condition: str, *columns: str, unique: bool = False) -> Index:
    """A partial index. SQLite uses it only for a query that has ``condition`` as it stands
    here: IS NULL tests, or :data:`NOT_DESTROYED`, never a bound parameter.
    """
    clause = text(condition)
    return Index(name, *columns, unique=unique, sqlite_where=clause, postgresql_where=clause)


_LIVE = "trashed_at IS NULL"
_KEPT_UNTIL = "expires_at IS NOT NULL AND trashed_at IS NULL"


class Image(HasId, Base):
    """One picture.

    ``sort_at`` is the upload time, or the capture time where the collection's owner chose
    that time line. Lists page by key: ``(sort_at, id)``, ``(size, id)``, ``(trashed_at, id)``;
    every list of live images says ``trashed_at IS NULL`` (:data:`LIVE`). From ``expires_at``
    on a picture counts as trashed, also before the row says so. ``card`` is
    {name, width, height, placeholder}: a gallery page opens one token an image. ``meta`` is
    EXIF, checksums, description, where it came from. ``provenance`` says whether the bytes were
    under authenticated encryption ever since they left their maker's hands, as far as known.
    """

    __tablename__ = "images"
    __table_args__ = (
        one_of("kind", IMAGE_KINDS),
        one_of("status", IMAGE_STATUSES),
        one_of("annotation_state", ANNOTATION_STATES),
        _where("ix_images_timeline", _LIVE, "collection_id", "sort_at", "id"),
        _where("ix_images_status", _LIVE, "collection_id", "status", "sort_at", "id"),
        _where("ix_images_state", _LIVE, "collection_id", "annotation_state", "sort_at", "id"),
        _where("ix_images_kind", _LIVE, "collection_id", "kind", "sort_at", "id"),
        _where("ix_images_size", _LIVE, "collection_id", "size", "id"),
        _where(
            "ix_images_trash", "trashed_at IS NOT NULL", "collection_id", "trashed_at", "id"
        ),
        _where("ix_images_destroy_at", "destroy_at IS NOT NULL", "destroy_at"),
        _where("ix_images_expires_at", _KEPT_UNTIL, "expires_at"),
        _where("ix_images_expiring", _KEPT_UNTIL, "collection_id", "expires_at", "id"),
        _where("ix_images_destroyed", "status = 'destroyed'", "id"),
        _where("ix_images_unverified", "provenance <> 'sealed'", "provenance", "id"),
        _where("ix_images_quarantined", "status = 'quarantined'", "id"),
        _where(
            "uq_images_dedupe", "status <> 'destroyed'", "collection_id", "dedupe", unique=True
        ),
        Index(None, "uploader_id"),
    )

    collection_id: Mapped[UUID] = mapped_column(references("collections.id"))
    uploader_id: Mapped[UUID | None] = mapped_column(
        references("users.id", on_delete="SET NULL")
    )
    store_slug: Mapped[str] = mapped_column(String(64))
    stored_name: Mapped[str] = mapped_column(String(128), unique=True)
    kind: Mapped[str] = mapped_column(String(16), default="image")
    mime_type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)  # bytes in clear
    enc_size: Mapped[int] = mapped_column(BigInteger)  # bytes of the blob
    status: Mapped[str] = mapped_column(String(16), default="processing")
    trashed_at: Mapped[datetime | None]
    destroy_at: Mapped[datetime | None]
    sort_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    is_public: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime | None]
    annotation_state: Mapped[str] = mapped_column(String(16), default="new")
    annotation_rev: Mapped[int] = mapped_column(default=0)
    annotation_count: Mapped[int] = mapped_column(default=0)
    content_rev: Mapped[int] = mapped_column(default=0)
    link_epoch: Mapped[int] = mapped_column(default=0)
    dedupe: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    card: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("images.card"))
    meta: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON("images.meta"))
    provenance: Mapped[str] = mapped_column(
        String(32), default="sealed", server_default=text("'sealed'")
    )


# The conditions of the partial indexes, for queries: SQLite matches them by their text.
LIVE = Image.trashed_at.is_(None)
NOT_DESTROYED = Image.status != literal_column("'destroyed'")
MARKED_DESTROYED = Image.status == literal_column("'destroyed'")
