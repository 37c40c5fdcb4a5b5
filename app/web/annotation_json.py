"""Annotation sets as the API tells them."""

from __future__ import annotations

from typing import Any

from app.domain.annotation import Annotation
from app.services.annotations import AnnotationSet


def set_json(found: AnnotationSet) -> dict[str, Any]:
    """Return a set; boxes in pixels of the upright picture, origin at the top left."""
    return {
        "state": found.state.value,
        "revision": found.revision,
        "annotations": [_annotation(annotation) for annotation in found.annotations],
    }


def _annotation(annotation: Annotation) -> dict[str, Any]:
    box = annotation.box
    return {
        "id": str(annotation.id),
        "rev": annotation.rev,
        "label": annotation.label,
        "label_id": str(annotation.label_id),
        "box": {"x": box.x, "y": box.y, "w": box.w, "h": box.h},
        "frame": annotation.frame,
        "attributes": dict(annotation.attributes),
    }
