"""``/images/<id>/comments`` and ``/comments/<id>``."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described
from app.domain.scopes import Scope
from app.web import json_body
from app.web.comment_json import comment_json, pin_of
from app.web.context import services
from app.web.guards import API, gate
from app.web.identity import actor

blueprint = APIBlueprint("comments", __name__, tag="Comments")


@blueprint.get("/images/<uuid:image_id>/comments")
@blueprint.doc(summary="What people say about a picture")
@described(Scope.ANNOTATIONS_READ, {200: "Comments"})
@gate(API)
def index(image_id: UUID) -> ResponseReturnValue:
    """All of them, oldest first."""
    found = services().comments.list(actor(), image_id)
    return {"comments": [comment_json(comment) for comment in found]}


@blueprint.post("/images/<uuid:image_id>/comments")
@blueprint.doc(summary="Say something about a picture")
@described(Scope.ANNOTATIONS_WRITE, {201: "Comment"}, takes="NewComment", refuses=(409,))
@gate(API)
def add(image_id: UUID) -> ResponseReturnValue:
    """``{"text", "annotation_id"?, "point"?: {x, y}}``."""
    document = json_body.json_object({"text", "annotation_id", "point"})
    annotation_id, point = pin_of(document)
    text = json_body.required(document, "text")
    made = services().comments.add(
        actor(), image_id, text, annotation_id=annotation_id, point=point
    )
    return comment_json(made), 201


@blueprint.patch("/comments/<uuid:comment_id>")
@blueprint.doc(summary="Change or resolve a comment")
@described(Scope.ANNOTATIONS_WRITE, {200: "Comment"}, takes="CommentChange")
@gate(API)
def change(comment_id: UUID) -> ResponseReturnValue:
    """``{"text"?, "resolved"?}``; the text is its author's alone."""
    document = json_body.json_object({"text", "resolved"})
    changed = services().comments.change(
        actor(),
        comment_id,
        text=json_body.text(document, "text"),
        resolved=json_body.boolean(document, "resolved"),
    )
    return comment_json(changed)


@blueprint.delete("/comments/<uuid:comment_id>")
@blueprint.doc(summary="Delete a comment")
@described(Scope.ANNOTATIONS_WRITE, {204: None})
@gate(API)
def remove(comment_id: UUID) -> ResponseReturnValue:
    """Its author, or a reviewer; it is gone for everybody."""
    services().comments.remove(actor(), comment_id)
    return "", 204
