"""``/jobs``: what goes on after an answer, its progress and its result."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import FILE, described, parameter
from app.blueprints.api.v1.shapes import text, whole
from app.domain.limits import DEFAULT_PAGE, MAX_PAGE
from app.domain.scopes import Scope
from app.web import forms
from app.web.context import services
from app.web.guards import API, gate
from app.web.identity import actor
from app.web.job_json import job_json, jobs_json
from app.web.job_result import send_result

blueprint = APIBlueprint("jobs", __name__, tag="Jobs")
PAGE_OF_JOBS = (
    parameter("limit", whole(minimum=1, maximum=MAX_PAGE, default=DEFAULT_PAGE)),
    parameter("cursor", text(), "`next_cursor` of the page before"),
)


@blueprint.get("/jobs")
@blueprint.doc(summary="Your jobs, newest first")
@described(Scope.ACCOUNT_READ, {200: "JobPage"}, refuses=(422,), parameters=PAGE_OF_JOBS)
@gate(API)
def index() -> ResponseReturnValue:
    """Only your own; a finished one is forgotten after JOBS_KEEP_DAYS."""
    limit = forms.number(request.args.get("limit"), "limit", 1, MAX_PAGE, DEFAULT_PAGE)
    found = services().jobs.list(
        actor(), limit=limit, cursor=request.args.get("cursor") or None
    )
    return jobs_json(found, limit)


@blueprint.get("/jobs/<uuid:job_id>")
@blueprint.doc(summary="One job: its state and progress")
@described(Scope.ACCOUNT_READ, {200: "Job"})
@gate(API)
def show(job_id: UUID) -> ResponseReturnValue:
    """Ask again after a second or two while ``state`` is ``waiting`` or ``running``."""
    return job_json(services().jobs.get(actor(), job_id))


@blueprint.get("/jobs/<uuid:job_id>/result")
@blueprint.doc(summary="The file that a job made")
@described(Scope.COLLECTIONS_READ, {200: FILE, 206: FILE}, refuses=(409,))
@gate(API)
def result(job_id: UUID) -> ResponseReturnValue:
    """Decrypted while it is sent, with Range; 404 while there is none."""
    return send_result(job_id, services().jobs.result(actor(), job_id))


@blueprint.delete("/jobs/<uuid:job_id>")
@blueprint.doc(summary="Stop a job, or forget one that has ended")
@described(Scope.ACCOUNT_WRITE, {202: "Job", 204: None})
@gate(API)
def remove(job_id: UUID) -> ResponseReturnValue:
    """202 while it is being stopped; 204 when it is gone, with the file that it made."""
    stopping = services().jobs.remove(actor(), job_id)
    return (job_json(stopping), 202) if stopping is not None else ("", 204)
