"""The log of changes read back: what was done, what was there before, what came since."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, distinct, func, select
from sqlalchemy.orm import Session

from app.domain.annotation import Annotation
from app.domain.annotation_json import from_log
from app.domain.operations import Done
from app.models import AnnotationOp
from app.services.annotation_log import KEPT

Source = Session | Connection
#: The kinds of changes of single annotations.
BOXES: Final = frozenset({"add", "update", "delete"})
#: Ids in one ``IN``: far below SQLite's 32,766 variables.
_BATCH: Final = 1000
_FACTS = (
    AnnotationOp.id,
    AnnotationOp.seq,
    AnnotationOp.place,
    AnnotationOp.at,
    AnnotationOp.actor_id,
    AnnotationOp.kind,
    AnnotationOp.annotation_id,
    AnnotationOp.body,
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the log. ``before`` and ``after`` are as `annotation_log` tells them."""

    op_id: UUID
    seq: int
    place: int
    at: datetime
    actor_id: UUID | None
    kind: str
    annotation_id: UUID | None
    before: Any
    after: Any
    way: str


def entries() -> Select[Any]:
    """The rows that `entry_of` reads."""
    return select(*_FACTS)


def entry_of(row: Any) -> Entry:
    """Open a row; ``DecryptionFailed`` for a damaged one."""
    body = row.body.of(row.id)
    facts = (row.id, row.seq, row.place, row.at, row.actor_id, row.kind, row.annotation_id)
    return Entry(*facts, before=body["before"], after=body["after"], way=body["way"])


def done_before(
    source: Source, image_id: UUID, op_ids: Sequence[UUID]
) -> tuple[dict[UUID, Done], set[UUID]]:
    """Those of these that the picture's log has, and those that another picture's has."""
    done: dict[UUID, Done] = {}
    elsewhere: set[UUID] = set()
    for start in range(0, len(op_ids), _BATCH):
        rows: Any = source.execute(
            select(*_FACTS, AnnotationOp.image_id).where(
                AnnotationOp.id.in_(op_ids[start : start + _BATCH])
            )
        )
        for row in rows:
            if row.image_id == image_id:
                done[row.id] = _done(entry_of(row))
            else:
                elsewhere.add(row.id)
    return done, elsewhere


def _done(entry: Entry) -> Done:
    rev = entry.after if entry.kind == KEPT else entry.seq
    return Done(entry.op_id, entry.annotation_id, rev)


def as_they_were(
    source: Source, image_id: UUID, revisions: Mapping[UUID, int]
) -> dict[UUID, Annotation]:
    """Annotations at these revisions of theirs; one that is older than the log is left out.

    What the next change after that revision says was there before it: this finds those too
    that were drawn before the log began.
    """
    if not revisions:
        return {}
    rows: Any = source.execute(
        select(AnnotationOp.id, AnnotationOp.annotation_id, AnnotationOp.seq)
        .where(
            AnnotationOp.image_id == image_id,
            AnnotationOp.seq > min(revisions.values()),
            AnnotationOp.kind != KEPT,
        )
        .order_by(AnnotationOp.seq, AnnotationOp.place)
    )
    next_changes: dict[UUID, UUID] = {}
    for row in rows:
        rev = revisions.get(row.annotation_id)
        if rev is not None and row.seq > rev:
            next_changes.setdefault(row.annotation_id, row.id)
    found = (from_log(entry.before) for entry in _opened(source, [*next_changes.values()]))
    return {old.id: old for old in found if old is not None and old.rev == revisions[old.id]}


def since(source: Source, image_id: UUID, revision: int, most: int) -> list[Entry]:
    """The changes after a revision, oldest first; at most so many."""
    rows = source.execute(
        entries()
        .where(
            AnnotationOp.image_id == image_id,
            AnnotationOp.seq > revision,
            AnnotationOp.kind != KEPT,
        )
        .order_by(AnnotationOp.seq, AnnotationOp.place)
        .limit(most)
    )
    return [entry_of(row) for row in rows]


def reaches_back_to(source: Source, image_id: UUID, revision: int, now: int) -> bool:
    """Whether the log has every save after this revision up to the one of now."""
    saves = source.scalar(
        select(func.count(distinct(AnnotationOp.seq))).where(
            AnnotationOp.image_id == image_id, AnnotationOp.seq > revision
        )
    )
    return saves == now - revision


def undone(
    source: Source, image_id: UUID, revision: int, current: Iterable[Annotation]
) -> tuple[Annotation, ...]:
    """What ``current`` was at a revision that the log reaches back to, in its order.

    Of each annotation the first change since then tells what it was; of the order, where
    each one was before it first moved.
    """
    rows: Any = source.execute(
        select(AnnotationOp.id, AnnotationOp.kind, AnnotationOp.annotation_id)
        .where(AnnotationOp.image_id == image_id, AnnotationOp.seq > revision)
        .order_by(AnnotationOp.seq, AnnotationOp.place)
    )
    wanted: list[UUID] = []
    seen: set[UUID] = set()
    for row in rows:
        if row.kind == "order" or (row.kind in BOXES and row.annotation_id not in seen):
            wanted.append(row.id)
            seen.add(row.annotation_id)
    then = {one.id: one for one in current}
    places: dict[UUID, int] = {}
    for entry in sorted(_opened(source, wanted), key=_latest_first):
        if entry.kind == "order":
            places |= {UUID(id_): place for id_, place in entry.before.items()}
            continue
        before = from_log(entry.before)
        if before is not None:
            then[before.id] = before
            places[before.id] = before.position or 0
        elif entry.annotation_id is not None:
            then.pop(entry.annotation_id, None)
    found = (replace(one, position=places.get(id_, one.position)) for id_, one in then.items())
    return tuple(sorted(found, key=lambda one: (one.position or 0, one.id)))


def _latest_first(entry: Entry) -> tuple[int, int]:
    return -entry.seq, -entry.place


def _opened(source: Source, ids: Sequence[UUID]) -> Iterable[Entry]:
    for start in range(0, len(ids), _BATCH):
        chosen = AnnotationOp.id.in_(ids[start : start + _BATCH])
        yield from (entry_of(row) for row in source.execute(entries().where(chosen)))
