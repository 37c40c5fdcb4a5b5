"""``/collections``: make, list, change, remove; their members."""

from __future__ import annotations

from uuid import UUID

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described
from app.domain.scopes import Scope
from app.services.collections import CollectionEdit
from app.web import json_body
from app.web.collection_json import collection_json, member_json
from app.web.context import services
from app.web.forms import wrong
from app.web.guards import API, gate
from app.web.identity import actor

blueprint = APIBlueprint("collections", __name__, tag="Collections")
LABEL_SETS = {"open": False, "closed": True}


@blueprint.get("/collections")
@blueprint.doc(summary="The collections that you are a member of")
@described(Scope.COLLECTIONS_READ, {200: "Collections"})
@gate(API)
def index() -> ResponseReturnValue:
    """Your own private one is among them."""
    found = services().collections.list(actor())
    return {"collections": [collection_json(view) for view in found]}


@blueprint.post("/collections")
@blueprint.doc(summary="Make a collection")
@described(Scope.COLLECTIONS_WRITE, {201: "Collection"}, takes="NewCollection", refuses=(409,))
@gate(API)
def create() -> ResponseReturnValue:
    """``{"name", "description", "slug"}``; without a slug the address is random."""
    body = json_body.json_object({"name", "description", "slug"})
    made = services().collections.create(
        actor(),
        name=json_body.required(body, "name"),
        description=json_body.text(body, "description") or "",
        slug=json_body.text(body, "slug"),
    )
    return collection_json(made), 201


@blueprint.get("/collections/<slug>")
@blueprint.doc(summary="One collection")
@described(Scope.COLLECTIONS_READ, {200: "Collection"})
@gate(API)
def show(slug: str) -> ResponseReturnValue:
    """404 for what you are no member of."""
    return collection_json(services().collections.get(actor(), slug))


@blueprint.patch("/collections/<slug>")
@blueprint.doc(summary="Change a collection")
@described(Scope.COLLECTIONS_WRITE, {200: "Collection"}, takes="CollectionEdit")
@gate(API)
def edit(slug: str) -> ResponseReturnValue:
    """``{"name", "description", "label_set": "open"|"closed", "timeline"}``."""
    body = json_body.json_object({"name", "description", "label_set", "timeline"})
    label_set = json_body.text(body, "label_set")
    if label_set is not None and label_set not in LABEL_SETS:
        raise wrong("label_set", "must be open or closed")
    change = CollectionEdit(
        name=json_body.text(body, "name"),
        description=json_body.text(body, "description"),
        labels_closed=None if label_set is None else LABEL_SETS[label_set],
        timeline=json_body.text(body, "timeline"),
    )
    return collection_json(services().collections.edit(actor(), slug, change))


@blueprint.delete("/collections/<slug>")
@blueprint.doc(summary="Remove an empty collection")
@described(Scope.COLLECTIONS_WRITE, {204: None}, refuses=(409,))
@gate(API)
def remove(slug: str) -> ResponseReturnValue:
    """409 while there are pictures in it or in its trash."""
    services().collections.remove(actor(), slug)
    return "", 204


@blueprint.get("/collections/<slug>/members")
@blueprint.doc(summary="Members and roles")
@described(Scope.COLLECTIONS_READ, {200: "Members"})
@gate(API)
def members(slug: str) -> ResponseReturnValue:
    """Owners first."""
    found = services().members.list(actor(), slug)
    return {"members": [member_json(member) for member in found]}


@blueprint.post("/collections/<slug>/members")
@blueprint.doc(summary="Add a member")
@described(Scope.COLLECTIONS_WRITE, {201: "Member"}, takes="NewMember", refuses=(409,))
@gate(API)
def add_member(slug: str) -> ResponseReturnValue:
    """``{"email", "role"}``."""
    body = json_body.json_object({"email", "role"})
    added = services().members.add(
        actor(),
        slug,
        email=json_body.required(body, "email"),
        role=json_body.required(body, "role"),
    )
    return member_json(added), 201


@blueprint.patch("/collections/<slug>/members/<uuid:user_id>")
@blueprint.doc(summary="Change a member's role")
@described(Scope.COLLECTIONS_WRITE, {200: "Member"}, takes="MemberEdit", refuses=(409,))
@gate(API)
def edit_member(slug: str, user_id: UUID) -> ResponseReturnValue:
    """``{"role"}``; the last owner stays one."""
    role = json_body.required(json_body.json_object({"role"}), "role")
    return member_json(services().members.change(actor(), slug, user_id, role))


@blueprint.delete("/collections/<slug>/members/<uuid:user_id>")
@blueprint.doc(summary="Remove a member")
@described(Scope.COLLECTIONS_WRITE, {204: None}, refuses=(409,))
@gate(API)
def remove_member(slug: str, user_id: UUID) -> ResponseReturnValue:
    """Everybody may leave; the last owner cannot."""
    services().members.remove(actor(), slug, user_id)
    return "", 204
