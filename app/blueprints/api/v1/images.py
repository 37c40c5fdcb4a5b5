"""``/images``: upload, list, look up, change, trash, restore, destroy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import current_app, request
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described
from app.blueprints.api.v1.list_parameters import LIST_PARAMETERS, PERMANENT
from app.domain.scopes import Scope
from app.errors import DarkroomError
from app.services.examination import Offer
from app.web import forms
from app.web.context import services
from app.web.error_handlers import as_item, problem, status_of
from app.web.guards import API, API_LIMITS, API_UPLOAD, gate
from app.web.identity import actor
from app.web.image_json import card_json, detail_json, page_json, removal_json, stored_json
from app.web.list_arguments import ListArguments, list_arguments
from app.web.rates import uploads_left
from app.web.receipt_json import receipt_json
from app.web.taking_in import take_in

blueprint = APIBlueprint("images", __name__, tag="Images")


@blueprint.post("/images")
@blueprint.post("/upload", endpoint="upload_alias")
@blueprint.doc(summary="Upload pictures")
@described(
    Scope.IMAGES_WRITE,
    {200: "UploadResult", 201: "UploadResult", 207: "UploadResult"},
    form="UploadForm",
    refuses=(404, 409),
    problems=dict.fromkeys((403, 404, 409, 413, 415, 422, 503, 507), "UploadProblem"),
)
@gate(API_UPLOAD)
def upload() -> ResponseReturnValue:
    """Multipart ``files`` with ``collection``, ``tags``, ``is_public``, ``expires_at``.

    201 when all were stored, 200 when the collection had all of them already, 207 with both
    lists when some were refused; when all were refused, the status of the first refusal.
    """
    wishes = forms.wishes_of_form()
    offers = forms.offers_of_form(current_app.config["SETTINGS"].upload_max_files)
    images: list[dict[str, Any]] = []
    refusals: list[tuple[Offer, DarkroomError]] = []
    for offer in offers:
        try:
            images.append(stored_json(take_in(offer, wishes)))
        except DarkroomError as refusal:
            refusals.append((offer, refusal))
    return _outcome(images, refusals)


def _outcome(
    images: list[dict[str, Any]], refusals: list[tuple[Offer, DarkroomError]]
) -> ResponseReturnValue:
    errors = [as_item(offer.filename, refusal) for offer, refusal in refusals]
    if not images:
        first = refusals[0][1]
        status, title = status_of(first)
        return problem(status, title, first.message, code=first.code, errors=errors)
    fresh = any(not image["duplicate"] for image in images)
    return {"images": images, "errors": errors}, 207 if errors else 201 if fresh else 200


@blueprint.get("/upload")
@blueprint.doc(summary="Limits, accepted types and space left")
@described(Scope.IMAGES_WRITE, {200: "UploadLimits"})
@gate(API_LIMITS)
def upload_limits() -> ResponseReturnValue:
    """What an upload may be, before one is tried."""
    settings = current_app.config["SETTINGS"]
    return {
        "max_size": settings.upload_max_size,
        "max_files": settings.upload_max_files,
        "max_pixels": settings.image_max_pixels,
        "accepted_types": services().ingest.accepted_types(),
        "quota": {"left": services().ingest.room_left(actor())},
        "rate": settings.ratelimit_upload,
        "rate_left": uploads_left(),
    }


@blueprint.get("/images")
@blueprint.doc(summary="List pictures, a page at a time")
@described(
    Scope.IMAGES_READ, {200: "ImagePage"}, refuses=(404, 422), parameters=LIST_PARAMETERS
)
@gate(API)
def index() -> ResponseReturnValue:
    """``collection, tag, kind, status, state, from, to``; ``q, label, attribute, annotator``,
    which open at most 2,000 pictures a page (``looked_at``); ``sort, limit, cursor, total``."""
    wanted = list_arguments(request.args)
    page = services().search.page(actor(), wanted.query, wanted.terms, **wanted.where)
    total = _total(wanted) if wanted.wants_total else None
    return page_json(page, wanted.query.limit, total)


def _total(wanted: ListArguments) -> int | None:
    return services().search.count(actor(), wanted.query, wanted.terms, **wanted.where)


@blueprint.get("/images/<uuid:image_id>")
@blueprint.doc(summary="One picture with all that is known of it")
@described(Scope.IMAGES_READ, {200: "ImageDetail"})
@gate(API)
def show(image_id: UUID) -> ResponseReturnValue:
    """Metadata, checksums, tags, state and a signed address."""
    return detail_json(services().library.detail(actor(), image_id))


@blueprint.delete("/images/<uuid:image_id>")
@blueprint.doc(summary="Move to the trash, or shred with ?permanent=true")
@described(Scope.IMAGES_WRITE, {200: "Removal"}, refuses=(409, 422), parameters=(PERMANENT,))
@gate(API)
def remove(image_id: UUID) -> ResponseReturnValue:
    """200 with ``status`` and when the key is, or will be, destroyed."""
    if forms.flag(request.args.get("permanent"), "permanent"):
        return removal_json(services().trash.destroy(actor(), image_id))
    return removal_json(services().trash.trash(actor(), image_id))


@blueprint.post("/images/<uuid:image_id>/restore")
@blueprint.doc(summary="Take a picture out of the trash")
@described(Scope.IMAGES_WRITE, {200: "Image"}, refuses=(409,))
@gate(API)
def restore(image_id: UUID) -> ResponseReturnValue:
    """200 with the picture."""
    return card_json(services().trash.restore(actor(), image_id))


@blueprint.get("/receipts/<uuid:receipt_id>")
@blueprint.doc(summary="The receipt of a destruction")
@described(Scope.IMAGES_READ, {200: "Receipt"})
@gate(API)
def receipt(receipt_id: UUID) -> ResponseReturnValue:
    """For who destroyed, who had uploaded the picture, and administrators."""
    return receipt_json(services().receipts.get(actor(), receipt_id))
