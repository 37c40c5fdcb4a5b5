"""``/filters``: searches of the gallery that somebody keeps."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask import request
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described, parameter
from app.blueprints.api.v1.shapes import text
from app.domain.scopes import Scope
from app.web import json_body
from app.web.collection_json import filter_json
from app.web.context import services
from app.web.forms import wrong
from app.web.guards import API, gate
from app.web.identity import actor

blueprint = APIBlueprint("filters", __name__, tag="Pictures")
COLLECTION = parameter("collection", text(), "slug; its filters and those of all collections")


@blueprint.get("/filters")
@blueprint.doc(summary="Your filters, by name")
@described(Scope.ACCOUNT_READ, {200: "Filters"}, parameters=(COLLECTION,))
@gate(API)
def index() -> ResponseReturnValue:
    """Nobody sees anybody else's."""
    slug = request.args.get("collection") or None
    return {
        "filters": [filter_json(each) for each in services().saved_filters.list(actor(), slug)]
    }


@blueprint.post("/filters")
@blueprint.doc(summary="Keep a filter")
@described(Scope.ACCOUNT_WRITE, {201: "Filter"}, takes="NewFilter", refuses=(404, 409))
@gate(API)
def create() -> ResponseReturnValue:
    """``{"name", "query", "collection"}``; one of the same name and collection is replaced."""
    body = json_body.json_object({"name", "query", "collection"})
    query = body.get("query")
    if not isinstance(query, dict):
        raise wrong("query", "must be an object of filters")
    made = services().saved_filters.add(
        actor(), json_body.required(body, "name"), query, json_body.text(body, "collection")
    )
    return filter_json(made), 201


@blueprint.delete("/filters/<uuid:filter_id>")
@blueprint.doc(summary="Forget a filter")
@described(Scope.ACCOUNT_WRITE, {204: None})
@gate(API)
def remove(filter_id: UUID) -> ResponseReturnValue:
    """404 for anybody else's."""
    services().saved_filters.remove(actor(), filter_id)
    return "", 204
