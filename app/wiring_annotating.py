"""The services by which people annotate together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.services.annotation_changes import AnnotationChanges
from app.services.annotation_history import AnnotationHistory
from app.services.annotation_ops import AnnotationOps
from app.services.comments import Comments
from app.services.presences import Presences

if TYPE_CHECKING:
    from app.wiring import House


def annotating_services(house: House) -> dict[str, Any]:
    """Services by the name of their field in `Services`."""
    uow, writing = house.uow, house.writing
    return {
        "annotation_changes": AnnotationChanges(uow, Presences(uow)),
        "annotation_history": AnnotationHistory(uow, writing),
        "annotation_ops": AnnotationOps(uow, writing),
        "comments": Comments(uow, house.audit),
    }
