"""An annotation as JSON: what the API tells of it, and what the log of changes keeps.

``{"id", "rev", "label", "label_id", "box": {x, y, w, h}, "shape"?, "frame", "attributes"}``;
the log keeps ``position`` too. A plain box has no ``shape``; see `shape_document`.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from app.domain.annotation import Annotation
from app.domain.shape_document import SIDES, read_shape, shape_json
from app.domain.shapes import Box, Shape

Json = dict[str, Any]


def annotation_json(annotation: Annotation) -> Json:
    """As the API tells it; in pixels of the upright picture, origin at the top left."""
    box, shape = annotation.box, shape_json(annotation.shape)
    return {
        "id": str(annotation.id),
        "rev": annotation.rev,
        "label": annotation.label,
        "label_id": str(annotation.label_id),
        "box": {side: getattr(box, side) for side in SIDES},
        **({"shape": shape} if shape else {}),
        "frame": annotation.frame,
        "attributes": dict(annotation.attributes),
    }


def logged_json(annotation: Annotation | None) -> Json | None:
    """As the log keeps it; None for none."""
    if annotation is None:
        return None
    return annotation_json(annotation) | {"position": annotation.position}


def from_log(value: Json | None) -> Annotation | None:
    """What `logged_json` told."""
    if value is None:
        return None
    return Annotation(
        id=UUID(value["id"]),
        rev=value["rev"],
        label_id=UUID(value["label_id"]),
        label=value["label"],
        shape=_shape(value),
        frame=value["frame"],
        attributes=value["attributes"],
        position=value.get("position"),
    )


def _shape(value: Json) -> Shape:
    if value.get("shape") is not None:
        return read_shape(value["shape"], "shape")
    return Box(*(value["box"][side] for side in SIDES))
