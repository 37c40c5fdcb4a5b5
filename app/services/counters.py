"""Counts that pages show, kept in the transaction that changes what they count."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.models import Collection, MonthCount


def month_of(moment: datetime) -> str:
    """Return the month under which a time line shows a picture, such as ``2026-11``."""
    return f"{moment.year:04}-{moment.month:02}"


def count_image(session: Session, collection_id: UUID, sort_at: datetime, step: int) -> None:
    """Add ``step`` (1 or -1) live images to a collection and to the month."""
    session.execute(
        update(Collection)
        .where(Collection.id == collection_id)
        .values(image_count=Collection.image_count + step)
    )
    dialect = session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    row = insert(MonthCount).values(
        collection_id=collection_id, month=month_of(sort_at), count=step
    )
    session.execute(
        row.on_conflict_do_update(
            index_elements=["collection_id", "month"],
            set_={"count": MonthCount.count + step},
        )
    )
