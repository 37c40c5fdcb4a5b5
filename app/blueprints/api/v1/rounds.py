"""``/collections/<slug>/rounds``: blind rounds, made and told with their figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described
from app.domain.agreement import DEFAULT_IOU
from app.domain.ids import read_id
from app.domain.scopes import Scope
from app.services.agreement.handover import Handing
from app.services.agreement.rounds import Draw
from app.web import json_body
from app.web.context import services
from app.web.forms import wrong
from app.web.guards import API, gate
from app.web.identity import actor
from app.web.round_json import line_json, round_json

blueprint = APIBlueprint("rounds", __name__, tag="Rounds")
MEMBERS = {"name", "annotators", "images", "count", "seed", "iou"}


@blueprint.get("/collections/<slug>/rounds")
@blueprint.doc(summary="The blind rounds of a collection")
@described(Scope.ANNOTATIONS_WRITE, {200: "Rounds"})
@gate(API)
def index(slug: str) -> ResponseReturnValue:
    """Newest first; whoever does not lead is told of those that they take part in."""
    return {"rounds": [line_json(line) for line in services().rounds.list(actor(), slug)]}


@blueprint.post("/collections/<slug>/rounds")
@blueprint.doc(summary="Begin a blind round")
@described(Scope.ANNOTATIONS_WRITE, {201: "Round"}, takes="NewRound")
@gate(API)
def create(slug: str) -> ResponseReturnValue:
    """Each of ``annotators`` gets a copy of each of ``images``, or of ``count`` pictures that
    are drawn by ``seed``."""
    body = json_body.json_object(MEMBERS)
    images = _ids(body, "images")
    count, seed = json_body.whole(body, "count"), json_body.whole(body, "seed")
    if images and (count is not None or seed is not None):
        raise wrong("$.images", "stands alone: count and seed are for a draw")
    draw = Draw(
        name=json_body.required(body, "name"),
        annotators=_ids(body, "annotators"),
        count=count or 0,
        images=images,
        seed=seed,
        iou=_iou(body),
    )
    made = services().rounds.make(actor(), slug, draw)
    return round_json(services().rounds.of(actor(), slug, made)), 201


@blueprint.get("/collections/<slug>/rounds/<uuid:round_id>")
@blueprint.doc(summary="A blind round with its figures")
@described(Scope.ANNOTATIONS_WRITE, {200: "Round"})
@gate(API)
def show(slug: str, round_id: UUID) -> ResponseReturnValue:
    """Figures are for leads, and of pictures that wait for nobody and that two submitted."""
    return round_json(services().rounds.of(actor(), slug, round_id))


@blueprint.post("/collections/<slug>/rounds/<uuid:round_id>/hand-over")
@blueprint.doc(summary="Hand copies that wait to another, or go on without them")
@described(Scope.ANNOTATIONS_WRITE, {200: "Round"}, takes="HandOver")
@gate(API)
def hand_over(slug: str, round_id: UUID) -> ResponseReturnValue:
    """The other person begins with empty copies. What was left out is compared no more;
    pictures of which fewer than two copies were submitted are not compared."""
    body = json_body.json_object({"from", "to", "images"})
    if "to" not in body:
        raise wrong("$.to", "is missing")
    source = read_id(json_body.required(body, "from"))
    to = json_body.text(body, "to")
    found = read_id(to) if to is not None else None
    if source is None or (to is not None and found is None):
        raise wrong("$.from" if source is None else "$.to", "is not an id")
    handing = Handing(source, found, _ids(body, "images"))
    services().handover.hand(actor(), slug, round_id, handing)
    return round_json(services().rounds.of(actor(), slug, round_id))


def _ids(body: Mapping[str, Any], name: str) -> tuple[UUID, ...]:
    told = [read_id(text) for text in json_body.texts(body, name) or ()]
    if None in told:
        raise wrong(f"$.{name}", "must be ids")
    return tuple(dict.fromkeys(each for each in told if each is not None))


def _iou(body: Mapping[str, Any]) -> float:
    told = body.get("iou", DEFAULT_IOU)
    if isinstance(told, bool) or not isinstance(told, int | float):
        raise wrong("$.iou", "must be a number")
    return float(told)
