"""``/copies/<id>``: one's own copy of a picture in a blind round."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described, parameter
from app.blueprints.api.v1.shapes import whole
from app.domain.annotation_document import MAX_FRAME
from app.domain.scopes import Scope
from app.web import forms
from app.web.annotation_json import patched_json, set_json
from app.web.context import services
from app.web.error_handlers import problem
from app.web.guards import API, API_BOXES, gate
from app.web.history_json import news_json
from app.web.identity import actor
from app.web.json_body import json_document
from app.web.task_json import task_json

blueprint = APIBlueprint("copies", __name__, tag="Blind copies")
SINCE = parameter("since", whole(maximum=MAX_FRAME), "the revision that you have")
CHANGED = "Changed in the meantime"


@blueprint.get("/copies/<uuid:copy_id>/annotations")
@blueprint.doc(summary="The annotations of a copy")
@described(Scope.ANNOTATIONS_READ, {200: "AnnotationSet"}, etag=True)
@gate(API)
def show(copy_id: UUID) -> Response:
    """404 for everybody but who makes it, until all copies of the picture are submitted; from
    then on for everybody but who leads."""
    found = services().copies.get(actor(), copy_id)
    response = jsonify(set_json(found))
    response.set_etag(str(found.revision))
    return response


@blueprint.patch("/copies/<uuid:copy_id>/annotations")
@blueprint.doc(summary="Add, change and delete single boxes of a copy")
@described(
    Scope.ANNOTATIONS_WRITE,
    {200: "PatchedSet"},
    takes="Operations",
    refuses=(409,),
    problems={409: "BoxConflicts"},
    etag=True,
)
@gate(API_BOXES)
def patch(copy_id: UUID) -> Response:
    """As for a picture; 409 ``picture-submitted`` once it is submitted."""
    done = services().copies.patch(actor(), copy_id, json_document())
    told = patched_json(done)
    if done.conflicts:
        words = "Some of these boxes are others by now."
        response = problem(409, CHANGED, words, code="stale_annotations", **told)
    else:
        response = jsonify(told)
    response.set_etag(str(done.revision))
    return response


@blueprint.get("/copies/<uuid:copy_id>/annotations/changes")
@blueprint.doc(summary="What another tab of one's own did since")
@described(Scope.ANNOTATIONS_READ, {200: "News"}, refuses=(422,), parameters=(SINCE,))
@gate(API)
def changes(copy_id: UUID) -> ResponseReturnValue:
    """As for a picture. ``people`` is empty: nobody is told who has a copy open."""
    told = request.args.get("since")
    since = forms.number(told, "since", 0, MAX_FRAME, 0) if told else None
    return news_json(services().copies.since(actor(), copy_id, since))


@blueprint.get("/copies/<uuid:copy_id>/task")
@blueprint.doc(summary="Whether a copy is submitted")
@described(Scope.ANNOTATIONS_READ, {200: "Task"})
@gate(API)
def task(copy_id: UUID) -> ResponseReturnValue:
    """As for a picture."""
    return task_json(services().copies.task(actor(), copy_id))


@blueprint.post("/copies/<uuid:copy_id>/submit")
@blueprint.doc(summary="Submit a copy")
@described(Scope.ANNOTATIONS_WRITE, {200: "Task"}, refuses=(409,))
@gate(API)
def submit(copy_id: UUID) -> ResponseReturnValue:
    """With the last one of a picture they are compared."""
    return task_json(services().copies.submit(actor(), copy_id))


@blueprint.post("/copies/<uuid:copy_id>/reopen")
@blueprint.doc(summary="Take a copy back")
@described(Scope.ANNOTATIONS_WRITE, {200: "Task"}, refuses=(409,))
@gate(API)
def reopen(copy_id: UUID) -> ResponseReturnValue:
    """409 once all copies of the picture are submitted."""
    return task_json(services().copies.reopen(actor(), copy_id))


@blueprint.get("/copies/<uuid:copy_id>/next")
@blueprint.doc(summary="The next picture of the round")
@described(Scope.ANNOTATIONS_WRITE, {200: "NextCopy"})
@gate(API)
def following(copy_id: UUID) -> ResponseReturnValue:
    """The first of one's own copies that is not submitted; null when there is none."""
    found = services().rounds.after(actor(), copy_id)
    if found is None:
        return {"image": None, "url": None}
    url = url_for(
        "work.copy", slug=found.slug, round_id=found.round_id, image_id=found.image_id
    )
    return {"image": {"id": str(found.image_id)}, "url": url}
