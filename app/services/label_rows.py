"""The label classes of a collection as rows: one short list, opened whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.orm import Session

from app.domain.attribute_types import attribute_type_json, read_attribute_types
from app.domain.ids import new_id
from app.domain.label_schema import numbered
from app.domain.labels import PLAIN, ClassDetails, LabelClass, new_class
from app.models import LabelClass as LabelRow
from app.services.schema_rows import Change, schema_changed


def all_classes(source: Session | Connection, collection_id: UUID) -> dict[UUID, LabelClass]:
    """Every class by id, removed ones too, in the order of their positions."""
    rows: Any = source.execute(
        select(LabelRow.id, LabelRow.position, LabelRow.body, LabelRow.deprecated_at)
        .where(LabelRow.collection_id == collection_id)
        .order_by(LabelRow.created_at, LabelRow.id)
    ).all()
    bodies = [row.body.of(row.id) for row in rows]
    numbers = numbered([body.get("number") for body in bodies])
    found = [_class(*each) for each in zip(rows, bodies, numbers, strict=True)]
    return {label.id: label for label in sorted(found, key=lambda each: each.position)}


def living(classes: Mapping[UUID, LabelClass]) -> tuple[LabelClass, ...]:
    """The classes that a new box may have."""
    return tuple(label for label in classes.values() if not label.removed)


@dataclass(frozen=True, slots=True)
class MadeClasses:
    """``all`` of a collection by id, and of them those that ``names`` asked for, in order;
    nothing is written yet."""

    all: Mapping[UUID, LabelClass]
    names: tuple[str, ...] = ()
    touched: tuple[LabelClass, ...] = ()
    back: frozenset[UUID] = frozenset()


def comes_back(classes: Iterable[LabelClass]) -> dict[str, LabelClass]:
    """What was taken off the list, by the name that puts it there again."""
    return {
        label.name: label for label in classes if label.removed and label.merged_into is None
    }


def plan_classes(
    names: Sequence[str],
    classes: Mapping[UUID, LabelClass],
    details: Mapping[str, ClassDetails] | None = None,
) -> MadeClasses:
    """With one for each of these names, which no living class has.

    A removed class of that name comes back as it was, so that old boxes and new ones are of
    one class. ``details``: what is said of names that are quite new.
    """
    result = dict(classes)
    removed = comes_back(classes.values())
    touched = []
    for name in names:
        made = _made(name, removed.get(name), result, (details or {}).get(name, PLAIN))
        result[made.id] = made
        touched.append(made)
    back = frozenset(made.id for made in touched if made.id in classes)
    return MadeClasses(result, tuple(names), tuple(touched), back)


def write_classes(
    session: Session,
    collection_id: UUID,
    made: MadeClasses,
    at: datetime,
    actor_id: UUID | None = None,
) -> None:
    """A new version of the schema, by ``actor_id``, if any class is new."""
    for label in made.touched:
        if label.id in made.back:
            update_class(session, label, None)
        else:
            insert_class(session, collection_id, label, at)
    if made.touched:
        back = [label.name for label in made.touched if label.id in made.back]
        told: dict[str, Any] = {"names": [name for name in made.names if name not in back]}
        change = Change("add", actor_id, told | ({"back": back} if back else {}))
        schema_changed(session, collection_id, change, map(class_json, made.touched), at)


def make_classes(
    session: Session,
    collection_id: UUID,
    names: Sequence[str],
    classes: Mapping[UUID, LabelClass],
    at: datetime,
    actor_id: UUID | None = None,
) -> dict[UUID, LabelClass]:
    """`plan_classes` and `write_classes` at once; all classes."""
    made = plan_classes(names, classes)
    write_classes(session, collection_id, made, at, actor_id)
    return dict(made.all)


def _made(
    name: str,
    back: LabelClass | None,
    classes: Mapping[UUID, LabelClass],
    details: ClassDetails,
) -> LabelClass:
    made = new_class(back.id if back else new_id(), name, tuple(classes.values()), details)
    if back is None:
        return made
    return replace(
        made,
        colour=back.colour,
        attributes=back.attributes,
        number=back.number,
        aliases=back.aliases,
    )


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
        "attributes": [attribute_type_json(each) for each in label.attributes],
        "number": label.number,
        "aliases": list(label.aliases),
        "merged_into": label.merged_into.hex if label.merged_into else None,
        "deleted": label.deleted,
    }


def class_json(label: LabelClass) -> dict[str, Any]:
    """A class as a version of the schema keeps it."""
    return {
        "id": str(label.id),
        "position": label.position,
        "removed": label.removed,
        **_body(label),
    }


def _class(row: Any, body: Mapping[str, Any], number: int) -> LabelClass:
    into = body.get("merged_into")
    return LabelClass(
        id=row.id,
        name=body["name"],
        colour=body["colour"],
        hotkey=body.get("hotkey"),
        position=row.position,
        # Classes had an object here that nobody used, before attributes had types.
        attributes=read_attribute_types(body.get("attributes") or []),
        removed=row.deprecated_at is not None,
        number=number,
        aliases=tuple(body.get("aliases") or ()),
        merged_into=UUID(into) if into else None,
        deleted=bool(body.get("deleted")),
    )
