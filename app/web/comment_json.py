"""Comments as the API tells and takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.domain.ids import read_id
from app.domain.shape_document import read_number
from app.services.comments import CommentView
from app.web import forms
from app.web.history_json import person_or_null
from app.web.receipt_json import rfc3339


def comment_json(comment: CommentView) -> dict[str, Any]:
    """Return one comment; its point is in pixels of the upright picture."""
    return {
        "id": str(comment.id),
        "image_id": str(comment.image_id),
        "annotation_id": str(comment.annotation_id) if comment.annotation_id else None,
        "point": dict(zip("xy", comment.point, strict=True)) if comment.point else None,
        "text": comment.text,
        "author": person_or_null(comment.author),
        "rejection": comment.rejection,
        "created_at": rfc3339(comment.created_at),
        "updated_at": rfc3339(comment.updated_at),
        "resolved_at": rfc3339(comment.resolved_at),
        "resolved_by": person_or_null(comment.resolver),
        "can": list(comment.can),
    }


def pin_of(document: Mapping[str, Any]) -> tuple[UUID | None, tuple[float, float] | None]:
    """Read what a comment is pinned to: an annotation, a point, or nothing."""
    told = document.get("annotation_id")
    annotation_id = read_id(told) if told is not None else None
    if told is not None and annotation_id is None:
        raise forms.wrong("$.annotation_id", "must be an id")
    point = document.get("point")
    if point is None:
        return annotation_id, None
    if not isinstance(point, dict):
        raise forms.wrong("$.point", "must be an object with x and y")
    x, y = (read_number(point.get(side), f"$.point.{side}") for side in "xy")
    return annotation_id, (x, y)
