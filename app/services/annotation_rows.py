"""The boxes of a picture as rows: read whole, written as differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.orm import Session

from app.domain.annotation import Annotation, Box, Changes
from app.domain.labels import LabelClass
from app.models import Annotation as AnnotationRow

_COLUMNS = (
    AnnotationRow.id,
    AnnotationRow.rev,
    AnnotationRow.label,
    AnnotationRow.box,
    AnnotationRow.frame,
    AnnotationRow.attributes,
)
#: Ids in one ``IN``: far below SQLite's 32,766 variables.
_BATCH = 1000
UNKNOWN_LABEL = "?"


def read_rows(
    source: Session | Connection, image_id: UUID, classes: Mapping[UUID, LabelClass]
) -> tuple[Annotation, ...]:
    """The boxes in their order; raises ``DecryptionFailed`` for a damaged one."""
    rows: Any = source.execute(
        select(*_COLUMNS)
        .where(AnnotationRow.image_id == image_id)
        .order_by(AnnotationRow.position, AnnotationRow.id)
    )
    return tuple(_annotation(row, classes) for row in rows)


def ids_of_other_pictures(session: Session, image_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Those of these ids that boxes of other pictures have."""
    taken: set[UUID] = set()
    for start in range(0, len(ids), _BATCH):
        chosen = AnnotationRow.id.in_(ids[start : start + _BATCH])
        taken |= set(
            session.scalars(
                select(AnnotationRow.id).where(chosen, AnnotationRow.image_id != image_id)
            )
        )
    return taken


def write_changes(
    session: Session,
    image_id: UUID,
    changes: Changes,
    before: Sequence[Annotation],
    author_id: UUID | None,
    at: datetime,
) -> None:
    """Delete, insert and update what changed; a box that only moved in the order gets its
    new position and nothing else.
    """
    place = {annotation.id: n for n, annotation in enumerate(changes.result)}
    for start in range(0, len(changes.deleted), _BATCH):
        batch = changes.deleted[start : start + _BATCH]
        session.execute(delete(AnnotationRow).where(AnnotationRow.id.in_(batch)))
    touched = {"author_id": author_id, "updated_at": at}
    if changes.added:
        fresh = touched | {"image_id": image_id, "created_at": at}
        rows = [_row(new, place[new.id]) | fresh for new in changes.added]
        session.execute(insert(AnnotationRow), rows)
    if changes.updated:
        rows = [_row(new, place[new.id]) | touched for new in changes.updated]
        session.execute(update(AnnotationRow), rows)
    written = {annotation.id for annotation in (*changes.added, *changes.updated)}
    moved = [
        {"id": old.id, "position": place[old.id]}
        for n, old in enumerate(before)
        if old.id in place and old.id not in written and place[old.id] != n
    ]
    if moved:
        session.execute(update(AnnotationRow), moved)


def _row(annotation: Annotation, position: int) -> dict[str, Any]:
    box = annotation.box
    return {
        "id": annotation.id,
        "rev": annotation.rev,
        "label": annotation.label_id.hex,
        "box": (box.x, box.y, box.w, box.h),
        "frame": annotation.frame,
        "attributes": dict(annotation.attributes) or None,
        "position": position,
    }


def _annotation(row: Any, classes: Mapping[UUID, LabelClass]) -> Annotation:
    label_id = UUID(row.label.of(row.id))
    label = classes.get(label_id)
    return Annotation(
        id=row.id,
        rev=row.rev,
        label_id=label_id,
        label=label.name if label else UNKNOWN_LABEL,
        box=Box(*row.box.of(row.id)),
        frame=row.frame or 0,
        attributes=row.attributes.of(row.id) if row.attributes is not None else {},
    )
