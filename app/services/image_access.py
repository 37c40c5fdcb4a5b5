"""The one SELECT that a media request makes about an image: access, place, floor, keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, bindparam, literal_column, or_, select
from sqlalchemy.orm import QueryableAttribute, Session

from app.db.field_cipher import Sealed
from app.db.times import utc_now
from app.domain.access import Actor, ImageFacts, Role
from app.domain.states import shown_status, trashed_since
from app.models import Collection, CollectionMember, FileKey, Image
from app.storage.encrypted_store import Floor
from app.storage.object_paths import ObjectPath, StoredName

READABLE = ("pending", "active", "retiring")
"""Key states in which a blob may be read (store-format.md, section 1)."""


@dataclass(frozen=True, slots=True)
class ImageAccess:
    """An image as a decision and a read need it; ``size`` in bytes of plaintext.

    ``facts`` hold no longer than until ``expires_at``; from ``key_due_at`` on the file is to
    get a new key.
    """

    id: UUID
    collection_id: UUID
    slug: str
    uploader_id: UUID | None
    facts: ImageFacts
    path: ObjectPath
    kind: str
    mime_type: str
    size: int
    content_rev: int
    link_epoch: int
    floor: Floor
    sealed_card: Sealed | None
    expires_at: datetime | None = None
    key_due_at: datetime | None = None

    @property
    def url(self) -> str:
        """The address of the original, at the collection in which the picture is now."""
        return f"/dam/{self.slug}/{self.path.stored_name}.enc"

    @property
    def name(self) -> str:
        """The real filename, opened only when it is asked for."""
        card = self.sealed_card.told(self.id, {}) if self.sealed_card is not None else {}
        return str(card.get("name") or self.path.stored_name)


def image_by_id(
    connection: Session | Connection, actor: Actor, image_id: UUID
) -> ImageAccess | None:
    """Return the image as ``actor`` stands to it, or None if there is none."""
    return _load(connection, _BY_ID, actor, image_id)


def image_by_stored_name(
    connection: Session | Connection, actor: Actor, stored_name: str
) -> ImageAccess | None:
    """Return the image that was stored under this name."""
    return _load(connection, _BY_STORED_NAME, actor, stored_name)


def _statement(which: QueryableAttribute[Any]) -> Select[*tuple[Any, ...]]:
    """Built once: building it for every request would take four times as long as running it."""
    membership = and_(
        CollectionMember.collection_id == Image.collection_id,
        CollectionMember.user_id == bindparam("user_id"),
    )
    # Neither IN (SQLAlchemy would write its list into the SQL anew for every request) nor
    # parameters (SQLite plans a query anew when one that an OR depends on is bound: 70 us).
    readable = or_(*(FileKey.state == literal_column(f"'{state}'") for state in READABLE))
    keys = and_(FileKey.file_id == Image.id, readable)
    return (
        select(
            Image.id,
            Image.collection_id,
            Collection.slug,
            Image.uploader_id,
            Image.store_slug,
            Image.stored_name,
            Image.kind,
            Image.mime_type,
            Image.size,
            Image.status,
            Image.trashed_at,
            Image.expires_at,
            Image.is_public,
            Image.content_rev,
            Image.link_epoch,
            Image.card,
            CollectionMember.role,
            FileKey.generation,
            FileKey.version_id,
            FileKey.state.label("key_state"),
            FileKey.expires_at.label("key_expires_at"),
        )
        .select_from(Image)
        .join(Collection, Collection.id == Image.collection_id)
        .outerjoin(CollectionMember, membership)
        .outerjoin(FileKey, keys)
        .where(which == bindparam("wanted"))
    )


_BY_ID = _statement(Image.id)
_BY_STORED_NAME = _statement(Image.stored_name)


def _load(
    connection: Session | Connection,
    statement: Select[*tuple[Any, ...]],
    actor: Actor,
    wanted: object,
) -> ImageAccess | None:
    given = {"user_id": actor.user_id, "wanted": wanted}
    rows = connection.execute(statement, given).all()
    return _access(rows) if rows else None


def _access(rows: Sequence[Any]) -> ImageAccess:
    row = rows[0]
    trashed = trashed_since(row.trashed_at, row.expires_at, utc_now())
    return ImageAccess(
        id=row.id,
        collection_id=row.collection_id,
        slug=row.slug,
        uploader_id=row.uploader_id,
        facts=ImageFacts(
            role=Role.of(row.role),
            owner_id=row.uploader_id,
            status=shown_status(row.status, trashed=trashed is not None),
            is_public=row.is_public,
        ),
        path=ObjectPath(row.store_slug, row.id, StoredName.parse(row.stored_name)),
        kind=row.kind,
        mime_type=row.mime_type,
        size=row.size,
        content_rev=row.content_rev,
        link_epoch=row.link_epoch,
        floor=_floor(rows),
        sealed_card=row.card,
        expires_at=row.expires_at if trashed is None else None,
        key_due_at=_due_at(rows),
    )


def _due_at(rows: Sequence[Any]) -> datetime | None:
    return next((row.key_expires_at for row in rows if row.key_state == "active"), None)


def _floor(rows: Sequence[Any]) -> Floor:
    """The oldest state that may still be served: what lies below it was rolled back."""
    known = [row for row in rows if row.version_id is not None]
    return Floor(
        generation=min(
            (row.generation for row in known if row.key_state != "pending"), default=1
        ),
        content_rev=rows[0].content_rev,
        readable=frozenset(row.version_id for row in known),
    )
