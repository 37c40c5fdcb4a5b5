"""Jobs as the API tells them."""

from __future__ import annotations

from typing import Any

from app.services.job_results import FILE
from app.services.job_view import JobPage, JobView
from app.web.job_words import error_words
from app.web.receipt_json import rfc3339


def job_json(job: JobView) -> dict[str, Any]:
    """Return one job; ``result`` is what its kind tells when it is done."""
    told = {name: value for name, value in (job.result or {}).items() if name != FILE}
    return {
        "id": str(job.id),
        "kind": job.kind,
        "label": job.label,
        "state": job.state,
        "stopping": job.is_open and job.stop_requested,
        "progress": {"done": job.done, "total": job.total},
        "tries": job.tries,
        "error": _error(job),
        "result": told if job.result is not None else None,
        "result_url": f"/api/v1/jobs/{job.id}/result" if job.has_file else None,
        "result_size": job.result_size if job.has_file else None,
        "created_at": rfc3339(job.created_at),
        "run_at": rfc3339(job.run_at),
        "started_at": rfc3339(job.started_at),
        "finished_at": rfc3339(job.finished_at),
    }


def jobs_json(page: JobPage, limit: int) -> dict[str, Any]:
    """Return a page of one's jobs."""
    pagination = {"limit": limit, "total": None, "next_cursor": page.next_cursor}
    return {"jobs": [job_json(job) for job in page.jobs], "pagination": pagination}


def _error(job: JobView) -> dict[str, Any] | None:
    words = error_words(job.error)
    return {"code": job.error, "message": words} if words else None
