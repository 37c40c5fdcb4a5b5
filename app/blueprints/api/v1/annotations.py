"""``/images/<id>/annotations``: the set whole or box by box, with its revision as ETag."""

from __future__ import annotations

import re
from typing import Literal
from uuid import UUID

from apiflask import APIBlueprint
from flask import Response, jsonify, request

from app.blueprints.api.v1.description import described, parameter
from app.blueprints.api.v1.shapes import text
from app.domain.scopes import Scope
from app.errors import StaleRevision
from app.services.annotations import AnnotationSet
from app.web.annotation_json import patched_json, set_json
from app.web.context import services
from app.web.error_handlers import problem
from app.web.guards import API, API_BOXES, gate
from app.web.identity import actor
from app.web.json_body import json_document

_REVISION = re.compile(r"\d{1,9}", re.ASCII)
CHANGED = "Changed in the meantime"
STALE_BOXES = "Somebody changed some of these boxes in the meantime. The others were saved."
IF_NONE_MATCH = parameter(
    "If-None-Match",
    text(),
    "the ETag that you have: 304 while it is the one of now",
    place="header",
)
IF_MATCH = parameter(
    "If-Match",
    text(),
    "the ETag of the set that this one replaces, or * for any; 428 without",
    place="header",
)
blueprint = APIBlueprint("annotations", __name__, tag="Annotations")


@blueprint.get("/images/<uuid:image_id>/annotations")
@blueprint.doc(summary="Boxes and labels of a picture")
@described(
    Scope.ANNOTATIONS_READ,
    {200: "AnnotationSet", 304: None},
    parameters=(IF_NONE_MATCH,),
    etag=True,
)
@gate(API)
def show(image_id: UUID) -> Response:
    """The set; its ETag is what a PUT names in If-Match."""
    found = services().annotations.get(actor(), image_id)
    response = _answer(found)
    response.make_conditional(request)
    return response


@blueprint.put("/images/<uuid:image_id>/annotations")
@blueprint.doc(summary="Replace the set")
@described(
    Scope.ANNOTATIONS_WRITE,
    {200: "AnnotationSet"},
    takes="NewAnnotationSet",
    parameters=(IF_MATCH,),
    refuses=(409, 412, 428),
    problems={412: "StaleProblem"},
    etag=True,
)
@gate(API_BOXES)
def replace(image_id: UUID) -> Response:
    """``{"state", "annotations": [{id?, label, box: {x, y, w, h}, attributes?}]}``.

    ``If-Match`` names the revision that the set replaces, or ``*`` for any. 412 with the
    current set in ``current`` when it is another by now, 428 without the header.
    """
    try:
        document = json_document()
        changed = services().annotations.put(actor(), image_id, document, _expected())
    except StaleRevision as stale:
        return _stale(stale)
    return _answer(changed)


@blueprint.patch("/images/<uuid:image_id>/annotations")
@blueprint.doc(summary="Add, change and delete single boxes")
@described(
    Scope.ANNOTATIONS_WRITE,
    {200: "PatchedSet"},
    takes="Operations",
    refuses=(409,),
    problems={409: "BoxConflicts"},
    etag=True,
)
@gate(API_BOXES)
def patch(image_id: UUID) -> Response:
    """``{"ops": [{"op": "add", "op_id", "id", "label", "box"}, …], "state"?}``.

    Boxes of others stay as they are, and no If-Match is needed: an operation names the
    revision of its own box. 409 with ``conflicts`` where that box is another by now; all
    other operations were done then too. One ``op_id`` is done once, however often it comes.
    """
    done = services().annotation_ops.patch(actor(), image_id, json_document())
    told = patched_json(done)
    if done.conflicts:
        response = problem(409, CHANGED, STALE_BOXES, code="stale_annotations", **told)
    else:
        response = jsonify(told)
    response.set_etag(str(done.revision))
    return response


def _answer(found: AnnotationSet) -> Response:
    response = jsonify(set_json(found))
    response.set_etag(str(found.revision))
    return response


def _stale(stale: StaleRevision) -> Response:
    current = stale.current
    if not isinstance(current, AnnotationSet):
        raise stale
    response = problem(412, CHANGED, stale.message, code=stale.code, current=set_json(current))
    response.set_etag(str(current.revision))
    return response


def _expected() -> int | Literal["*"] | None:
    """Read If-Match; a tag that is none of ours fits no revision."""
    if not request.if_match:
        return "*" if request.headers.get("If-Match", "").strip() == "*" else None
    if request.if_match.star_tag:
        return "*"
    # Werkzeug reads an empty tag ("") as None, whatever its types say.
    given = [tag or "" for tag in request.if_match.as_set()]
    tags = [tag for tag in given if _REVISION.fullmatch(tag)]
    return int(tags[0]) if len(tags) == 1 else -1
