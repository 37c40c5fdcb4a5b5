"""The time of a picture: past ``expires_at`` it is in the trash for everybody.

That holds from the moment itself. The row follows within a minute (``Trash.expire``); until
then these conditions find what is past its time, each along an index of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from app.models import Image
from app.models.image import LIVE, NOT_DESTROYED


def unexpired(now: datetime) -> ColumnElement[bool]:
    """What has no end, or has not come to it."""
    return or_(Image.expires_at.is_(None), Image.expires_at > now)


def run_out(now: datetime) -> ColumnElement[bool]:
    """What is past its time while its row is not in the trash yet."""
    return and_(Image.expires_at.is_not(None), Image.expires_at <= now, LIVE, NOT_DESTROYED)


def run_out_moments(
    session: Session, collections: Sequence[UUID], now: datetime
) -> Sequence[datetime]:
    """The ``sort_at`` of what the counters of these collections still count."""
    return session.scalars(
        select(Image.sort_at).where(Image.collection_id.in_(collections), run_out(now))
    ).all()
