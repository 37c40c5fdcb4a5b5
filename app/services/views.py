"""Who has seen a picture: told from the audit log, to whom it concerns.

Seen means: its page or its editor was opened. What media requests hand out (thumbnails of a
list, files fetched by a program) is not recorded, since they write nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import Select, func, select

from app.db.times import utc_now
from app.domain.access import Action, Actor, ImageFacts, allows
from app.errors import DatabaseUnavailable, StoreFull
from app.models import AuditEvent, User
from app.models.audit_event import IS_VIEW
from app.services.audit import AuditLog, Subject
from app.services.picture_detail import name_in

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

ACTION: Final = "image.view"
#: Whoever looks again within this time is not recorded again: looking writes little.
ONCE_IN: Final = timedelta(days=1)
MOST: Final = 8


@dataclass(frozen=True, slots=True)
class View:
    """Somebody, and when they last looked; ``name`` None: it does not open."""

    name: str | None
    at: datetime


class Views:
    """Writes to the audit log and reads from it."""

    def __init__(
        self, uow: UnitOfWork, audit: AuditLog, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._uow = uow
        self._audit = audit
        self._clock = clock

    def note(self, actor: Actor, image_id: UUID) -> None:
        """Record that ``actor``, who may, looks at the picture now.

        Not being able to write now keeps nobody from looking.
        """
        since = self._clock() - ONCE_IN
        recent = recent_views(image_id, actor.user_id, since)
        with self._uow.read_rows() as connection:
            if connection.execute(recent.limit(1)).first() is not None:
                return
        with suppress(DatabaseUnavailable, StoreFull), self._uow.write() as session:
            self._audit.append(session, ACTION, actor=actor, subject=Subject("image", image_id))

    def of(self, actor: Actor, image_id: UUID, facts: ImageFacts) -> tuple[View, ...]:
        """The last who looked, latest first; nothing for whom it does not concern."""
        if not allows(actor, Action.SEE_VIEWS, facts):
            return ()
        with self._uow.read_rows() as connection:
            rows = connection.execute(last_views(image_id)).all()
        return tuple(View(name_in(row), row.latest) for row in rows)


def recent_views(
    image_id: UUID, user_id: UUID | None, since: datetime
) -> Select[*tuple[Any, ...]]:
    """The views of one account since then."""
    own = AuditEvent.actor_id == user_id
    return _views_of(image_id).where(own, AuditEvent.at > since)


def last_views(image_id: UUID) -> Select[*tuple[Any, ...]]:
    """The accounts that looked, each with its name and its last look, latest first."""
    latest = func.max(AuditEvent.at).label("latest")
    return (
        _views_of(image_id)
        .join(User, User.id == AuditEvent.actor_id)
        .with_only_columns(User.id, User.name, latest)
        .group_by(User.id)
        .order_by(latest.desc())
        .limit(MOST)
    )


def _views_of(image_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(AuditEvent.actor_id).where(AuditEvent.subject_id == str(image_id), IS_VIEW)
