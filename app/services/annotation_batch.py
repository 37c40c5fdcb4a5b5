"""Saves of many pictures made before the transaction that writes them, all in a few statements.

A program that takes in thousands of pictures would otherwise keep everybody else waiting while
it makes and seals its rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, Table, bindparam, insert, update

from app.db.sealed_ahead import SealedAhead
from app.domain.annotation import Annotation
from app.domain.operations import SaveKind
from app.models import Annotation as AnnotationRow
from app.models import AnnotationOp, Image
from app.services.annotation_log import log_rows
from app.services.annotation_planning import Planned, event_details
from app.services.audit import AuditLog
from app.services.audit_chain import Event, EventsAhead, Subject
from app.services.label_counts import Moved

Rows = list[dict[str, Any]]
_BOXES: Final[Table] = AnnotationRow.metadata.tables["annotations"]
_OPS: Final[Table] = AnnotationOp.metadata.tables["annotation_ops"]
_IMAGES: Final[Table] = Image.metadata.tables["images"]


@dataclass(frozen=True, slots=True)
class WholeSave:
    """A save with the whole sets before and after it, each by how many of a class there are."""

    planned: Planned
    before: Counter[UUID]
    after: Counter[UUID]

    @classmethod
    def of(
        cls, planned: Planned, before: Iterable[Annotation], after: Iterable[Annotation]
    ) -> WholeSave:
        sides = (Counter(one.label_id for one in side) for side in (before, after))
        return cls(planned, *sides)


@dataclass(frozen=True, slots=True)
class SavesAhead:
    """The rows of some saves of one way, no picture twice; the order of the fields is that in
    which they are written."""

    way: SaveKind
    log: SealedAhead
    gone: tuple[UUID, ...]
    added: SealedAhead
    updated: SealedAhead
    moved: SealedAhead
    moves: tuple[Moved, ...]
    images: SealedAhead
    states: tuple[tuple[UUID, Any], ...]
    events: EventsAhead

    @property
    def is_fresh(self) -> bool:
        """See `SealedAhead`."""
        parts = (self.log, self.added, self.updated, self.events.sealed)
        return all(part.is_fresh for part in parts)


def make_ahead(
    engine: Engine, audit: AuditLog, actor: Any, saves: Sequence[WholeSave], way: SaveKind
) -> SavesAhead:
    """Everything that the saves write, sealed; those that say nothing new are left out."""
    saying = [save for save in saves if save.planned.save.says_more]
    rows = [save.planned.rows() for save in saying]
    log = [row for save in saying for row in log_rows(save.planned.save)]
    added = [row for each in rows for row in each.added]
    times = ("created_at", "updated_at")
    return SavesAhead(
        way=way,
        log=SealedAhead(engine, insert(_OPS), log, late=("at",)),
        gone=tuple(id_ for each in rows for id_ in each.gone),
        added=SealedAhead(engine, insert(_BOXES), added, late=times),
        updated=_update(engine, _BOXES, [row for each in rows for row in each.updated]),
        moved=_update(engine, _BOXES, [row for each in rows for row in each.moved], late=()),
        moves=tuple(Moved(save.planned.picture, save.before, save.after) for save in saying),
        images=_update(engine, _IMAGES, [_image(save.planned) for save in saying]),
        states=tuple((one.planned.picture.id, one.planned.save.states) for one in saying),
        events=audit.ahead(engine, f"annotations.{way.value}", actor, [*_events(saying)]),
    )


def _events(saves: Iterable[WholeSave]) -> Iterator[Event]:
    for save in saves:
        made = save.planned.save
        yield Event(Subject("image", made.image_id), event_details(made))


def _image(planned: Planned) -> dict[str, Any]:
    return {"id": planned.picture.id, **planned.image_row()}


def _update(
    engine: Engine, table: Table, rows: Rows, late: Sequence[str] = ("updated_at",)
) -> SealedAhead:
    """By their ids, which stand in the WHERE as the ORM calls them."""
    key = f"{table.name}_id"
    named = [{key: row["id"], **{k: v for k, v in row.items() if k != "id"}} for row in rows]
    return SealedAhead(engine, update(table).where(table.c.id == bindparam(key)), named, late)
