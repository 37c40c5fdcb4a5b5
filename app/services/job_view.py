"""A job as its owner sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from app.jobs.registry import Registry
from app.models import Job
from app.services.job_results import FILE

ENDED = frozenset({"done", "failed", "stopped"})
COLUMNS = (
    Job.id,
    Job.kind,
    Job.state,
    Job.error,
    Job.result,
    Job.done,
    Job.total,
    Job.stop_requested,
    Job.tries,
    Job.run_at,
    Job.result_size,
    Job.created_at,
    Job.started_at,
    Job.finished_at,
)


@dataclass(frozen=True, slots=True)
class JobView:
    """``error`` is a code of the error tree; sizes are bytes, ``total`` None: not known."""

    id: UUID
    kind: str
    label: str
    state: str
    error: str | None
    result: Mapping[str, Any] | None
    done: int
    total: int | None
    stop_requested: bool
    tries: int
    run_at: datetime
    result_size: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_open(self) -> bool:
        return self.state not in ENDED

    @property
    def has_file(self) -> bool:
        return self.state == "done" and bool(self.result and FILE in self.result)


@dataclass(frozen=True, slots=True)
class JobPage:
    """Newest first; ``next_cursor`` None: there are no more."""

    jobs: tuple[JobView, ...]
    next_cursor: str | None


def job_view(row: Row[Any], registry: Registry) -> JobView:
    """A row of ``COLUMNS``; a kind that this release does not know keeps its name."""
    kind = registry.get(row.kind)
    return JobView(
        id=row.id,
        kind=row.kind,
        label=kind.label if kind else row.kind,
        state=row.state,
        error=row.error,
        result=row.result.told(row.id, None) if row.result is not None else None,
        done=row.done,
        total=row.total,
        stop_requested=row.stop_requested,
        tries=row.tries,
        run_at=row.run_at,
        result_size=row.result_size,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
