"""``/api/docs``: the description of the API as a page."""

from __future__ import annotations

from typing import cast

from apiflask import APIFlask
from flask import Blueprint, current_app, render_template

from app.web.guards import OPEN_PAGE, gate
from app.web.reference_view import Reference, reference_of

blueprint = Blueprint("reference", __name__)
MADE = "darkroom.reference"


@blueprint.get("/api/docs")
@gate(OPEN_PAGE)
def page() -> str:
    """Every operation and every schema; needs no script."""
    return render_template("reference/page.html", reference=_reference())


def _reference() -> Reference:
    """Made once: it changes with the release."""
    if MADE not in current_app.extensions:
        document = cast("APIFlask", current_app).spec
        current_app.extensions[MADE] = reference_of(cast("dict[str, object]", document))
    return cast("Reference", current_app.extensions[MADE])
