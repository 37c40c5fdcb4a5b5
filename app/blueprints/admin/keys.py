"""Keys and posture: what an auditor asks, and what an administrator does about it."""

from __future__ import annotations

from flask import Response, request, url_for

from app.blueprints.admin.base import blueprint
from app.web import pages
from app.web.context import services
from app.web.guards import PAGE, gate
from app.web.identity import actor
from app.web.posture_view import posture_view
from app.web.rotation_json import rotation_scope


@blueprint.get("/admin/keys")
@gate(PAGE)
def keys() -> Response:
    """The key inventory, what needs a hand, and what was done lately."""
    who = actor()
    report = services().posture.report(who)
    view = posture_view(report, services().alerts.active(who))
    return pages.render("admin/keys.html", posture=view)


@blueprint.post("/admin/keys/rotate")
@gate(PAGE)
def rotate_keys() -> Response:
    """Queue a rotation of what is due, or of everything; its progress stands under Jobs."""
    scope = rotation_scope({"scope": request.form.get("scope", "")})
    services().rotation_requests.ask(actor(), scope)
    return pages.done(url_for("jobs.page"), "The rotation is on its way.")
