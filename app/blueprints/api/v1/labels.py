"""``/collections/<slug>/labels``: the classes of a collection, one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.collections import blueprint
from app.blueprints.api.v1.description import described
from app.domain.ids import read_id
from app.domain.scopes import Scope
from app.services.labels import LabelEdit
from app.web import json_body
from app.web.collection_json import label_json, label_set_json
from app.web.context import services
from app.web.forms import wrong
from app.web.guards import API, gate
from app.web.identity import actor

#: A change that names the version of the label set which its maker saw.
CAS: Mapping[str, Any] = {"refuses": (409,), "problems": {409: "LabelProblem"}}
EDITABLE = {"name", "colour", "hotkey", "aliases", "attributes", "version"}


@blueprint.get("/collections/<slug>/labels")
@blueprint.doc(summary="Label classes, in order, and how often each is used")
@described(Scope.COLLECTIONS_READ, {200: "Labels"})
@gate(API)
def labels(slug: str) -> ResponseReturnValue:
    """Ids and numbers are stable; ``labels`` are those that a new annotation may have."""
    return label_set_json(services().labels.whole(actor(), slug))


@blueprint.post("/collections/<slug>/labels")
@blueprint.doc(summary="Add a label class")
@described(Scope.COLLECTIONS_WRITE, {201: "Label"}, takes="NewLabel", **CAS)
@gate(API)
def add_label(slug: str) -> ResponseReturnValue:
    """``{"name", "colour", "hotkey", "aliases", "attributes", "version"}``; colour and key are
    chosen unless told."""
    edit, version, _ = _label_edit(EDITABLE)
    return label_json(services().labels.create(actor(), slug, edit, version)), 201


@blueprint.patch("/collections/<slug>/labels/<uuid:label_id>")
@blueprint.doc(summary="Change a label class")
@described(Scope.COLLECTIONS_WRITE, {200: "Label"}, takes="LabelEdit", **CAS)
@gate(API)
def edit_label(slug: str, label_id: UUID) -> ResponseReturnValue:
    """Boxes keep the class, and its former name finds it; an empty ``hotkey`` takes its key
    away; ``deprecated`` false offers it again. 409 ``schema_changed`` where ``version`` is not
    the one that it has."""
    edit, version, body = _label_edit(EDITABLE | {"deprecated"})
    who, service = actor(), services().labels
    deprecated = json_body.boolean(body, "deprecated")
    if deprecated is True:
        return label_json(service.remove(who, slug, label_id, version))
    if deprecated is False:
        service.restore(who, slug, label_id, version)
        version = None
    return label_json(service.edit(who, slug, label_id, edit, version))


@blueprint.delete("/collections/<slug>/labels/<uuid:label_id>")
@blueprint.doc(summary="Take a label class out of the list")
@described(Scope.COLLECTIONS_WRITE, {204: None})
@gate(API)
def remove_label(slug: str, label_id: UUID) -> ResponseReturnValue:
    """Boxes that have it keep it; new ones cannot get it. One that nothing has is deleted."""
    services().labels.remove(actor(), slug, label_id)
    return "", 204


@blueprint.put("/collections/<slug>/labels/order")
@blueprint.doc(summary="Put the label classes in order")
@described(Scope.COLLECTIONS_WRITE, {200: "Labels"}, takes="LabelOrder", **CAS)
@gate(API)
def order_labels(slug: str) -> ResponseReturnValue:
    """``{"ids", "version"}``: every class that is offered, once. Numbers stay as they are."""
    body = json_body.json_object({"ids", "version"})
    ids = [read_id(text) for text in json_body.texts(body, "ids") or []]
    if None in ids:
        raise wrong("ids", "must be ids of labels")
    wanted = [each for each in ids if each is not None]
    services().labels.reorder(actor(), slug, wanted, json_body.whole(body, "version"))
    return label_set_json(services().labels.whole(actor(), slug))


def _label_edit(known: set[str]) -> tuple[LabelEdit, int | None, dict[str, Any]]:
    body = json_body.json_object(known)
    edit = LabelEdit(
        name=json_body.text(body, "name"),
        colour=json_body.text(body, "colour"),
        hotkey=json_body.text(body, "hotkey"),
        aliases=json_body.texts(body, "aliases"),
        attributes=body.get("attributes"),
    )
    return edit, json_body.whole(body, "version"), dict(body)
