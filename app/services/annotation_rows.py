"""The boxes of a picture as rows: read whole or by their ids, written as differences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.domain.annotation import Annotation, Change, Reorder
from app.domain.labels import LabelClass
from app.domain.shape_document import read_shape, shape_json
from app.domain.shapes import Box, Shape
from app.errors import DecryptionFailed
from app.models import Annotation as AnnotationRow

_COLUMNS = (
    AnnotationRow.id,
    AnnotationRow.rev,
    AnnotationRow.label,
    AnnotationRow.box,
    AnnotationRow.shape,
    AnnotationRow.frame,
    AnnotationRow.attributes,
    AnnotationRow.position,
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


def read_some(
    source: Session | Connection,
    image_id: UUID,
    ids: Sequence[UUID],
    classes: Mapping[UUID, LabelClass],
) -> dict[UUID, Annotation]:
    """Those of these that the picture has, by id; no other row is opened."""
    found: dict[UUID, Annotation] = {}
    for chosen in _batches(ids):
        rows: Any = source.execute(
            select(*_COLUMNS).where(
                AnnotationRow.id.in_(chosen), AnnotationRow.image_id == image_id
            )
        )
        found |= {row.id: _annotation(row, classes) for row in rows}
    return found


def read_many(
    source: Session | Connection,
    image_ids: Sequence[UUID],
    classes: Mapping[UUID, LabelClass],
) -> dict[UUID, tuple[Annotation, ...]]:
    """The boxes of several pictures in their order; one with a damaged box is left out."""
    found: dict[UUID, list[Annotation]] = {image_id: [] for image_id in image_ids}
    rows: Any = source.execute(
        select(AnnotationRow.image_id, *_COLUMNS)
        .where(AnnotationRow.image_id.in_(image_ids))
        .order_by(AnnotationRow.image_id, AnnotationRow.position, AnnotationRow.id)
    )
    for row in rows:
        try:
            if row.image_id in found:
                found[row.image_id].append(_annotation(row, classes))
        except DecryptionFailed:
            del found[row.image_id]
    return {image_id: tuple(boxes) for image_id, boxes in found.items()}


def renamed(
    annotation: Annotation | None, classes: Mapping[UUID, LabelClass]
) -> Annotation | None:
    """One of the log, with the name that its class has now."""
    if annotation is None or annotation.label_id not in classes:
        return annotation
    return replace(annotation, label=classes[annotation.label_id].name)


def places(source: Session | Connection, image_id: UUID) -> dict[UUID, int]:
    """The position of every box of the picture, from the bottom to the top; opens nothing."""
    rows: Any = source.execute(
        select(AnnotationRow.id, AnnotationRow.position)
        .where(AnnotationRow.image_id == image_id)
        .order_by(AnnotationRow.position, AnnotationRow.id)
    )
    return {row.id: row.position for row in rows}


def next_place(source: Session | Connection, image_id: UUID) -> int:
    """The position on top of all."""
    highest = select(func.max(AnnotationRow.position)).where(AnnotationRow.image_id == image_id)
    top = source.scalar(highest)
    return 0 if top is None else top + 1


def ids_of_other_pictures(session: Session, image_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
    """Those of these ids that boxes of other pictures have."""
    taken: set[UUID] = set()
    for batch in _batches(ids):
        chosen = AnnotationRow.id.in_(batch)
        taken |= set(
            session.scalars(
                select(AnnotationRow.id).where(chosen, AnnotationRow.image_id != image_id)
            )
        )
    return taken


def net_changes(steps: Iterable[Change]) -> tuple[Change, ...]:
    """One change a box: from what was before its first step to what is after its last."""
    net: dict[UUID, Change] = {}
    for step in steps:
        first = net.get(step.subject.id, step)
        net[step.subject.id] = Change(step.op_id, first.before, step.after)
    return tuple(change for change in net.values() if change.before or change.after)


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Rows as INSERT and UPDATE take them; each box stands in one of the first three."""

    gone: tuple[UUID, ...]
    added: tuple[dict[str, Any], ...]
    updated: tuple[dict[str, Any], ...]
    moved: tuple[dict[str, Any], ...]


def row_changes(
    image_id: UUID,
    net: Sequence[Change],
    orders: Iterable[Reorder],
    touched: Mapping[str, object],
) -> RowChanges:
    """Delete, insert and update what these changes say, of each box one.

    ``touched`` is what every row that says something new gets, such as its author.
    """
    gone = {change.subject.id for change in net if change.after is None}
    fresh = {**touched, "image_id": image_id}
    moved = {move.id: move.after for order in orders for move in order.moves}
    return RowChanges(
        gone=tuple(gone),
        added=tuple(_row(c.after) | fresh for c in net if c.before is None and c.after),
        updated=tuple({**_row(c.after), **touched} for c in net if c.before and c.after),
        moved=tuple(
            {"id": id_, "position": place} for id_, place in moved.items() if id_ not in gone
        ),
    )


def write_rows(session: Session, rows: RowChanges, at: datetime) -> None:
    """``at``: when what is new was written."""
    delete_rows(session, rows.gone)
    if rows.added:
        times = {"created_at": at, "updated_at": at}
        session.execute(insert(AnnotationRow), [row | times for row in rows.added])
    if rows.updated:
        session.execute(
            update(AnnotationRow), [row | {"updated_at": at} for row in rows.updated]
        )
    if rows.moved:
        session.execute(update(AnnotationRow), [*rows.moved])


def delete_rows(session: Session, ids: Sequence[UUID]) -> None:
    for batch in _batches(ids):
        session.execute(delete(AnnotationRow).where(AnnotationRow.id.in_(batch)))


def _batches(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def _row(annotation: Annotation) -> dict[str, Any]:
    box = annotation.box
    return {
        "id": annotation.id,
        "rev": annotation.rev,
        "label": annotation.label_id.hex,
        "box": (box.x, box.y, box.w, box.h),
        "shape": shape_json(annotation.shape),
        "frame": annotation.frame,
        "attributes": dict(annotation.attributes) or None,
        "position": annotation.position or 0,
    }


def _annotation(row: Any, classes: Mapping[UUID, LabelClass]) -> Annotation:
    label_id = UUID(row.label.of(row.id))
    label = classes.get(label_id)
    return Annotation(
        id=row.id,
        rev=row.rev,
        label_id=label_id,
        label=label.name if label else UNKNOWN_LABEL,
        shape=_shape(row),
        frame=row.frame or 0,
        attributes=row.attributes.of(row.id) if row.attributes is not None else {},
        position=row.position,
    )


def _shape(row: Any) -> Shape:
    if row.shape is None:
        return Box(*row.box.of(row.id))
    return read_shape(row.shape.of(row.id), "shape")
