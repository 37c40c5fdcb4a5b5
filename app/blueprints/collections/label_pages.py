"""The pages of a label set: all labels with their history, and one with all it can become."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request

from app.blueprints.collections.base import blueprint
from app.domain.access import Action, CollectionFacts, allows
from app.domain.attribute_types import AttributeKind
from app.domain.labels import PALETTE
from app.errors import DarkroomError, NotFound
from app.web import forms, label_form, label_view, pages
from app.web.context import services
from app.web.frame import set_collection
from app.web.guards import PAGE, gate
from app.web.identity import actor
from app.web.label_form import MOST_VERSIONS

LIST, ONE = "collections/labels.html", "collections/label.html"
KINDS = tuple(kind.value for kind in AttributeKind)


@blueprint.get("/collections/<slug>/labels")
@gate(PAGE)
def labels(slug: str) -> Response:
    """All of them, in order, with counts and the history."""
    return pages.render(LIST, **_list_context(slug))


@blueprint.get("/collections/<slug>/labels/<uuid:label_id>")
@gate(PAGE)
def label(slug: str, label_id: UUID) -> Response:
    """One of them: its names, attributes, and what a change of it is about."""
    return pages.render(ONE, **_one_context(slug, label_id))


def labels_again(slug: str, error: DarkroomError) -> Response:
    """Render the list again after one of its forms failed."""
    return pages.again(LIST, error, **_list_context(slug))


def label_again(slug: str, label_id: UUID, error: DarkroomError) -> Response:
    """Render the page of a label again after one of its forms failed."""
    context = _one_context(slug, label_id)
    if "attribute_name" in request.form:
        context["attributes"] = label_form.typed_attributes()
    return pages.again(ONE, error, **context)


def _list_context(slug: str) -> dict[str, Any]:
    who, context = actor(), _context(slug)
    before = forms.number(request.args.get("before"), "before", 1, MOST_VERSIONS, 0) or None
    history = services().label_schemas.history(who, slug, before)
    found = context["found"]
    return context | {
        "labels": label_view.rows(found, found.offered),
        "removed": label_view.rows(found, found.removed),
        "events": label_view.events(history),
        "older": history.before,
    }


def _one_context(slug: str, label_id: UUID) -> dict[str, Any]:
    context = _context(slug)
    found = context["found"]
    known = {each.id: each for each in (*found.offered, *found.removed)}
    if label_id not in known or not context["can_edit"]:
        raise NotFound("There is no such label here.", operation="label.page")
    one, attribute = known[label_id], request.values.get("attribute") or None
    seen = services().label_schemas.preview(actor(), slug, label_id, attribute)
    return context | {
        "label": label_view.row(found, one),
        "is_offered": not one.removed,
        "attributes": label_view.attribute_rows(one),
        "kinds": KINDS,
        "others": label_view.rows(found, [o for o in found.offered if o.id != label_id]),
        "preview": seen,
        "attribute": attribute,
        "split_values": label_view.split_values(seen),
    }


def _context(slug: str) -> dict[str, Any]:
    who = actor()
    view = services().collections.get(who, slug)
    set_collection(view.slug)
    found = services().labels.whole(who, slug)
    return {
        "collection": view,
        "found": found,
        "version": found.version,
        "palette": PALETTE,
        "can_edit": allows(who, Action.MANAGE_LABELS, CollectionFacts(view.role)),
    }
