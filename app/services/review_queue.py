"""What waits for a reviewer, a page at a time, oldest upload first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, func, select, tuple_

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.domain.annotation import Annotation
from app.domain.labels import LabelClass
from app.domain.states import AnnotationState
from app.models import Image, ImageTask
from app.models.image import LIVE
from app.services.annotation_rows import read_many
from app.services.collection_access import CollectionAccess, require_collection
from app.services.cursor import Cursor, decode_cursor, microseconds
from app.services.expiry import unexpired
from app.services.image_card import COLUMNS, ImageCard, card_of
from app.services.label_rows import all_classes
from app.services.task_view import Person, names_of

PAGE: Final = 24
#: Annotations that are drawn on the thumbnail of a picture; where there are more, none is.
DRAWN: Final = 100


@dataclass(frozen=True, slots=True)
class Submitted:
    """A picture, who submitted or skipped it and when, and what was said about it.

    ``drawn`` are its annotations, empty where there are more than `DRAWN` or one is damaged.
    """

    card: ImageCard
    by: Person | None
    at: datetime | None
    reason: str | None
    drawn: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """``people``: who submitted pictures of this state, and how many. ``colours`` by class."""

    items: tuple[Submitted, ...]
    counts: Mapping[AnnotationState, int]
    people: tuple[tuple[Person, int], ...]
    next_cursor: str | None
    colours: Mapping[UUID, str]


class ReviewQueue:
    """Reads only; the rows of a page cost the same however long the queue is, its counts grow
    with it (some 1.3 us a picture)."""

    def __init__(self, uow: UnitOfWork, clock: Callable[[], datetime] = utc_now) -> None:
        self._uow = uow
        self._clock = clock

    def page(
        self,
        actor: Actor,
        slug: str,
        *,
        state: AnnotationState = AnnotationState.DONE,
        annotator: UUID | None = None,
        cursor: str | None = None,
    ) -> ReviewPage:
        """Pictures of one state, of one annotator if told; for reviewers."""
        after, now = decode_cursor(cursor), self._clock()
        with self._uow.read_rows() as connection:
            place = require_collection(connection, actor, Action.LEAD_WORK, slug)
            wanted = queue_rows(place.id, state, annotator, after, now)
            rows = connection.execute(wanted).all()
            counted = _people(connection, place, state)
            names = names_of(connection, actor, {r.submitted_by for r in rows} | set(counted))
            counts = _counts(connection, place)
            classes = all_classes(connection, place.id)
            items = _drawn(connection, [_item(r, names, now) for r in rows[:PAGE]], classes)
        more = items[-1].card if len(rows) > PAGE else None
        people = [(names[id_], n) for id_, n in counted.items() if id_ in names]
        return ReviewPage(
            items,
            counts,
            tuple(sorted(people, key=lambda each: each[0].name)),
            Cursor(microseconds(more.sort_at), more.id).encode() if more else None,
            {id_: label.colour for id_, label in classes.items()},
        )


def queue_rows(
    collection_id: UUID,
    state: AnnotationState,
    annotator: UUID | None,
    after: Cursor | None,
    now: datetime,
) -> Select[Any]:
    """One page's rows, and one more."""
    wanted = (
        select(
            *COLUMNS,
            ImageTask.submitted_by,
            ImageTask.submitted_at,
            ImageTask.id.label("task_id"),
            ImageTask.body.label("said"),
        )
        .outerjoin(ImageTask, ImageTask.image_id == Image.id)
        .where(
            Image.collection_id == collection_id,
            Image.annotation_state == state.value,
            LIVE,
            unexpired(now),
        )
        .order_by(Image.sort_at, Image.id)
        .limit(PAGE + 1)
    )
    if annotator is not None:
        wanted = wanted.where(ImageTask.submitted_by == annotator)
    if after is not None:
        wanted = wanted.where(tuple_(Image.sort_at, Image.id) > (after.moment, after.row_id))
    return wanted


def _people(
    connection: Connection, place: CollectionAccess, state: AnnotationState
) -> dict[UUID | None, int]:
    counted = connection.execute(
        select(ImageTask.submitted_by, func.count())
        .join(Image, Image.id == ImageTask.image_id)
        .where(Image.collection_id == place.id, Image.annotation_state == state.value, LIVE)
        .group_by(ImageTask.submitted_by)
    )
    return {row[0]: row[1] for row in counted}


def _counts(connection: Connection, place: CollectionAccess) -> dict[AnnotationState, int]:
    counted = connection.execute(
        select(Image.annotation_state, func.count())
        .where(Image.collection_id == place.id, LIVE)
        .group_by(Image.annotation_state)
    )
    return {AnnotationState(state): n for state, n in counted}


def _drawn(
    connection: Connection, items: Sequence[Submitted], classes: Mapping[UUID, LabelClass]
) -> tuple[Submitted, ...]:
    """The same with their annotations, by one statement for the page."""
    few = [item.card.id for item in items if 0 < item.card.annotation_count <= DRAWN]
    found = read_many(connection, few, classes) if few else {}
    return tuple(replace(item, drawn=found.get(item.card.id, ())) for item in items)


def _item(row: Any, names: Mapping[UUID | None, Person], now: datetime) -> Submitted:
    said = row.said.told(row.task_id, {}) if row.said is not None else {}
    shown = said.get("of") in (row.annotation_state, AnnotationState.REJECTED.value)
    return Submitted(
        card=card_of(row, now),
        by=names.get(row.submitted_by),
        at=row.submitted_at,
        reason=said.get("reason") if shown else None,
    )
