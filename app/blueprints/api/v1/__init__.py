"""The REST API, version 1: one blueprint, a module a noun, and what describes it."""

from __future__ import annotations

from apiflask import APIBlueprint

from app.blueprints.api.v1 import (
    account,
    admin,
    annotation_history,
    collections,
    comments,
    copies,
    exchange,
    filters,
    images,
    jobs,
    label_sets,
    labels,
    rounds,
    tasks,
)
from app.blueprints.api.v1.annotations import blueprint as annotations_blueprint
from app.blueprints.api.v1.description import describe

__all__ = ["blueprint", "describe", "label_sets", "labels"]

blueprint = APIBlueprint("api", __name__)
for _nested in (
    images.blueprint,
    annotations_blueprint,
    annotation_history.blueprint,
    comments.blueprint,
    collections.blueprint,
    tasks.blueprint,
    copies.blueprint,
    rounds.blueprint,
    account.blueprint,
    filters.blueprint,
    exchange.blueprint,
    jobs.blueprint,
    admin.blueprint,
):
    blueprint.register_blueprint(_nested)
