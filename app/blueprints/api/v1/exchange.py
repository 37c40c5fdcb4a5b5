"""``/collections/<slug>/imports`` and ``…/exports``: data sets in and out, as jobs."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described
from app.domain.access import Actor
from app.domain.scopes import Scope
from app.services.exchange.options import EXPORT_MEMBERS, read_export
from app.web import json_body
from app.web.context import services
from app.web.exchange_forms import import_options, known_fields, mode_of, upload_of
from app.web.guards import API, Gate, gate
from app.web.identity import actor
from app.web.job_json import job_json

blueprint = APIBlueprint("exchange", __name__, tag="Data sets")
DATA_SET = Gate("signed_in", "upload", by_key=True, files=True, scope=Scope.ANNOTATIONS_WRITE)


@blueprint.post("/collections/<slug>/exports")
@blueprint.doc(summary="Export a data set")
@described(Scope.COLLECTIONS_READ, {202: "Job"}, takes="NewExport")
@gate(API)
def export(slug: str) -> ResponseReturnValue:
    """A job. Where something would be lost and `accept_losses` is not true, it ends with a
    report and without a file."""
    services().exports.check(actor(), slug)
    options = read_export(json_body.json_object(EXPORT_MEMBERS))
    return _job(services().exports.start(actor(), slug, options))


@blueprint.post("/collections/<slug>/exports/<uuid:job_id>/accept")
@blueprint.doc(summary="Make an export in spite of its losses")
@described(Scope.COLLECTIONS_READ, {202: "Job"}, refuses=(409,))
@gate(API)
def accept_export(slug: str, job_id: UUID) -> ResponseReturnValue:
    """Another job, with the same choices; 409 where nothing waits to be accepted."""
    return _job(services().exports.accept(actor(), slug, job_id))


@blueprint.post("/collections/<slug>/imports")
@blueprint.doc(summary="Have a data set examined")
@described(Scope.ANNOTATIONS_WRITE, {202: "Job"}, form="NewImport")
@gate(DATA_SET)
def examine(slug: str) -> ResponseReturnValue:
    """Multipart: a ZIP file, or one file of labels, in `file`. A job, whose result is the
    report: what would be imported, what would be lost, what is wrong. Nothing is written."""
    services().imports.check(actor(), slug)
    spool, name = upload_of(request.files.get("file"))
    options = import_options(known_fields(request.form))
    return _job(services().imports.start(actor(), slug, spool, name, options))


@blueprint.post("/collections/<slug>/imports/<uuid:job_id>/accept")
@blueprint.doc(summary="Apply an import that was examined")
@described(Scope.ANNOTATIONS_WRITE, {202: "Job"}, takes="AcceptedImport", refuses=(409,))
@gate(API)
def accept_import(slug: str, job_id: UUID) -> ResponseReturnValue:
    """All of it or nothing. 409 where losses were not accepted, 422 with the mistakes of the
    file; asked twice it is the same job."""
    services().imports.check(actor(), slug)
    body = json_body.json_object({"accept_losses", "mode"})
    job = services().imports.accept(
        actor(),
        slug,
        job_id,
        accept_losses=json_body.boolean(body, "accept_losses") or False,
        mode=mode_of(json_body.text(body, "mode")),
    )
    return _job(job)


def _job(job_id: UUID) -> ResponseReturnValue:
    """Who has asked for it just now is told, whatever else the key may see."""
    view = services().jobs.get(Actor(actor().user_id), job_id)
    return job_json(view), 202
