"""The page of one's jobs: how far they are, stopped, fetched, forgotten."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, current_app, request, url_for
from flask.typing import ResponseReturnValue

from app.web import pages
from app.web.context import services
from app.web.guards import PAGE, Gate, gate
from app.web.identity import actor
from app.web.job_result import send_result
from app.web.job_rows import job_row

blueprint = Blueprint("jobs", __name__)
PAGE_SIZE = 50
FILE = Gate("signed_in", "media")


@blueprint.get("/jobs")
@gate(PAGE)
def page() -> Response:
    """Newest first, fifty at a time."""
    found = services().jobs.list(
        actor(), limit=PAGE_SIZE, cursor=request.args.get("cursor") or None
    )
    onward = url_for("jobs.page", cursor=found.next_cursor) if found.next_cursor else None
    return pages.render(
        "jobs/page.html",
        jobs=[job_row(job) for job in found.jobs],
        next_url=onward,
        keep_days=current_app.config["SETTINGS"].jobs_keep_days,
    )


@blueprint.get("/jobs/<uuid:job_id>/result")
@gate(FILE)
def result(job_id: UUID) -> ResponseReturnValue:
    """The file that the job made, as a download."""
    return send_result(job_id, services().jobs.result(actor(), job_id))


@blueprint.post("/jobs/<uuid:job_id>/stop")
@gate(PAGE)
def stop(job_id: UUID) -> Response:
    """At once if it waits, else at its next step."""
    job = services().jobs.stop(actor(), job_id)
    said = "It stops after the step that it is at." if job.is_open else None
    return pages.done(url_for("jobs.page"), said, "info")


@blueprint.post("/jobs/<uuid:job_id>/remove")
@gate(PAGE)
def remove(job_id: UUID) -> Response:
    """Forget it, and destroy what it made."""
    services().jobs.remove(actor(), job_id)
    return pages.done(url_for("jobs.page"))
