"""The label classes of a collection as rows: one short list, opened whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Session

from app.domain.ids import new_id
from app.domain.labels import LabelClass, new_class
from app.models import LabelClass as LabelRow


def all_classes(source: Session | Connection, collection_id: UUID) -> dict[UUID, LabelClass]:
    """Every class by id, removed ones too, in the order of their positions."""
    rows: Any = source.execute(
        select(LabelRow.id, LabelRow.position, LabelRow.body, LabelRow.deprecated_at)
        .where(LabelRow.collection_id == collection_id)
        .order_by(LabelRow.position, LabelRow.created_at, LabelRow.id)
    )
    return {row.id: _class(row) for row in rows}


def living(classes: Mapping[UUID, LabelClass]) -> tuple[LabelClass, ...]:
    """The classes that a new box may have."""
    return tuple(label for label in classes.values() if not label.removed)


def make_classes(
    session: Session,
    collection_id: UUID,
    names: Sequence[str],
    classes: Mapping[UUID, LabelClass],
    at: datetime,
) -> dict[UUID, LabelClass]:
    """All classes, with one for each of these names, which no living class has.

    A removed class of that name comes back, so that old boxes and new ones are of one class.
    """
    result = dict(classes)
    removed = {label.name: label for label in classes.values() if label.removed}
    for name in names:
        back = removed.get(name)
        made = new_class(back.id if back else new_id(), name, living(result))
        if back is None:
            insert_class(session, collection_id, made, at)
        else:
            made = replace(made, colour=back.colour, attributes=back.attributes)
            update_class(session, made, None)
        result[made.id] = made
    return result


def insert_class(
    session: Session, collection_id: UUID, label: LabelClass, at: datetime
) -> None:
    row = {
        "id": label.id,
        "collection_id": collection_id,
        "position": label.position,
        "body": _body(label),
        "created_at": at,
    }
    session.execute(insert(LabelRow), [row])


def update_class(session: Session, label: LabelClass, deprecated_at: datetime | None) -> None:
    row = {
        "id": label.id,
        "position": label.position,
        "body": _body(label),
        "deprecated_at": deprecated_at,
    }
    session.execute(update(LabelRow), [row])


def _body(label: LabelClass) -> dict[str, Any]:
    return {
        "name": label.name,
        "colour": label.colour,
        "hotkey": label.hotkey,
        "attributes": dict(label.attributes),
    }


def _class(row: Any) -> LabelClass:
    body = row.body.of(row.id)
    return LabelClass(
        id=row.id,
        name=body["name"],
        colour=body["colour"],
        hotkey=body.get("hotkey"),
        position=row.position,
        attributes=body.get("attributes") or {},
        removed=row.deprecated_at is not None,
    )
