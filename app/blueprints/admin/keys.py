"""Keys and posture: what an auditor asks, and what an administrator does about it."""

from __future__ import annotations

from flask import Response

from app.blueprints.admin.base import blueprint
from app.web import pages
from app.web.context import services
from app.web.guards import PAGE, gate
from app.web.identity import actor
from app.web.posture_view import posture_view


@blueprint.get("/admin/keys")
@gate(PAGE)
def keys() -> Response:
    """The key inventory, what needs a hand, and what was done lately."""
    who = actor()
    report = services().posture.report(who)
    view = posture_view(report, services().alerts.active(who))
    return pages.render("admin/keys.html", posture=view)
