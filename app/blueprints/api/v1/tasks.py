"""Tasks: the next picture; submit, skip, reopen, review, assign and release one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described, parameter
from app.blueprints.api.v1.shapes import one_of, uuid
from app.domain.ids import read_id
from app.domain.scopes import Scope
from app.domain.states import AnnotationState
from app.web import json_body
from app.web.context import services
from app.web.forms import wrong
from app.web.guards import API, API_TAKES, gate
from app.web.identity import actor
from app.web.task_json import task_json

blueprint = APIBlueprint("tasks", __name__, tag="Tasks")
WRITING: Mapping[str, Any] = {"refuses": (409, 422)}
STATE = parameter("state", one_of(AnnotationState), "left out: what waits for an annotator")
AFTER = parameter("after", uuid(), "a picture that is given back and passed over")


@blueprint.get("/collections/<slug>/next")
@blueprint.doc(summary="The next picture, leased to the caller")
@described(
    Scope.ANNOTATIONS_WRITE, {200: "NextTask"}, refuses=(422,), parameters=(STATE, AFTER)
)
@gate(API_TAKES)
def following(slug: str) -> ResponseReturnValue:
    """One's own lease first, then what is assigned to one, then the oldest that is nobody's;
    null when there is none. Nobody else is given it before the lease ends. ``state=done``
    is for reviewers. POST does the same and is what a page of a browser sends; with a cookie
    and ``Sec-Fetch-Site`` of another site this is 403."""
    after = _id(request.args.get("after"), "after")
    return _next(slug, _state(request.args.get("state"), "state"), after)


@blueprint.post("/collections/<slug>/next")
@blueprint.doc(summary="Take the next picture")
@described(Scope.ANNOTATIONS_WRITE, {200: "NextTask"}, takes="NextWish")
@gate(API)
def take_next(slug: str) -> ResponseReturnValue:
    """As GET, with ``{"state", "after"}`` in the body: it leases a picture, and no link of
    another site can send it."""
    body = json_body.json_object({"state", "after"})
    after = _id(json_body.text(body, "after"), "$.after")
    return _next(slug, _state(json_body.text(body, "state"), "$.state"), after)


@blueprint.post("/collections/<slug>/assign")
@blueprint.doc(summary="Assign many pictures")
@described(Scope.ANNOTATIONS_WRITE, {200: "Assigned"}, takes="BulkAssignment")
@gate(API)
def assign_some(slug: str) -> ResponseReturnValue:
    """``{"user_id", "count"}``: the oldest new pictures that are assigned to nobody; with null
    the oldest that are assigned and that nobody has begun go back to everybody."""
    body = json_body.json_object({"user_id", "count"})
    count = json_body.whole(body, "count")
    if count is None:
        raise wrong("$.count", "is missing")
    return {"assigned": services().tasks.assign_some(actor(), slug, _user(body), count)}


@blueprint.get("/images/<uuid:image_id>/task")
@blueprint.doc(summary="Whose turn it is with a picture")
@described(Scope.ANNOTATIONS_READ, {200: "Task"})
@gate(API)
def show(image_id: UUID) -> ResponseReturnValue:
    """Who has it, submitted it, reviewed it, and what you may do now."""
    return task_json(services().tasks.of(actor(), image_id))


@blueprint.post("/images/<uuid:image_id>/lease")
@blueprint.doc(summary="Take a picture, or renew the lease")
@described(Scope.ANNOTATIONS_WRITE, {200: "Task"}, **WRITING)
@gate(API)
def take(image_id: UUID) -> ResponseReturnValue:
    """A sign of work. 409 where another has it, or it is assigned to another."""
    return task_json(services().tasks.take(actor(), image_id))


@blueprint.post("/images/<uuid:image_id>/release")
@blueprint.doc(summary="Give a lease back")
@described(Scope.ANNOTATIONS_WRITE, {200: "Task"}, **WRITING)
@gate(API)
def release(image_id: UUID) -> ResponseReturnValue:
    """A reviewer ends anybody's."""
    return task_json(services().tasks.release(actor(), image_id))


@blueprint.post("/images/<uuid:image_id>/submit")
@blueprint.doc(summary="Submit: the picture is done")
@described(Scope.ANNOTATIONS_WRITE, {200: "Task"}, **WRITING)
@gate(API)
def submit(image_id: UUID) -> ResponseReturnValue:
    """With or without annotations; from here on it is read-only to annotators."""
    return task_json(services().tasks.submit(actor(), image_id))


@blueprint.post("/images/<uuid:image_id>/skip")
@blueprint.doc(summary="Leave a picture out")
@described(Scope.ANNOTATIONS_WRITE, {200: "Task"}, takes="Skip", **WRITING)
@gate(API)
def skip(image_id: UUID) -> ResponseReturnValue:
    """``{"reason"}``."""
    reason = json_body.text(json_body.json_object({"reason"}), "reason")
    return task_json(services().tasks.skip(actor(), image_id, reason))


@blueprint.post("/images/<uuid:image_id>/reopen")
@blueprint.doc(summary="Take back that a picture is done, skipped or accepted")
@described(Scope.ANNOTATIONS_WRITE, {200: "Task"}, **WRITING)
@gate(API)
def reopen(image_id: UUID) -> ResponseReturnValue:
    """What is done: whoever submitted it, or a reviewer. What is accepted: a reviewer."""
    return task_json(services().tasks.reopen(actor(), image_id))


@blueprint.post("/images/<uuid:image_id>/review")
@blueprint.doc(summary="Accept a picture, or send it back")
@described(Scope.ANNOTATIONS_WRITE, {200: "Task"}, takes="Review", **WRITING)
@gate(API)
def review(image_id: UUID) -> ResponseReturnValue:
    """``{"verdict": "accept"|"reject", "reason"}``; a rejection takes a reason, which the
    annotator sees. 409 where nobody has submitted it."""
    body = json_body.json_object({"verdict", "reason"})
    verdict, why = json_body.required(body, "verdict"), json_body.text(body, "reason")
    tasks = services().tasks
    if verdict == "accept":
        return task_json(tasks.review(actor(), image_id, "accept"))
    if verdict == "reject":
        return task_json(tasks.review(actor(), image_id, "reject", why))
    raise wrong("$.verdict", "must be accept or reject")


@blueprint.post("/images/<uuid:image_id>/assign")
@blueprint.doc(summary="Assign a picture")
@described(Scope.ANNOTATIONS_WRITE, {200: "Task"}, takes="Assignment")
@gate(API)
def assign(image_id: UUID) -> ResponseReturnValue:
    """``{"user_id"}``: a member who annotates, or null for nobody."""
    body = json_body.json_object({"user_id"})
    if "user_id" not in body:
        raise wrong("$.user_id", "is missing")
    return task_json(services().tasks.assign(actor(), image_id, _user(body)))


def _user(body: Mapping[str, Any]) -> UUID | None:
    return _id(json_body.text(body, "user_id"), "$.user_id")


def _id(text: str | None, path: str) -> UUID | None:
    if text is None:
        return None
    found = read_id(text)
    if found is None:
        raise wrong(path, "is not an id")
    return found


def _state(text: str | None, path: str) -> AnnotationState | None:
    found = next((state for state in AnnotationState if state.value == text), None)
    if text is not None and found is None:
        raise wrong(path, "is not a state")
    return found


def _next(slug: str, state: AnnotationState | None, after: UUID | None) -> ResponseReturnValue:
    found = services().tasks.next(actor(), slug, state=state, after=after)
    if found is None:
        return {"image": None, "task": None}
    image = {"id": str(found.image_id), "annotation_state": found.state.value}
    return {"image": image, "task": task_json(found)}
