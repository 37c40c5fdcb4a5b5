"""The REST API, version 1: one blueprint, a module a noun, and what describes it."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.blueprints.api.v1 import account, admin, collections, images, jobs
from app.blueprints.api.v1.annotations import blueprint as annotations_blueprint
from app.blueprints.api.v1.description import describe

__all__ = ["blueprint", "describe"]

blueprint = APIBlueprint("api", __name__)
for _nested in (
    images.blueprint,
    annotations_blueprint,
    collections.blueprint,
    account.blueprint,
    jobs.blueprint,
    admin.blueprint,
):
    blueprint.register_blueprint(_nested)
