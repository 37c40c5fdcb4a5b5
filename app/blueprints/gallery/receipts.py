"""``/receipts``: what was destroyed, and from when on nothing can bring it back."""

from __future__ import annotations

from uuid import UUID

from flask import Response, jsonify, make_response, request

from app.blueprints.gallery.base import blueprint
from app.web import forms, pages
from app.web.context import services
from app.web.guards import PAGE, gate
from app.web.identity import actor
from app.web.receipt_json import receipt_json, receipt_text


@blueprint.get("/receipts")
@gate(PAGE)
def receipts() -> Response:
    """The latest destructions of the caller."""
    return pages.render("gallery/receipts.html", receipts=services().receipts.mine(actor()))


@blueprint.get("/receipts/<uuid:receipt_id>")
@gate(PAGE)
def receipt(receipt_id: UUID) -> Response:
    """One receipt; ``as=text`` or ``as=json`` to keep it."""
    found = services().receipts.get(actor(), receipt_id)
    form = forms.one_of(request.args.get("as"), "as", ["text", "json"])
    if form is None:
        return pages.render("gallery/receipts.html", receipts=(found,), alone=True)
    if form == "json":
        answer = jsonify(receipt_json(found))
    else:
        answer = make_response(receipt_text(found))
        answer.content_type = "text/plain; charset=utf-8"
    ending = "json" if form == "json" else "txt"
    name = f"receipt-{found.id}.{ending}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
