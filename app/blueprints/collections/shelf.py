"""The list of collections, and one of them."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for

from app.blueprints.collections.base import TEMPLATE, blueprint, show_again, show_context
from app.errors import Conflict, DarkroomError, InvalidInput, NotFound
from app.services.collections import CollectionEdit
from app.services.listing import ListQuery
from app.web import collection_view, pages
from app.web.context import services
from app.web.forms import wrong
from app.web.guards import PAGE, gate
from app.web.identity import actor

COVERS = 4
LABEL_SETS = {"open": False, "closed": True}


@blueprint.get("/collections")
@gate(PAGE)
def page() -> Response:
    """The collections that one is a member of."""
    return pages.render("collections/page.html", **_context())


@blueprint.post("/collections", endpoint="create")
@gate(PAGE)
def create() -> Response:
    """Make one; without a typed address it gets a random one."""
    try:
        made = services().collections.create(
            actor(),
            name=request.form.get("name", ""),
            description=request.form.get("description", ""),
            slug=request.form.get("slug", "").strip() or None,
        )
    except DarkroomError as error:
        return pages.again("collections/page.html", error, **_context())
    return pages.done(url_for("collections.show", slug=made.slug), "The collection is made.")


@blueprint.get("/collections/<slug>")
@gate(PAGE)
def show(slug: str) -> Response:
    """Members, label classes, progress."""
    return pages.render(TEMPLATE, **show_context(slug))


@blueprint.post("/collections/<slug>", endpoint="edit")
@gate(PAGE)
def edit(slug: str) -> Response:
    """Change name, description, and whether new labels may be made by drawing."""
    try:
        services().collections.edit(actor(), slug, _edit())
    except NotFound:
        raise
    except DarkroomError as error:
        return show_again(slug, error)
    return pages.done(url_for("collections.show", slug=slug), "Saved.")


@blueprint.post("/collections/<slug>/remove")
@gate(PAGE)
def remove(slug: str) -> Response:
    """Remove an empty collection."""
    try:
        services().collections.remove(actor(), slug)
    except (InvalidInput, Conflict) as error:
        return show_again(slug, error)
    return pages.done(url_for("collections.page"), "The collection is removed.")


def _edit() -> CollectionEdit:
    label_set = request.form.get("label_set")
    if label_set is not None and label_set not in LABEL_SETS:
        raise wrong("label_set", "must be open or closed")
    return CollectionEdit(
        name=request.form.get("name"),
        description=request.form.get("description"),
        labels_closed=None if label_set is None else LABEL_SETS[label_set],
    )


def _context() -> dict[str, Any]:
    who, library = actor(), services().library
    views = services().collections.list(who)
    counts = services().members.counts(who)
    cards = tuple(
        collection_view.card(
            view,
            counts.get(view.id, 1),
            library.page(who, ListQuery(limit=COVERS), slug=view.slug).cards,
        )
        for view in views
    )
    return {"collections": cards}
