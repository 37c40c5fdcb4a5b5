"""Jobs as their page shows them; see app/templates/README.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.db.times import utc_now
from app.services.exchange.catalogue import formats
from app.services.exchange.export_jobs import EXPORT
from app.services.exchange.import_jobs import APPLY, EXAMINE
from app.services.job_view import JobView
from app.web.job_words import error_words

EXCHANGES = frozenset({EXAMINE, APPLY, EXPORT})


@dataclass(frozen=True, slots=True)
class JobRow:
    """``again_at``: when what went wrong is tried again; None: not to be tried. ``report_of``:
    the collection at whose page its report stands; ``about``: what it tells apart from others
    of its kind."""

    id: UUID
    label: str
    state: str
    stopping: bool
    done: int
    total: int | None
    error: str | None
    again_at: datetime | None
    file_bytes: int | None
    created_at: datetime
    finished_at: datetime | None
    is_open: bool
    report_of: str | None = None
    about: str | None = None


def job_row(job: JobView) -> JobRow:
    """Return one line of the page."""
    waits = job.state == "waiting" and job.error is not None
    return JobRow(
        id=job.id,
        label=job.label,
        state=job.state,
        stopping=job.is_open and job.stop_requested,
        done=job.done,
        total=job.total,
        error=error_words(job.error) if job.state == "failed" or waits else None,
        again_at=max(job.run_at, utc_now()) if waits else None,
        file_bytes=job.result_size if job.has_file else None,
        created_at=job.created_at,
        finished_at=job.finished_at,
        is_open=job.is_open,
        report_of=_report_of(job),
        about=_about(job),
    )


def _report_of(job: JobView) -> str | None:
    told = (job.result or {}).get("collection") if job.kind in EXCHANGES else None
    return told if isinstance(told, str) else None


def _about(job: JobView) -> str | None:
    """The format of a data set, as people call it."""
    told = (job.result or {}).get("format") if job.kind in EXCHANGES else None
    known = formats().get(str(told))
    return known.WORDS if known is not None else None
