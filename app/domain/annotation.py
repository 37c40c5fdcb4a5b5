"""Annotations, and what a written set changes in the set that is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from app.domain.ids import new_id
from app.domain.shapes import Bounds, Box, Shape
from app.domain.states import AnnotationState

MAX_BOXES: Final = 10_000

Scalar = str | int | float | bool | None
Attributes = Mapping[str, Scalar | Sequence[Scalar]]


@dataclass(frozen=True, slots=True)
class Draft:
    """An annotation as it was sent. ``id`` None: the server makes one. Exactly one of
    ``label`` and ``label_id`` is told; ``rev`` is what the sender last saw. ``path`` is where
    it stood.
    """

    path: str
    shape: Shape
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
    """One of the set: ``rev`` is the set's revision when this one last changed.

    ``position`` is its place in the order in which they lie on each other, which is no part
    of what it says; None where nobody has looked or decided.
    """

    id: UUID
    rev: int
    label_id: UUID
    label: str
    shape: Shape
    frame: int
    attributes: Attributes
    position: int | None = field(default=None, compare=False)

    @property
    def box(self) -> Box | Bounds:
        """The shape itself where it is a box, else what is around it."""
        return self.shape if isinstance(self.shape, Box) else self.shape.bounds

    def says_the_same_as(self, other: Annotation) -> bool:
        """Whether label, place and attributes are equal; ``1``, ``1.0`` and ``true`` differ."""
        same = (self.label_id, self.shape, self.frame) == (
            other.label_id,
            other.shape,
            other.frame,
        )
        return same and _canonical(self.attributes) == _canonical(other.attributes)


@dataclass(frozen=True, slots=True)
class Change:
    """One step of a save: an annotation before and after it, None for none.

    ``op_id`` names the step in the log; who sends an operation makes it.
    """

    op_id: UUID
    before: Annotation | None
    after: Annotation | None

    @property
    def subject(self) -> Annotation:
        """What there is of it: after the step, or else before."""
        known = self.after or self.before
        if known is None:
            raise ValueError("a change of nothing")
        return known

    @property
    def kind(self) -> str:
        """``add``, ``update`` or ``delete``."""
        if self.before is None:
            return "add"
        return "delete" if self.after is None else "update"


@dataclass(frozen=True, slots=True)
class Move:
    """An annotation that only lies elsewhere in the order."""

    id: UUID
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Reorder:
    """Another order: those that have to move for it."""

    op_id: UUID
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """An operation that asked for what is there; ``rev`` of its box, None for no box.

    It is remembered, or it would do something when it is sent again.
    """

    op_id: UUID
    annotation_id: UUID | None
    rev: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What a save changes, step by step; then the new orders, the last one wins."""

    steps: tuple[Change, ...] = ()
    orders: tuple[Reorder, ...] = ()
    kept: tuple[Kept, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.steps or self.orders)


def merge(current: Sequence[Annotation], wanted: Sequence[Annotation]) -> Changes:
    """Compare a whole new set, in its order, with the current one.

    A box that says the same is no step; what is not named is deleted. ``wanted`` has no id
    twice.
    """
    before = {annotation.id: annotation for annotation in current}
    now = {id_: old.position or 0 for id_, old in before.items()}
    places = rising(now, [annotation.id for annotation in wanted])
    steps: list[Change] = []
    moves: list[Move] = []
    for annotation in wanted:
        old, place = before.pop(annotation.id, None), places[annotation.id]
        if old is None or not old.says_the_same_as(annotation):
            steps.append(Change(new_id(), old, replace(annotation, position=place)))
        elif now[old.id] != place:
            moves.append(Move(old.id, now[old.id], place))
    steps.extend(Change(new_id(), old, None) for old in before.values())
    return Changes(tuple(steps), (Reorder(new_id(), tuple(moves)),) if moves else ())


def rising(now: Mapping[UUID, int], wanted: Iterable[UUID]) -> dict[UUID, int]:
    """Places that rise along ``wanted``; whoever can stay where it is now does."""
    places: dict[UUID, int] = {}
    last = -1
    for id_ in wanted:
        last = max(now.get(id_, -1), last + 1)
        places[id_] = last
    return places


def _canonical(attributes: Attributes) -> str:
    return json.dumps(attributes, sort_keys=True)
