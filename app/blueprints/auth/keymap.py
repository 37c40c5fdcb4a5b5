"""``/account/keys``: the keys of the editor, as one wants them."""

from __future__ import annotations

from flask import Response, request, url_for

from app.blueprints.auth.base import blueprint
from app.domain.keymap import ROWS
from app.errors import InvalidInput
from app.web import keymap_view, pages
from app.web.context import services
from app.web.guards import PAGE, gate
from app.web.identity import actor

TITLES = {action: row.words for action, row in ROWS.items()}


@blueprint.get("/account/keys")
@gate(PAGE)
def keymap() -> Response:
    """One field an action; several keys have a blank between them."""
    return pages.render("account/keys.html", sections=_sections(), titles=TITLES)


@blueprint.post("/account/keys", endpoint="edit_keymap")
@gate(PAGE)
def edit_keymap() -> Response:
    """Take the fields, or with ``reset`` the keys given out."""
    sent = {action: request.form[action] for action in ROWS if action in request.form}
    try:
        services().preferences.set_keymap(actor(), {} if "reset" in request.form else sent)
    except InvalidInput as error:
        return pages.again("account/keys.html", error, sections=_sections(), titles=TITLES)
    return pages.done(url_for("auth.keymap"), "Saved. The editor has these keys from now on.")


def _sections() -> tuple[keymap_view.KeySection, ...]:
    return keymap_view.sections(services().preferences.keymap(actor()))
