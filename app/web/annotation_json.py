"""Annotation sets as the API tells them."""

from __future__ import annotations

from typing import Any

from app.domain.annotation import Annotation
from app.domain.annotation_json import annotation_json
from app.services.annotation_ops import BoxConflict, Patched
from app.services.annotations import AnnotationSet


def set_json(found: AnnotationSet) -> dict[str, Any]:
    """Return a set; boxes in pixels of the upright picture, origin at the top left."""
    return {
        "state": found.state.value,
        "revision": found.revision,
        "schema": found.schema,
        "annotations": [annotation_json(annotation) for annotation in found.annotations],
    }


def patched_json(found: Patched) -> dict[str, Any]:
    """Return what a save of operations did; conflicts only where there are any."""
    told: dict[str, Any] = {
        "state": found.state.value,
        "revision": found.revision,
        "schema": found.schema,
        "applied": [
            {"op_id": str(done.op_id), "id": str(done.id) if done.id else None, "rev": done.rev}
            for done in found.done
        ],
    }
    if found.conflicts:
        told["conflicts"] = [_conflict(conflict) for conflict in found.conflicts]
    return told


def _conflict(found: BoxConflict) -> dict[str, Any]:
    return {
        "id": str(found.id),
        "op_ids": [str(op_id) for op_id in found.op_ids],
        "base": annotation_or_null(found.base),
        "mine": annotation_or_null(found.mine),
        "theirs": annotation_or_null(found.theirs),
    }


def annotation_or_null(found: Annotation | None) -> dict[str, Any] | None:
    return annotation_json(found) if found is not None else None
