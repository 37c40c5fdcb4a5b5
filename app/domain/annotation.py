"""Boxes, and what a written set changes in the set that is there.

A box is four float64 in pixels of the picture as it is shown (EXIF orientation applied):
origin at the top left, ``x <= px < x + w`` inside (half open), not clipped to the picture.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.domain.states import AnnotationState

MAX_BOXES: Final = 10_000

Scalar = str | int | float | bool | None
Attributes = Mapping[str, Scalar | Sequence[Scalar]]


@dataclass(frozen=True, slots=True)
class Box:
    """Raises ``ValueError`` unless all is finite, right and bottom too, and it has an area."""

    x: float
    y: float
    w: float
    h: float

    def __post_init__(self) -> None:
        edges = (self.x, self.y, self.w, self.h, self.x + self.w, self.y + self.h)
        if not all(map(math.isfinite, edges)):
            raise ValueError("a box is made of finite numbers")
        if self.w <= 0 or self.h <= 0:
            raise ValueError("a box has a width and a height above 0")


@dataclass(frozen=True, slots=True)
class Draft:
    """A box as it was sent. ``id`` None: the server makes one. Exactly one of ``label`` and
    ``label_id`` is told; ``rev`` is what the sender last saw. ``path`` is where it stood.
    """

    path: str
    box: Box
    label: str | None = None
    label_id: UUID | None = None
    id: UUID | None = None
    rev: int | None = None
    frame: int = 0
    attributes: Attributes | None = None


@dataclass(frozen=True, slots=True)
class DraftSet:
    """``state`` None: the sender says nothing about it."""

    state: AnnotationState | None
    drafts: tuple[Draft, ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """A box of the set: ``rev`` is the set's revision when this box last changed."""

    id: UUID
    rev: int
    label_id: UUID
    label: str
    box: Box
    frame: int
    attributes: Attributes

    def says_the_same_as(self, other: Annotation) -> bool:
        """Whether label, place and attributes are equal; ``1``, ``1.0`` and ``true`` differ."""
        same = (self.label_id, self.box, self.frame) == (other.label_id, other.box, other.frame)
        return same and _canonical(self.attributes) == _canonical(other.attributes)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a PUT does. ``result`` is the whole new set, in the order in which it was sent."""

    added: tuple[Annotation, ...]
    updated: tuple[Annotation, ...]
    deleted: tuple[UUID, ...]
    result: tuple[Annotation, ...]

    @property
    def any(self) -> bool:
        return bool(self.added or self.updated or self.deleted)


def merge(
    current: Sequence[Annotation], wanted: Sequence[Annotation], revision: int
) -> Changes:
    """Compare a whole new set with the current one.

    A box that says the same keeps its ``rev``; what is new or different gets ``revision``
    (the set's next one); what is not named is deleted. ``wanted`` has no id twice.
    """
    before = {annotation.id: annotation for annotation in current}
    added: list[Annotation] = []
    updated: list[Annotation] = []
    result: list[Annotation] = []
    for new in wanted:
        old = before.pop(new.id, None)
        kept = old if old is not None and old.says_the_same_as(new) else _at(new, revision)
        result.append(kept)
        if old is None:
            added.append(kept)
        elif kept is not old:
            updated.append(kept)
    return Changes(tuple(added), tuple(updated), tuple(before), tuple(result))


def _canonical(attributes: Attributes) -> str:
    return json.dumps(attributes, sort_keys=True)


def _at(annotation: Annotation, revision: int) -> Annotation:
    return replace(annotation, rev=revision)
