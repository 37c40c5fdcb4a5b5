"""``/collections/<slug>/labels``: the set as a whole, its history, merges and splits."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.collections import blueprint
from app.blueprints.api.v1.description import described, parameter
from app.blueprints.api.v1.labels import CAS
from app.blueprints.api.v1.shapes import text, whole
from app.domain.ids import read_id
from app.domain.scopes import Scope
from app.services.label_schema import Outcome, SplitWish
from app.web import forms, json_body
from app.web.collection_json import history_json, preview_json
from app.web.context import services
from app.web.forms import wrong
from app.web.guards import API, gate
from app.web.identity import actor

MOST_VERSIONS = 2**31 - 1
BEFORE = parameter("before", whole(minimum=1), "`before` of the page before")
ATTRIBUTE = parameter("attribute", text(), "also count by what this attribute says")


@blueprint.get("/collections/<slug>/labels/versions")
@blueprint.doc(summary="What changed in the label set, newest first")
@described(Scope.COLLECTIONS_READ, {200: "LabelHistory"}, refuses=(422,), parameters=(BEFORE,))
@gate(API)
def label_versions(slug: str) -> ResponseReturnValue:
    """50 a page; ``before`` of the answer asks for the next one."""
    before = forms.number(request.args.get("before"), "before", 1, MOST_VERSIONS, 0)
    return history_json(services().label_schemas.history(actor(), slug, before or None))


@blueprint.get("/collections/<slug>/labels/<uuid:label_id>/preview")
@blueprint.doc(summary="How much a change of a label class is about")
@described(Scope.COLLECTIONS_WRITE, {200: "LabelPreview"}, parameters=(ATTRIBUTE,))
@gate(API)
def preview_label(slug: str, label_id: UUID) -> ResponseReturnValue:
    """Annotations and pictures, also those in the trash; ``complete`` false: at least."""
    attribute = request.args.get("attribute") or None
    return preview_json(services().label_schemas.preview(actor(), slug, label_id, attribute))


@blueprint.post("/collections/<slug>/labels/<uuid:label_id>/merge")
@blueprint.doc(summary="Merge a label class into another one")
@described(
    Scope.COLLECTIONS_WRITE,
    {200: "Relabelled", 202: "Relabelled"},
    takes="LabelMerge",
    **CAS,
)
@gate(API)
def merge_label(slug: str, label_id: UUID) -> ResponseReturnValue:
    """``{"into", "version"}``: its annotations get the other class, which answers to its name
    from now on; 202 where a job does it. No number shifts."""
    body = json_body.json_object({"into", "version"})
    into = read_id(json_body.required(body, "into"))
    if into is None:
        raise wrong("into", "must be the id of a label")
    version = json_body.whole(body, "version")
    done = services().label_schemas.merge(actor(), slug, label_id, into, version)
    return _relabelled(done)


@blueprint.post("/collections/<slug>/labels/<uuid:label_id>/split")
@blueprint.doc(summary="Give some annotations of a label class another one")
@described(
    Scope.COLLECTIONS_WRITE,
    {200: "Relabelled", 202: "Relabelled"},
    takes="LabelSplit",
    **CAS,
)
@gate(API)
def split_label(slug: str, label_id: UUID) -> ResponseReturnValue:
    """Either ``attribute`` and ``values`` (what it says, to a label's name), or ``images``
    (ids) and ``name``. A name that is not there yet makes a class; 202: a job does it."""
    body = json_body.json_object({"attribute", "values", "images", "name", "version"})
    images = json_body.texts(body, "images")
    wish = SplitWish(
        attribute=json_body.text(body, "attribute"),
        names=_names(body.get("values")),
        images=None if images is None else [id_ for t in images if (id_ := read_id(t))],
        name=json_body.text(body, "name"),
    )
    version = json_body.whole(body, "version")
    return _relabelled(services().label_schemas.split(actor(), slug, label_id, wish, version))


@blueprint.put("/collections/<slug>/label-index")
@blueprint.doc(summary="Switch the index of labels on or off")
@described(Scope.COLLECTIONS_WRITE, {202: "LabelIndexing"}, takes="LabelIndexSwitch")
@gate(API)
def switch_label_index(slug: str) -> ResponseReturnValue:
    """``{"on"}``, for owners. With it whoever reads the database learns which pictures share
    a label and how many do, but not which label; without it a search opens pictures."""
    on = json_body.boolean(json_body.json_object({"on"}), "on")
    if on is None:
        raise wrong("on", "is missing")
    job = services().label_indexing.switch(actor(), slug, on=on)
    return {"on": on, "job": str(job)}, 202


def _names(values: Any) -> dict[str, str] | None:
    if values is None:
        return None
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise wrong("values", "must map what the attribute says to names of labels")
    return values


def _relabelled(done: Outcome) -> ResponseReturnValue:
    told = {
        "version": done.version,
        "annotations": done.changed,
        "job": str(done.job_id) if done.job_id else None,
    }
    return told, 200 if done.job_id is None else 202
