"""The figures of a picture, made once: when nobody is waited for any more."""

from __future__ import annotations

from itertools import combinations
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.agreement import compare, tally, tally_json
from app.domain.states import AnnotationState
from app.services.agreement.copy_rows import body_with, copies_of, write_copy


def compare_copies(session: Session, round_id: UUID, image_id: UUID, least: float) -> None:
    """Every pair of submitted copies once; kept with the first of the two. ``least``: the
    overlap from which on two things may be a pair."""
    copies = [
        copy
        for copy in copies_of(session, round_id, image_id)
        if copy.state is AnnotationState.DONE
    ]
    against: dict[UUID, dict[str, object]] = {copy.id: {} for copy in copies}
    for a, b in combinations(copies, 2):
        told = tally(compare(a.annotations, b.annotations, least))
        against[a.id][b.annotator_id.hex] = tally_json(told)
    for copy in copies:
        body = body_with(copy, copy.annotations, against=against[copy.id])
        write_copy(session, copy.id, {"body": body})
