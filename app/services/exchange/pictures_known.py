"""The pictures of a collection as names in a data set may mean them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import select

from app.db.times import utc_now
from app.models.image import LIVE, NOT_DESTROYED, Image
from app.services.expiry import unexpired

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Known:
    """``width`` and ``height`` as it is shown; 0 where its card does not open."""

    id: UUID
    name: str
    width: int
    height: int
    mime_type: str
    state: str
    status: str
    annotations: int
    size: int
    sort_at: datetime


def pictures_of(uow: UnitOfWork, collection_id: UUID) -> Iterator[Known]:
    """Every picture that is not in the trash, by id, a page at a time."""
    after = UUID(int=0)
    while rows := _page(uow, collection_id, after):
        yield from map(_known, rows)
        after = rows[-1].id


def picture_with(uow: UnitOfWork, image_id: UUID) -> Known | None:
    """One picture; None for one in the trash."""
    with uow.read_rows() as connection:
        row = connection.execute(
            select(*_COLUMNS)
            .where(Image.id == image_id, LIVE, NOT_DESTROYED)
            .where(unexpired(utc_now()))
        ).first()
    return _known(row) if row is not None else None


def _page(uow: UnitOfWork, collection_id: UUID, after: UUID) -> Any:
    chosen = (
        select(*_COLUMNS)
        .where(Image.collection_id == collection_id, LIVE, NOT_DESTROYED, Image.id > after)
        .where(unexpired(utc_now()))
        .order_by(Image.id)
        .limit(BATCH)
    )
    with uow.read_rows() as connection:
        return connection.execute(chosen).all()


def _known(row: Any) -> Known:
    card = row.card.told(row.id, {}) if row.card is not None else {}
    return Known(
        id=row.id,
        name=str(card.get("name") or ""),
        width=int(card.get("width") or 0),
        height=int(card.get("height") or 0),
        mime_type=row.mime_type,
        state=row.annotation_state,
        status=row.status,
        annotations=row.annotation_count,
        size=row.size,
        sort_at=row.sort_at,
    )


_COLUMNS: Final = (
    Image.id,
    Image.card,
    Image.mime_type,
    Image.annotation_state,
    Image.status,
    Image.annotation_count,
    Image.size,
    Image.sort_at,
)
