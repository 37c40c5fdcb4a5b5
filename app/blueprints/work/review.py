"""``/collections/<slug>/review``: what was submitted, to be accepted or sent back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.blueprints.work.base import blueprint, person
from app.domain.states import AnnotationState
from app.errors import Conflict, InvalidInput
from app.services.review_queue import ReviewPage
from app.web import forms, pages
from app.web.context import services
from app.web.frame import set_collection
from app.web.guards import PAGE, gate
from app.web.identity import actor
from app.web.outlines import Outline, outline

TEMPLATE = "work/review.html"
TABS = (
    (AnnotationState.DONE, "To review"),
    (AnnotationState.REJECTED, "Sent back"),
    (AnnotationState.ACCEPTED, "Accepted"),
    (AnnotationState.SKIPPED, "Skipped"),
)


@blueprint.get("/collections/<slug>/review")
@gate(PAGE)
def review(slug: str) -> Response:
    """A page of the queue."""
    return pages.render(TEMPLATE, **_context(slug))


@blueprint.post("/collections/<slug>/review")
@gate(PAGE)
def give_verdict(slug: str) -> Response:
    """Accept one picture, or send it back with what is to be mended."""
    image_id = person(request.form.get("image_id"), "image_id")
    tasks, verdict = services().tasks, request.form.get("verdict")
    try:
        if image_id is None or verdict not in {"accept", "reject"}:
            raise forms.wrong("verdict", "is missing")
        if verdict == "accept":
            tasks.review(actor(), image_id, "accept")
        else:
            tasks.review(actor(), image_id, "reject", request.form.get("reason"))
    except (InvalidInput, Conflict) as error:
        return pages.again(TEMPLATE, error, **_context(slug, failed=image_id))
    said = "Accepted." if verdict == "accept" else "Sent back."
    state = request.args.get("state") or None
    annotator = request.args.get("annotator") or None
    return pages.done(url_for("work.review", slug=slug, state=state, annotator=annotator), said)


def _context(slug: str, failed: UUID | None = None) -> dict[str, Any]:
    who, rooms = actor(), services()
    told = forms.one_of(request.args.get("state"), "state", [s.value for s, _ in TABS])
    state = AnnotationState(told or "done")
    annotator = person(request.args.get("annotator"), "annotator")
    page = rooms.review_queue.page(
        who, slug, state=state, annotator=annotator, cursor=request.args.get("cursor")
    )
    collection = rooms.collections.get(who, slug)
    set_collection(slug)
    return {
        "collection": collection,
        "page": page,
        "state": state.value,
        "annotator": annotator,
        "failed": failed,
        "outlines": _outlines(page),
        "tabs": [(s.value, title, page.counts.get(s, 0)) for s, title in TABS],
    }


def _outlines(page: ReviewPage) -> dict[UUID, list[Outline]]:
    return {
        item.card.id: [outline(a, colour=page.colours.get(a.label_id)) for a in item.drawn]
        for item in page.items
    }
