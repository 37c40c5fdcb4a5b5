"""Members of a collection and their roles."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request, url_for

from app.blueprints.collections.base import blueprint, show_again
from app.errors import Conflict, InvalidInput
from app.web import pages
from app.web.context import services
from app.web.guards import PAGE, gate
from app.web.identity import actor


@blueprint.post("/collections/<slug>/members")
@gate(PAGE)
def add_member(slug: str) -> Response:
    """Add somebody who has an account."""
    try:
        services().members.add(
            actor(),
            slug,
            email=request.form.get("email", ""),
            role=request.form.get("role", ""),
        )
    except (InvalidInput, Conflict) as error:
        return show_again(slug, error)
    return pages.done(url_for("collections.show", slug=slug), "The member is added.")


@blueprint.post("/collections/<slug>/members/<uuid:user_id>")
@gate(PAGE)
def edit_member(slug: str, user_id: UUID) -> Response:
    """Change a role, or remove the member."""
    try:
        if request.form.get("remove") == "1":
            services().members.remove(actor(), slug, user_id)
            said = "The member is removed."
        else:
            services().members.change(actor(), slug, user_id, request.form.get("role", ""))
            said = "The role is changed."
    except (InvalidInput, Conflict) as error:
        return show_again(slug, error)
    gone = user_id == actor().user_id and "removed" in said
    return pages.done(
        url_for("collections.page") if gone else url_for("collections.show", slug=slug), said
    )
