"""``/images/<id>/annotations/…``: what is new, what was, and the way back to it."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, jsonify, request
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described, parameter
from app.blueprints.api.v1.shapes import text, uuid, whole
from app.domain.annotation_document import MAX_FRAME
from app.domain.ids import read_id
from app.domain.limits import DEFAULT_PAGE, MAX_PAGE
from app.domain.scopes import Scope
from app.services.cursor import decode_cursor
from app.web import forms, json_body
from app.web.annotation_json import set_json
from app.web.context import services
from app.web.guards import API, gate
from app.web.history_json import history_json, news_json
from app.web.identity import actor

SINCE = parameter("since", whole(maximum=MAX_FRAME), "the revision that you have")
TAB = parameter("tab", uuid(), "drawn by your page: with it others see that you are there")
OF_ONE = parameter("annotation", uuid(), "only what was done to this one")
PAGE = (
    parameter("limit", whole(minimum=1, maximum=MAX_PAGE, default=DEFAULT_PAGE)),
    parameter("cursor", text(), "`next_cursor` of the page before"),
)
blueprint = APIBlueprint("annotation_history", __name__, tag="History of annotations")


@blueprint.get("/images/<uuid:image_id>/annotations/changes")
@blueprint.doc(summary="What others did since, and who is there")
@described(Scope.ANNOTATIONS_READ, {200: "News"}, refuses=(422,), parameters=(SINCE, TAB))
@gate(API)
def changes(image_id: UUID) -> ResponseReturnValue:
    """Ask every three seconds while somebody works, less often in a hidden tab.

    ``changes`` is null where there are too many or they are too old: read the set again.
    """
    told = request.args.get("since")
    since = forms.number(told, "since", 0, MAX_FRAME, 0) if told else None
    tab = _id("tab")
    return news_json(services().annotation_changes.since(actor(), image_id, since, tab))


@blueprint.get("/images/<uuid:image_id>/annotations/history")
@blueprint.doc(summary="Every change, newest first")
@described(
    Scope.ANNOTATIONS_READ,
    {200: "HistoryPage"},
    refuses=(422,),
    parameters=(*PAGE, OF_ONE),
)
@gate(API)
def history(image_id: UUID) -> ResponseReturnValue:
    """Changes with the same ``seq`` were one save, and ``seq`` is the revision after it."""
    limit = forms.number(request.args.get("limit"), "limit", 1, MAX_PAGE, DEFAULT_PAGE)
    cursor = decode_cursor(request.args.get("cursor"))
    found = services().annotation_history.history(
        actor(), image_id, cursor, limit, _id("annotation")
    )
    return history_json(found, limit)


@blueprint.post("/images/<uuid:image_id>/annotations/restore")
@blueprint.doc(summary="Go back to what the annotations were")
@described(
    Scope.ANNOTATIONS_WRITE,
    {200: "AnnotationSet"},
    takes="Restoring",
    refuses=(409,),
    etag=True,
)
@gate(API)
def restore(image_id: UUID) -> Response:
    """``{"seq": 7}``: as they were at that revision. This is a new change, and can be undone
    in the same way; the state of the picture stays.
    """
    seq = json_body.whole(json_body.json_object({"seq"}), "seq")
    if seq is None:
        raise forms.wrong("$.seq", "is missing")
    found = services().annotation_history.restore(actor(), image_id, seq)
    response = jsonify(set_json(found))
    response.set_etag(str(found.revision))
    return response


def _id(name: str) -> UUID | None:
    told = request.args.get(name)
    if not told:
        return None
    found = read_id(told)
    if found is None:
        raise forms.wrong(name, "must be an id")
    return found
