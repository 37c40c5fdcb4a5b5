"""A set of annotations as JSON: read with the place of every mistake.

``{"state": "done", "annotations": [{"id", "rev", "label" | "label_id", "box": {x, y, w, h},
"frame", "attributes"}]}``; only ``annotations`` and in each ``box`` and a label are needed.
Unknown members are ignored, as in what GET answered with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeVar
from uuid import UUID

from app.domain.annotation import MAX_BOXES, Attributes, Box, Draft, DraftSet
from app.domain.attributes import check_attributes
from app.domain.ids import read_id
from app.domain.labels import clean_label
from app.domain.names import refuse
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
    reading = _Reading()
    state = reading.take(_state, document.get("state"), "state")
    drafts = tuple(reading.drafts(items))
    reading.finish()
    return DraftSet(state, drafts)


class _Reading:
    """Goes on after a mistake, so that all are told at once."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.ids: set[UUID] = set()

    def take(self, read: Callable[[object, str], T], value: object, path: str) -> T | None:
        try:
            return read(value, path)
        except InvalidInput as refusal:
            self.mistakes.extend(refusal.mistakes)
            return None

    def drafts(self, items: list[object]) -> Iterator[Draft]:
        for place, item in enumerate(items):
            if len(self.mistakes) >= MAX_MISTAKES:
                return
            draft = self._draft(item, f"annotations[{place}]")
            if draft is not None:
                yield draft

    def _draft(self, item: object, path: str) -> Draft | None:
        if not isinstance(item, dict):
            self.mistakes.append(Mistake(path, "This must be an object."))
            return None
        id_ = self.take(_id, item.get("id"), f"{path}.id")
        self._see(id_, path)
        rev = self.take(_count, item.get("rev"), f"{path}.rev")
        frame = self.take(_count, item.get("frame"), f"{path}.frame")
        label = self.take(lambda _, at: _label(item, at), None, path)
        box = self.take(_box, item.get("box"), f"{path}.box")
        attributes: Attributes | None = self.take(
            check_attributes, item.get("attributes"), f"{path}.attributes"
        )
        if label is None or box is None:
            return None
        name, label_id = label
        return Draft(path, box, name, label_id, id_, rev, frame or 0, attributes)

    def _see(self, id_: UUID | None, path: str) -> None:
        if id_ in self.ids:
            self.mistakes.append(Mistake(f"{path}.id", "This id stands twice in the set."))
        if id_ is not None:
            self.ids.add(id_)

    def finish(self) -> None:
        if self.mistakes:
            raise InvalidInput(
                "This set of annotations has mistakes.", mistakes=self.mistakes[:MAX_MISTAKES]
            )


def _state(value: object, path: str) -> AnnotationState | None:
    if value is None:
        return None
    found = next((state for state in AnnotationState if state == value), None)
    if found is None:
        raise refuse(path, "A state is one of " + ", ".join(AnnotationState) + ".")
    return found


def _id(value: object, path: str) -> UUID | None:
    if value is None:
        return None
    found = read_id(value)
    if found is None:
        raise refuse(path, "This is not an id.")
    return found


def _count(value: object, path: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_FRAME:
        raise refuse(path, "This must be a whole number from 0 on.")
    return value


def _label(item: Json, path: str) -> tuple[str | None, UUID | None]:
    """Name or id of the class; the name wins where both are told, as GET tells both."""
    if item.get("label") is not None:
        return clean_label(item["label"], f"{path}.label"), None
    if item.get("label_id") is not None:
        return None, _id(item["label_id"], f"{path}.label_id")
    raise refuse(f"{path}.label", "A box needs a label.")


def _box(value: object, path: str) -> Box:
    if not isinstance(value, dict):
        raise refuse(path, "This must be an object with x, y, w and h.")
    sides = {side: _number(value.get(side), f"{path}.{side}") for side in ("x", "y", "w", "h")}
    for side in ("w", "h"):
        if sides[side] <= 0:
            raise refuse(f"{path}.{side}", "This must be greater than 0.")
    try:
        return Box(**sides)
    except ValueError:
        raise refuse(path, "This box ends beyond the largest number.") from None


def _number(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(path, "This must be a number.")
    try:
        number = float(value)
    except OverflowError:
        number = float("inf")
    if not float("-inf") < number < float("inf"):
        raise refuse(path, "This must be a finite number.")
    return number
