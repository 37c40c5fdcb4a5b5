"""The log of changes of a picture's annotations: appended to, never changed afterwards.

Each save has at least one row, and its rows share the revision that it made as ``seq`` (what
was only kept: the one that was there).
``kind`` is what was done, ``body`` what it changed and by which way it came:

=======================  ===================================================================
 add, update, delete      ``{"before", "after"}``: the annotation, or null (`logged_json`)
 order                    ``{"before", "after"}``: positions by id in hex, of those that moved
 state                    ``{"before", "after"}``: the words of the states
 kept                     ``{"before": null, "after"}``: the revision of a box that was so
                          already, or null; no change, but never to be done again
=======================  ===================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.domain.annotation import Changes
from app.domain.annotation_json import logged_json
from app.domain.ids import new_id
from app.domain.operations import SaveKind
from app.domain.states import AnnotationState
from app.models import AnnotationOp

KEPT: Final = "kept"


@dataclass(frozen=True, slots=True)
class Save:
    """What one save did; ``seq`` is the revision after it."""

    image_id: UUID
    seq: int
    at: datetime
    actor_id: UUID | None
    way: SaveKind
    changes: Changes
    states: tuple[AnnotationState, AnnotationState]

    @property
    def says_more(self) -> bool:
        """Whether the set is another after it."""
        before, after = self.states
        return self.changes.any or after is not before


def append(session: Session, save: Save) -> None:
    """Add the rows of a save."""
    rows = [row | {"at": save.at} for row in log_rows(save)]
    if rows:
        session.execute(insert(AnnotationOp), rows)


def log_rows(save: Save) -> list[dict[str, Any]]:
    """The rows of a save but for when it was."""
    told = {"image_id": save.image_id, "seq": save.seq, "actor_id": save.actor_id}
    return [{**row, **told, "place": place} for place, row in enumerate(_rows(save))]


def _rows(save: Save) -> Iterator[dict[str, Any]]:
    for step in save.changes.steps:
        before, after = logged_json(step.before), logged_json(step.after)
        yield _row(save, step.kind, before, after, step.op_id, step.subject.id)
    for order in save.changes.orders:
        was = {move.id.hex: move.before for move in order.moves}
        is_now = {move.id.hex: move.after for move in order.moves}
        yield _row(save, "order", was, is_now, order.op_id)
    for kept in save.changes.kept:
        yield _row(save, KEPT, None, kept.rev, kept.op_id, kept.annotation_id)
    old, new = save.states
    if old is not new:
        yield _row(save, "state", old.value, new.value)


def _row(
    save: Save,
    kind: str,
    before: object,
    after: object,
    op_id: UUID | None = None,
    annotation_id: UUID | None = None,
) -> dict[str, Any]:
    return {
        "id": op_id or new_id(),
        "kind": kind,
        "annotation_id": annotation_id,
        "body": {"before": before, "after": after, "way": save.way.value},
    }
