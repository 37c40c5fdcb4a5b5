"""The installation's own jobs, for administrators: kinds, states, counts; nobody's work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from app.domain.access import Action, Actor, require
from app.models import Job

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.db.session import UnitOfWork
    from app.jobs.registry import Registry


@dataclass(frozen=True, slots=True)
class LastRun:
    """``error`` is a code of the error tree; times are UTC."""

    state: str
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class KindOverview:
    """``every`` None: not periodic. ``counts``: jobs of all owners by their state."""

    kind: str
    label: str
    every: timedelta | None
    counts: Mapping[str, int]
    last: LastRun | None


class JobOverview:
    """Reads the rows without their parameters, results or owners."""

    def __init__(self, uow: UnitOfWork, registry: Registry) -> None:
        self._uow = uow
        self._registry = registry

    def kinds(self, actor: Actor) -> tuple[KindOverview, ...]:
        """Every kind, in the order of its name; ``last`` is of the installation's own."""
        require(actor, Action.SEE_SITE)
        counts = self._counts()
        last = self._last()
        return tuple(
            KindOverview(
                kind.name,
                kind.label,
                kind.every,
                counts.get(kind.name, {}),
                last.get(kind.name),
            )
            for kind in sorted(self._registry, key=lambda kind: kind.name)
        )

    def _counts(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        chosen = select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state)
        with self._uow.read_rows() as rows:
            for kind, state, count in rows.execute(chosen):
                found.setdefault(kind, {})[state] = count
        return found

    def _last(self) -> dict[str, LastRun]:
        chosen = (
            select(Job.kind, Job.state, Job.error, Job.created_at, Job.finished_at)
            .where(Job.owner_id.is_(None))
            .order_by(Job.created_at)
        )
        with self._uow.read_rows() as rows:
            return {row[0]: LastRun(*row[1:]) for row in rows.execute(chosen)}
