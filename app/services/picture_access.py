"""A picture as a change of its tags or boxes needs it, and the caller's role there.

``image_access`` is the other SELECT about a picture: the one that serving its bytes makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, bindparam, select
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.domain.access import Action, Actor, ImageFacts, Role, require
from app.domain.states import AnnotationState, shown_status, trashed_since
from app.errors import NotFound
from app.models import Collection, CollectionMember, Image, LabelSchema
from app.services.schema_rows import FIRST_VERSION


@dataclass(frozen=True, slots=True)
class PictureAccess:
    """``schema``: the version of the collection's labels."""

    id: UUID
    collection_id: UUID
    sort_at: datetime
    facts: ImageFacts
    labels_closed: bool
    annotation_rev: int
    annotation_state: AnnotationState
    annotation_count: int
    schema: int


#: Put together once: that takes longer than to run it, and every request asks.
_ANY: Final = (
    select(
        Image.id,
        Image.collection_id,
        Image.uploader_id,
        Image.status,
        Image.trashed_at,
        Image.expires_at,
        Image.is_public,
        Image.sort_at,
        Image.annotation_rev,
        Image.annotation_state,
        Image.annotation_count,
        Collection.labels_closed,
        CollectionMember.role,
        LabelSchema.version,
    )
    .join(Collection, Collection.id == Image.collection_id)
    .outerjoin(
        CollectionMember,
        and_(
            CollectionMember.collection_id == Image.collection_id,
            CollectionMember.user_id == bindparam("user_id"),
        ),
    )
    .outerjoin(LabelSchema, LabelSchema.collection_id == Image.collection_id)
)
_PICTURE: Final = _ANY.where(Image.id == bindparam("image_id"))
_PICTURES: Final = _ANY.where(Image.id.in_(bindparam("image_ids", expanding=True)))


def find_picture(
    source: Session | Connection, actor: Actor, image_id: UUID
) -> PictureAccess | None:
    """The picture with this id, whether or not the caller may see it."""
    told = {"image_id": image_id, "user_id": actor.user_id}
    row: Any = source.execute(_PICTURE, told).first()
    return _picture(row) if row is not None else None


def find_pictures(
    source: Session | Connection, actor: Actor, image_ids: Sequence[UUID]
) -> dict[UUID, PictureAccess]:
    """As `find_picture`, for at most some thousands."""
    told = {"image_ids": list(image_ids), "user_id": actor.user_id}
    rows: Any = source.execute(_PICTURES, told)
    return {row.id: _picture(row) for row in rows}


def require_picture(
    source: Session | Connection, actor: Actor, action: Action, image_id: UUID
) -> PictureAccess:
    """The picture, if the caller may do ``action`` with it; else as ``access.require``."""
    found = find_picture(source, actor, image_id)
    require(actor, action, found.facts if found else None)
    if found is None:
        raise NotFound("There is nothing here.", operation="image.find")
    return found


def _picture(row: Any) -> PictureAccess:
    trashed = trashed_since(row.trashed_at, row.expires_at, utc_now())
    return PictureAccess(
        id=row.id,
        collection_id=row.collection_id,
        sort_at=row.sort_at,
        facts=ImageFacts(
            role=Role.of(row.role),
            owner_id=row.uploader_id,
            status=shown_status(row.status, trashed=trashed is not None),
            is_public=row.is_public,
        ),
        labels_closed=row.labels_closed,
        annotation_rev=row.annotation_rev,
        annotation_state=AnnotationState(row.annotation_state),
        annotation_count=row.annotation_count,
        schema=row.version or FIRST_VERSION,
    )
