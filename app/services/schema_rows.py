"""The row beside a collection that counts the versions of its label schema, and its tallies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.ids import new_id
from app.errors import DecryptionFailed
from app.models import LabelSchema, LabelSchemaVersion

FIRST_VERSION = 1


@dataclass(frozen=True, slots=True)
class SchemaRow:
    """``id`` None: nothing has changed yet, so that there is no row. ``tallies``: see
    `app.models.label_schema`."""

    id: UUID | None
    version: int
    is_indexed: bool
    tallies: Mapping[str, Any]


NONE = SchemaRow(None, FIRST_VERSION, False, {})


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to a schema: a word, and what the history's sentence needs."""

    kind: str
    actor_id: UUID | None
    details: Mapping[str, Any] = field(default_factory=dict)


def schema_row(
    source: Session | Connection, collection_id: UUID, *, lock: bool = False
) -> SchemaRow:
    """The row as it is; ``lock``: nobody else writes it before this transaction ends."""
    wanted = select(
        LabelSchema.id, LabelSchema.version, LabelSchema.is_indexed, LabelSchema.tallies
    ).where(LabelSchema.collection_id == collection_id)
    row: Any = source.execute(wanted.with_for_update() if lock else wanted).first()
    if row is None:
        return NONE
    return SchemaRow(row.id, row.version, row.is_indexed, _tallies(row))


def _tallies(row: Any) -> Mapping[str, Any]:
    """Damaged ones count as none: a verification names them, a recount puts them right."""
    with suppress(DecryptionFailed):
        return row.tallies.of(row.id) if row.tallies is not None else {}
    return {}


def version_of(source: Session | Connection, collection_id: UUID) -> int:
    """The present version, which opens nothing sealed."""
    wanted = select(LabelSchema.version).where(LabelSchema.collection_id == collection_id)
    return source.scalar(wanted) or FIRST_VERSION


def is_indexed(source: Session | Connection, collection_id: UUID) -> bool:
    """Whether the pictures of a collection are found by label through tokens."""
    wanted = select(LabelSchema.is_indexed).where(LabelSchema.collection_id == collection_id)
    return bool(source.scalar(wanted))


def made_row(session: Session, collection_id: UUID) -> SchemaRow:
    """As `schema_row` with the lock; there is a row afterwards."""
    found = schema_row(session, collection_id, lock=True)
    if found.id is not None:
        return found
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    fresh = make(LabelSchema).values(
        id=new_id(), collection_id=collection_id, version=FIRST_VERSION, is_indexed=False
    )
    session.execute(fresh.on_conflict_do_nothing(index_elements=["collection_id"]))
    return schema_row(session, collection_id, lock=True)


def schema_changed(
    session: Session,
    collection_id: UUID,
    change: Change,
    classes: Iterable[Mapping[str, Any]],
    at: datetime,
) -> int:
    """A new version, with the classes that it touched as they are now; its number."""
    row = made_row(session, collection_id)
    version = row.version + 1
    session.execute(
        update(LabelSchema)
        .where(LabelSchema.collection_id == collection_id)
        .values(version=version)
        .execution_options(synchronize_session=False)
    )
    body = {
        "classes": [dict(each) for each in classes],
        "change": {"kind": change.kind, **change.details},
    }
    fresh = {
        "id": new_id(),
        "collection_id": collection_id,
        "version": version,
        "at": at,
        "actor_id": change.actor_id,
        "body": body,
    }
    session.execute(insert(LabelSchemaVersion), [fresh])
    return version
