"""Bytes that an account uses, exact under concurrency."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import case, func, literal, select, update
from sqlalchemy.orm import Session

from app.domain.limits import Usage, after_reserving
from app.errors import NotFound
from app.models import User


class Quota:
    """Counts in the transaction that stores or destroys; one UPDATE decides and counts.

    ``default`` in bytes is for accounts without a limit of their own; None: no limit.
    """

    def __init__(self, default: int | None) -> None:
        self._default = default

    def usage(self, session: Session, user_id: UUID) -> Usage:
        """What the account uses now; ``NotFound`` when there is none."""
        row = session.execute(
            select(User.quota_used, User.quota_limit).where(User.id == user_id)
        ).first()
        if row is None:
            raise NotFound("There is no such account.", operation="quota.usage")
        return self.of(row.quota_used, row.quota_limit)

    def of(self, used: int, limit: int | None) -> Usage:
        """The usage that a row of ``users`` tells."""
        return Usage(used, self._default if limit is None else limit)

    def reserve(self, session: Session, user_id: UUID, size: int) -> None:
        """Count ``size`` bytes more; ``QuotaExceeded`` when they do not fit."""
        limit = func.coalesce(User.quota_limit, literal(self._default))
        fits = limit.is_(None) | (User.quota_used + size <= limit)
        done = session.execute(
            update(User)
            .where(User.id == user_id, fits)
            .values(quota_used=User.quota_used + size)
            .returning(User.id)
            .execution_options(synchronize_session=False)
        ).first()
        if done is None:
            after_reserving(self.usage(session, user_id), size)

    def release(self, session: Session, user_id: UUID, size: int) -> None:
        """Count ``size`` bytes less, never below nothing."""
        left = case((User.quota_used > size, User.quota_used - size), else_=0)
        session.execute(
            update(User)
            .where(User.id == user_id)
            .values(quota_used=left)
            .execution_options(synchronize_session=False)
        )
