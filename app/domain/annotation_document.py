"""A set of annotations as JSON: read with the place of every mistake.

``{"state": "done", "annotations": [{"id", "rev", "label" | "label_id", "box": {x, y, w, h},
"shape", "frame", "attributes"}]}``; only ``annotations`` and in each a ``box`` or a ``shape``
(see `shape_document`) and a label are needed.
Unknown members are ignored, as in what GET answered with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar
from uuid import UUID

from app.domain.annotation import MAX_BOXES, Attributes, Draft, DraftSet
from app.domain.attributes import check_attributes
from app.domain.ids import read_id
from app.domain.labels import clean_label
from app.domain.names import refuse
from app.domain.points import check_points, points_of
from app.domain.shape_document import read_box, read_shape
from app.domain.shapes import Shape
from app.domain.states import AnnotationState
from app.errors import InvalidInput, Mistake

#: More mistakes than this help nobody, and a body could hold 40,000.
MAX_MISTAKES: Final = 50
MAX_FRAME: Final = 2**31 - 1

T = TypeVar("T")
Json = dict[str, object]


def read_annotation_set(document: object) -> DraftSet:
    """The set that a parsed JSON document describes; ``InvalidInput`` with JSON paths."""
    if not isinstance(document, dict):
        raise refuse("", "This must be an object with annotations.")
    items = document.get("annotations")
    if not isinstance(items, list):
        raise refuse("annotations", "This must be a list.")
    if len(items) > MAX_BOXES:
        raise refuse("annotations", f"At most {MAX_BOXES} boxes fit into one picture.")
    reading = Reading()
    state = reading.take(read_state, document.get("state"), "state")
    drafts = tuple(reading.drafts(items))
    reading.finish("This set of annotations")
    return DraftSet(state, drafts)


class Reading:
    """Goes on after a mistake, so that all are told at once."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.ids: set[UUID] = set()
        self.points = 0

    @property
    def is_enough(self) -> bool:
        """Whether more mistakes would help nobody."""
        return len(self.mistakes) >= MAX_MISTAKES

    def take(self, read: Callable[[object, str], T], value: object, path: str) -> T | None:
        try:
            return read(value, path)
        except InvalidInput as refusal:
            self.mistakes.extend(refusal.mistakes)
            return None

    def drafts(self, items: list[object]) -> Iterator[Draft]:
        for place, item in enumerate(items):
            if self.is_enough:
                return
            draft = self._draft(item, f"annotations[{place}]")
            if draft is not None:
                yield draft

    def _draft(self, item: object, path: str) -> Draft | None:
        if not isinstance(item, dict):
            self.mistakes.append(Mistake(path, "This must be an object."))
            return None
        id_ = self.take(read_member_id, item.get("id"), f"{path}.id")
        self.see(id_, f"{path}.id")
        rev = self.take(read_count, item.get("rev"), f"{path}.rev")
        frame = self.take(read_count, item.get("frame"), f"{path}.frame")
        label = self.take(lambda _, at: read_label(item, at), None, path)
        shape = self.shape(item, path)
        attributes: Attributes | None = self.take(
            check_attributes, item.get("attributes"), f"{path}.attributes"
        )
        if label is None or shape is None:
            return None
        name, label_id = label
        return Draft(path, shape, name, label_id, id_, rev, frame or 0, attributes)

    def shape(self, item: Json, path: str) -> Shape | None:
        """A shape wins over its box, as GET tells both; None after a mistake."""
        if item.get("shape") is None:
            return self.take(read_box, item.get("box"), f"{path}.box")
        shape = self.take(read_shape, item["shape"], f"{path}.shape")
        self.points += points_of(shape) if shape is not None else 0
        check_points(0, self.points, path)
        return shape

    def see(self, id_: UUID | None, path: str) -> None:
        if id_ in self.ids:
            self.mistakes.append(Mistake(path, "This id stands twice."))
        if id_ is not None:
            self.ids.add(id_)

    def finish(self, what: str) -> None:
        """Raise ``InvalidInput`` if there were mistakes in it."""
        if self.mistakes:
            raise InvalidInput(f"{what} has mistakes.", mistakes=self.mistakes[:MAX_MISTAKES])


def read_state(value: object, path: str) -> AnnotationState | None:
    """A state by its word, None for nothing said; ``InvalidInput``."""
    if value is None:
        return None
    found = next((state for state in AnnotationState if state == value), None)
    if found is None:
        raise refuse(path, "A state is one of " + ", ".join(AnnotationState) + ".")
    return found


def read_member_id(value: object, path: str) -> UUID | None:
    """An id, None for none; ``InvalidInput``."""
    if value is None:
        return None
    found = read_id(value)
    if found is None:
        raise refuse(path, "This is not an id.")
    return found


def read_count(value: object, path: str) -> int | None:
    """A number of a frame or a revision, None for none; ``InvalidInput``."""
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_FRAME:
        raise refuse(path, "This must be a whole number from 0 on.")
    return value


def read_label(item: Json, path: str) -> tuple[str | None, UUID | None]:
    """Name or id of the class; the name wins where both are told, as GET tells both."""
    if item.get("label") is not None:
        return clean_label(item["label"], f"{path}.label"), None
    if item.get("label_id") is not None:
        return None, read_member_id(item["label_id"], f"{path}.label_id")
    raise refuse(f"{path}.label", "A box needs a label.")
