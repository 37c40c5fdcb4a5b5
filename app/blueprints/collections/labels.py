"""Label classes of a collection."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request, url_for

from app.blueprints.collections.base import blueprint, show_again
from app.errors import Conflict, InvalidInput
from app.services.labels import LabelEdit
from app.web import pages
from app.web.context import services
from app.web.guards import PAGE, gate
from app.web.identity import actor


@blueprint.post("/collections/<slug>/labels")
@gate(PAGE)
def add_label(slug: str) -> Response:
    """Add a class; its key is the next free digit."""
    try:
        services().labels.create(actor(), slug, _edit())
    except (InvalidInput, Conflict) as error:
        return show_again(slug, error)
    return pages.done(url_for("collections.show", slug=slug), "The label is added.")


@blueprint.post("/collections/<slug>/labels/<uuid:label_id>")
@gate(PAGE)
def edit_label(slug: str, label_id: UUID) -> Response:
    """Rename or recolour a class, or take it out of the list; boxes keep it."""
    try:
        if request.form.get("remove") == "1":
            services().labels.remove(actor(), slug, label_id)
            said = "The label is removed. Boxes that have it keep it."
        else:
            services().labels.edit(actor(), slug, label_id, _edit())
            said = "The label is changed."
    except (InvalidInput, Conflict) as error:
        return show_again(slug, error)
    return pages.done(url_for("collections.show", slug=slug), said)


def _edit() -> LabelEdit:
    return LabelEdit(
        name=request.form.get("name"),
        colour=request.form.get("colour") or None,
        hotkey=request.form.get("hotkey"),
    )
