"""``/collections/<slug>/exchange``: data sets in and out, and what would be lost."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, current_app, request, url_for

from app.domain.access import Actor
from app.domain.ids import read_id
from app.errors import Conflict, DarkroomError, FileTooLarge, InvalidInput, NotFound
from app.services.exchange.export_jobs import EXPORT
from app.services.exchange.import_jobs import EXAMINE
from app.web import pages
from app.web.context import services
from app.web.exchange_forms import (
    at_the_file,
    export_options,
    form_of_export,
    import_options,
    mode_of,
    upload_of,
)
from app.web.exchange_view import ExchangePage, exchange_page, report_page
from app.web.frame import set_collection
from app.web.guards import PAGE, Gate, gate
from app.web.identity import actor

blueprint = Blueprint("exchange", __name__)
FILES = Gate("signed_in", "page", files=True)


@blueprint.get("/collections/<slug>/exchange")
@gate(PAGE)
def page(slug: str) -> Response:
    """The two forms, each for who may use it. ``again``: an export of one's own whose choices
    the second begins with."""
    told = request.args.get("again")
    if told is None:
        return pages.render("exchange/page.html", exchange=_page(slug), sent="", chosen=None)
    chosen = form_of_export(services().exports.choices(actor(), slug, _job_id(told)))
    return pages.render(
        "exchange/page.html",
        exchange=_page(slug),
        sent="export",
        chosen=chosen,
        values=chosen.to_dict(),
    )


@blueprint.post("/collections/<slug>/exchange/import")
@gate(FILES)
def take(slug: str) -> Response:
    """Keep the file sealed and have it looked at."""
    services().imports.check(actor(), slug)
    try:
        spool, name = upload_of(request.files.get("file"))
        options = import_options(request.form)
        job = services().imports.start(actor(), slug, spool, name, options)
    except (InvalidInput, FileTooLarge) as error:
        shown = at_the_file(error) if isinstance(error, InvalidInput) else error
        return pages.again(
            "exchange/page.html", shown, exchange=_page(slug), sent="import", chosen=None
        )
    return pages.done(url_for("exchange.report", slug=slug, job_id=job))


@blueprint.post("/collections/<slug>/exchange/export")
@gate(PAGE)
def give(slug: str) -> Response:
    """Have an archive made, or a report where something would be lost."""
    services().exports.check(actor(), slug)
    try:
        job = services().exports.start(actor(), slug, export_options(request.form))
    except InvalidInput as error:
        return pages.again(
            "exchange/page.html", error, exchange=_page(slug), sent="export", chosen=None
        )
    return pages.done(url_for("exchange.report", slug=slug, job_id=job))


@blueprint.get("/collections/<slug>/exchange/<uuid:job_id>")
@gate(PAGE)
def report(slug: str, job_id: UUID) -> Response:
    """How far it is, what would be lost, what was done."""
    return _report(slug, job_id)


@blueprint.post("/collections/<slug>/exchange/<uuid:job_id>/accept")
@gate(PAGE)
def accept(slug: str, job_id: UUID) -> Response:
    """Go on in spite of what the report tells."""
    try:
        job = _accept(slug, job_id)
    except (InvalidInput, Conflict) as error:
        return _report(slug, job_id, error)
    return pages.done(url_for("exchange.report", slug=slug, job_id=job))


def _job_id(text: str) -> UUID:
    found = read_id(text)
    if found is None:
        raise NotFound("There is no such report.", operation="exchange.again")
    return found


def _accept(slug: str, job_id: UUID) -> UUID:
    kind = services().jobs.get(actor(), job_id).kind
    if kind == EXPORT:
        return services().exports.accept(actor(), slug, job_id)
    if kind != EXAMINE:
        raise NotFound("There is no such report.", operation="exchange.accept")
    return services().imports.accept(
        actor(),
        slug,
        job_id,
        accept_losses=request.form.get("accept_losses") == "1",
        mode=mode_of(request.form.get("mode")),
    )


def _report(slug: str, job_id: UUID, error: DarkroomError | None = None) -> Response:
    view = services().collections.get(actor(), slug)
    set_collection(slug)
    job = services().jobs.get(Actor(actor().user_id), job_id)
    keep_days = current_app.config["SETTINGS"].jobs_keep_days
    shown = report_page(view, actor(), job, keep_days)
    if error is not None:
        return pages.again("exchange/report.html", error, report=shown)
    return pages.render("exchange/report.html", report=shown)


def _page(slug: str) -> ExchangePage:
    view = services().collections.get(actor(), slug)
    set_collection(slug)
    settings = current_app.config["SETTINGS"]
    labels = services().labels.list(actor(), slug)
    return exchange_page(view, actor(), labels, settings.upload_max_size)
