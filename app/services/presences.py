"""Who has a picture open: noted while they ask for news, forgotten soon after."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, delete, select

from app.db.session import UnitOfWork
from app.errors import Conflict, DatabaseUnavailable, StoreFull
from app.models import Presence

log = logging.getLogger("darkroom.presence")
NOTE_EVERY: Final = timedelta(seconds=10)
"""A page asks every few seconds, and a note is a write."""
GONE_AFTER: Final = timedelta(seconds=45)
"""Three times what a page in a hidden tab leaves between two questions."""
FORGET_AFTER: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Open:
    """Somebody's tab in which the picture is open."""

    user_id: UUID
    tab: UUID
    seen_at: datetime


class Presences:
    """Notes and tells; a note that cannot be written is left out."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def there(self, source: Connection, image_id: UUID, now: datetime) -> tuple[Open, ...]:
        """The tabs in which the picture is open now."""
        rows: Any = source.execute(
            select(Presence.user_id, Presence.tab, Presence.seen_at)
            .where(Presence.image_id == image_id, Presence.seen_at > now - GONE_AFTER)
            .order_by(Presence.user_id, Presence.tab)
        )
        return tuple(Open(row.user_id, row.tab, row.seen_at) for row in rows)

    def note(self, image_id: UUID, user_id: UUID, tab: UUID, now: datetime) -> None:
        """Write that this tab is there, and forget who left long ago."""
        gone = delete(Presence).where(Presence.seen_at < now - FORGET_AFTER)
        try:
            with self._uow.write() as session:
                session.execute(gone.execution_options(synchronize_session=False))
                row = Presence(image_id=image_id, user_id=user_id, tab=tab, seen_at=now)
                session.merge(row)
        except (Conflict, DatabaseUnavailable, StoreFull) as error:
            # A conflict: the picture was destroyed, or the account removed, a moment ago.
            log.info("a presence was not noted", exc_info=error)
