"""Boxes that come from elsewhere, added to what a picture has; never twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid5

from app.domain.access import Actor
from app.domain.annotation import Annotation, Attributes
from app.domain.shape_document import shape_json
from app.domain.shapes import Bounds, Box
from app.errors import StaleRevision
from app.formats.labelled_box import LabelledBox

if TYPE_CHECKING:
    from app.services.annotations import Annotations

NAMESPACE: Final = UUID("5b0d6d0e-6b0f-5f3c-9c0e-2f6a3d1c7e41")
"""Of the ids of boxes that moved in; drawn once, never changed."""
TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class NewBox:
    """``id`` is made from where the box comes from: again, it is the same."""

    id: UUID
    label: str
    box: Box
    frame: int = 0
    attributes: Attributes = field(default_factory=dict)

    def is_in(self, annotation: Annotation | None) -> bool:
        """Whether what is stored says what the source says."""
        return annotation is not None and (
            (annotation.label, annotation.shape, annotation.frame, dict(annotation.attributes))
            == (self.label, self.box, self.frame, dict(self.attributes))
        )


def boxes_of_file(
    image_id: UUID, boxes: Sequence[LabelledBox], width: int, height: int
) -> tuple[NewBox, ...]:
    """The boxes of a label file on a picture of this size, as it is shown.

    An id is made from the picture, label and place, so that a line that moves within its
    file is the same box; equal lines count one up. ``InvalidInput``.
    """
    made: list[NewBox] = []
    seen: dict[str, int] = {}
    for box in boxes:
        told = f"{image_id}|{box.label}|{box.x!r}|{box.y!r}|{box.w!r}|{box.h!r}|{box.units}"
        seen[told] = seen.get(told, 0) + 1
        id_ = uuid5(NAMESPACE, f"{told}|{seen[told]}")
        made.append(NewBox(id_, box.label, box.on(width, height)))
    return tuple(made)


def id_of_row(image_id: UUID, table: str, row: str) -> UUID:
    """The id of the box that a row of an older database tells of."""
    return uuid5(NAMESPACE, f"{image_id}|row|{table}|{row}")


class BoxMoves:
    """Adds and compares; what people changed since is never overwritten."""

    def __init__(self, annotations: Annotations) -> None:
        self._annotations = annotations

    def add(self, actor: Actor, image_id: UUID, boxes: Sequence[NewBox]) -> int:
        """Add those that the picture does not have yet; how many that were.

        Raises as ``Annotations.put``: ``InvalidInput``, ``NotFound``, ``NotPermitted``.
        """
        for attempt in range(TRIES):
            current = self._annotations.get(actor, image_id)
            there = {annotation.id for annotation in current.annotations}
            new = [box for box in boxes if box.id not in there]
            if not new:
                return 0
            document = {
                "annotations": [*map(_kept, current.annotations), *map(_drawn, new)],
            }
            try:
                self._annotations.put(actor, image_id, document, current.revision)
            except StaleRevision:
                if attempt == TRIES - 1:
                    raise
                continue
            return len(new)
        return 0

    def current(self, actor: Actor, image_id: UUID) -> dict[UUID, Annotation]:
        """The boxes that a picture has, by id."""
        return {one.id: one for one in self._annotations.get(actor, image_id).annotations}

    def differing(self, actor: Actor, image_id: UUID, boxes: Sequence[NewBox]) -> int:
        """How many of these the picture lacks, or has otherwise."""
        current = self.current(actor, image_id)
        return sum(not box.is_in(current.get(box.id)) for box in boxes)


def _kept(annotation: Annotation) -> dict[str, Any]:
    return {
        "id": str(annotation.id),
        "label_id": str(annotation.label_id),
        "box": _sides(annotation.box),
        "shape": shape_json(annotation.shape),
        "frame": annotation.frame,
        "attributes": dict(annotation.attributes),
    }


def _drawn(box: NewBox) -> dict[str, Any]:
    return {
        "id": str(box.id),
        "label": box.label,
        "box": _sides(box.box),
        "frame": box.frame,
        "attributes": dict(box.attributes),
    }


def _sides(box: Box | Bounds) -> dict[str, float]:
    return {"x": box.x, "y": box.y, "w": box.w, "h": box.h}
