"""One image as every list shows it: a row's clear columns and its one sealed token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.domain.states import trashed_since
from app.models import Image


@dataclass(frozen=True, slots=True)
class ImageCard:
    """One image in a list; ``width`` and ``height`` in pixels, ``size`` in bytes.

    ``name`` is None where the sealed card does not open: the image is still listed.
    """

    id: UUID
    collection_id: UUID
    name: str | None
    width: int
    height: int
    placeholder: str | None
    size: int
    mime_type: str
    kind: str
    status: str
    state: str
    annotation_count: int
    sort_at: datetime
    created_at: datetime
    updated_at: datetime
    trashed_at: datetime | None
    destroy_at: datetime | None
    is_public: bool
    expires_at: datetime | None
    link_epoch: int


COLUMNS = (
    Image.id,
    Image.collection_id,
    Image.card,
    Image.size,
    Image.mime_type,
    Image.kind,
    Image.status,
    Image.annotation_state,
    Image.annotation_count,
    Image.sort_at,
    Image.created_at,
    Image.updated_at,
    Image.trashed_at,
    Image.destroy_at,
    Image.is_public,
    Image.expires_at,
    Image.link_epoch,
)


def card_of(row: Row[Any], now: datetime) -> ImageCard:
    """Open the one token of a row; a damaged one spares the others of the page."""
    trashed_at = trashed_since(row.trashed_at, row.expires_at, now)
    card = row.card.told(row.id, {}) if row.card is not None else {}
    return ImageCard(
        id=row.id,
        collection_id=row.collection_id,
        name=card.get("name"),
        width=card.get("width") or 4,
        height=card.get("height") or 3,
        placeholder=card.get("placeholder"),
        size=row.size,
        mime_type=row.mime_type,
        kind=row.kind,
        status="trashed" if trashed_at else row.status,
        state=row.annotation_state,
        annotation_count=row.annotation_count,
        sort_at=row.sort_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        trashed_at=trashed_at,
        destroy_at=row.destroy_at,
        is_public=row.is_public,
        expires_at=row.expires_at,
        link_epoch=row.link_epoch,
    )
