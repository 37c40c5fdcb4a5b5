"""``/admin/…``: what an administrator's key may ask."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask.typing import ResponseReturnValue

from app.blueprints.api.v1.description import described
from app.domain.scopes import Scope
from app.web import json_body
from app.web.context import services
from app.web.guards import API, gate
from app.web.identity import actor
from app.web.posture_json import posture_json
from app.web.rotation_json import rotation_scope

blueprint = APIBlueprint("admin", __name__, tag="Administration", url_prefix="/admin")


@blueprint.get("/keys")
@blueprint.doc(summary="Keys and posture")
@described(Scope.ADMIN, {200: "Posture"})
@gate(API)
def keys() -> ResponseReturnValue:
    """The key inventory, custody, forecasts, the last runs and the alerts that hold."""
    who = actor()
    return posture_json(services().posture.report(who), services().alerts.active(who))


@blueprint.post("/keys/rotate")
@blueprint.doc(summary="Rotate file keys")
@described(Scope.ADMIN, {202: "QueuedJob"}, takes="NewRotation")
@gate(API)
def rotate_keys() -> ResponseReturnValue:
    """``{"scope": "due" | "all"}``, or ``{"images": [id, …]}``; a job does it."""
    body = json_body.json_object({"scope", "images"})
    job_id = services().rotation_requests.ask(actor(), rotation_scope(body))
    return {"job": str(job_id)}, 202
