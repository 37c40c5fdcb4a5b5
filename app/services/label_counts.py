"""What is known by label without opening annotations: tallies, and tokens where wished.

Heard in the transaction of every save. It costs nothing where no annotation came, went or
changed its class; else one sealed row is read and written, and of the picture's other
annotations as many are opened as it takes to meet one of the same class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.annotation import Annotation
from app.domain.states import ImageStatus
from app.errors import DecryptionFailed
from app.models import Annotation as AnnotationRow
from app.services.label_index import LabelIndex
from app.services.label_tallies import add_tallies
from app.services.picture_access import PictureAccess
from app.services.schema_rows import is_indexed

#: Rows of the first look; what it does not find, the second one seeks in all the others.
_FEW: Final = 16


@dataclass(frozen=True, slots=True)
class Moved:
    """A picture's whole set before and after a save: how many there are of each class."""

    picture: PictureAccess
    before: Counter[UUID]
    after: Counter[UUID]


class LabelCounts:
    """Hears of every change of annotations, whoever makes it."""

    def __init__(self, index: LabelIndex) -> None:
        self._index = index

    def note(
        self,
        session: Session,
        picture: PictureAccess,
        before: Sequence[Annotation],
        after: Sequence[Annotation],
    ) -> None:
        """In ``picture`` these annotations went, and these came: one that changed stands in
        both. Called once a save, after its rows were written.
        """
        went, came = (Counter(one.label_id for one in side) for side in (before, after))
        if went == came:
            return
        there = went.keys() ^ came.keys()
        if there and picture.annotation_count > len(before):  # there are others
            there = there - _others(session, picture.id, there, {one.id for one in after})
        seen = {label: (label in came) - (label in went) for label in there}
        if picture.facts.status is not ImageStatus.TRASHED:
            steps = {
                label: (came[label] - went[label], seen.get(label, 0))
                for label in went.keys() | came.keys()
            }
            add_tallies(session, picture.collection_id, steps)
        if seen and is_indexed(session, picture.collection_id):
            self._index.move(session, picture.collection_id, picture.id, seen)

    def note_all(self, session: Session, collection_id: UUID, moved: Iterable[Moved]) -> None:
        """As `note`, for whole sets of several pictures of one collection."""
        numbers, pictures = Counter[UUID](), Counter[UUID]()
        seen: dict[UUID, dict[UUID, int]] = {}
        for one in moved:
            steps = _presence(one)
            if steps:
                seen[one.picture.id] = steps
            if one.picture.facts.status is not ImageStatus.TRASHED:
                numbers.update(one.after)
                numbers.subtract(one.before)
                pictures.update(steps)
        steps_of = {label: (numbers[label], pictures[label]) for label in numbers}
        add_tallies(session, collection_id, steps_of)
        if seen and is_indexed(session, collection_id):
            self._index.move_all(session, collection_id, seen)


def _presence(moved: Moved) -> dict[UUID, int]:
    """By class: 1, the picture has it from now on, or -1, it has it no more."""
    labels = moved.before.keys() ^ moved.after.keys()
    return {label: 1 if label in moved.after else -1 for label in labels}


def _others(session: Session, image_id: UUID, wanted: set[UUID], but: set[UUID]) -> set[UUID]:
    """Those of these classes that the picture's other annotations have."""
    sought = {label.hex: label for label in wanted}  # as it is sealed: hundreds are compared
    found: set[UUID] = set()
    for text in _labels(session, image_id, but):
        if text in sought:
            found.add(sought.pop(text))
            if not sought:
                break
    return found


def _labels(session: Session, image_id: UUID, but: set[UUID]) -> Iterator[str]:
    """The classes of the picture's annotations in hex, the topmost first: what was drawn last
    is most often of the same class. What does not open is left out."""
    wanted = (
        select(AnnotationRow.id, AnnotationRow.label)
        .where(AnnotationRow.image_id == image_id)
        .order_by(AnnotationRow.position.desc(), AnnotationRow.id)
    )
    rows = session.connection()  # hundreds of rows: without the ORM's work on each
    first = rows.execute(wanted.limit(_FEW)).all()
    yield from _opened(first, but)
    if len(first) == _FEW:
        yield from _opened(rows.execute(wanted.offset(_FEW)).all(), but)


def _opened(rows: Iterable[Any], but: set[UUID]) -> Iterator[str]:
    for id_, label in rows:
        if id_ not in but:
            with suppress(DecryptionFailed):
                yield label.of(id_)
