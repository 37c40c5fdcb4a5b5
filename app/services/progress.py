"""How far a collection is: pictures by state, and what each person has done in which time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, func, select

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, allows
from app.domain.states import AnnotationState
from app.domain.workflow import OPEN
from app.models import Image, ImageTask
from app.models.image import LIVE
from app.services.collection_access import CollectionAccess, require_collection
from app.services.task_view import Person, names_of

DAYS: Final = 30
_HOUR: Final = 3600


@dataclass(frozen=True, slots=True)
class Work:
    """What one person has submitted; ``seconds`` at work, without pauses. ``assigned``: what
    waits for them. Speeds are None before anything was timed."""

    person: Person
    by_state: Mapping[AnnotationState, int]
    boxes: int
    seconds: int
    assigned: int

    @property
    def submitted(self) -> int:
        """Labelled: done, accepted, or sent back since."""
        told = (AnnotationState.DONE, AnnotationState.ACCEPTED, AnnotationState.REJECTED)
        return sum(self.by_state.get(state, 0) for state in told)

    @property
    def pictures_an_hour(self) -> float | None:
        return self.submitted * _HOUR / self.seconds if self.seconds else None

    @property
    def boxes_an_hour(self) -> float | None:
        return self.boxes * _HOUR / self.seconds if self.seconds else None


@dataclass(frozen=True, slots=True)
class ProgressView:
    """``days``: pictures submitted on each of the last 30, those that were opened again left
    out. ``everybody``: whether the figures of all are told, or only one's own."""

    states: Mapping[AnnotationState, int]
    people: tuple[Work, ...]
    days: tuple[tuple[date, int], ...]
    everybody: bool

    @property
    def total(self) -> int:
        return sum(self.states.values())


class Progress:
    """Reads only: four SELECTs, however many people there are."""

    def __init__(self, uow: UnitOfWork, clock: Callable[[], datetime] = utc_now) -> None:
        self._uow = uow
        self._clock = clock

    def of(self, actor: Actor, slug: str) -> ProgressView:
        """The progress of a collection; annotators are told their own figures alone."""
        with self._uow.read_rows() as connection:
            place = require_collection(connection, actor, Action.SEE_PROGRESS, slug)
            everybody = allows(actor, Action.LEAD_WORK, place.facts)
            only = None if everybody else actor.user_id
            return ProgressView(
                states=_states(connection, place),
                people=_people(connection, actor, place, only),
                days=_days(connection, place, only, self._clock()),
                everybody=everybody,
            )


def _states(connection: Connection, place: CollectionAccess) -> dict[AnnotationState, int]:
    counted = connection.execute(
        select(Image.annotation_state, func.count())
        .where(Image.collection_id == place.id, LIVE)
        .group_by(Image.annotation_state)
    )
    found = {row[0]: row[1] for row in counted}
    return {state: found.get(state.value, 0) for state in AnnotationState}


def _people(
    connection: Connection, actor: Actor, place: CollectionAccess, only: UUID | None
) -> tuple[Work, ...]:
    states: dict[UUID, Counter[AnnotationState]] = defaultdict(Counter)
    boxes: Counter[UUID] = Counter()
    seconds: Counter[UUID] = Counter()
    for row in _submitted(connection, place, only):
        states[row.person][AnnotationState(row.state)] += row.pictures
        if row.state != AnnotationState.SKIPPED.value:
            boxes[row.person] += row.boxes or 0
        seconds[row.person] += row.seconds or 0
    assigned = _assigned(connection, place, only)
    names = names_of(connection, actor, states.keys() | assigned.keys())
    work = [
        Work(person, states[id_], boxes[id_], seconds[id_], assigned.get(id_, 0))
        for id_, person in names.items()
        if id_ is not None
    ]
    return tuple(sorted(work, key=lambda each: (-each.submitted, each.person.name)))


def _submitted(connection: Connection, place: CollectionAccess, only: UUID | None) -> Any:
    wanted = (
        select(
            ImageTask.submitted_by.label("person"),
            Image.annotation_state.label("state"),
            func.count().label("pictures"),
            func.sum(Image.annotation_count).label("boxes"),
            func.sum(ImageTask.worked_seconds).label("seconds"),
        )
        .join(Image, Image.id == ImageTask.image_id)
        .where(Image.collection_id == place.id, LIVE, ImageTask.submitted_by.is_not(None))
        .group_by(ImageTask.submitted_by, Image.annotation_state)
    )
    return connection.execute(wanted if only is None else wanted.where(_by(only)))


def _assigned(
    connection: Connection, place: CollectionAccess, only: UUID | None
) -> dict[UUID, int]:
    wanted = (
        select(ImageTask.assignee_id, func.count())
        .join(Image, Image.id == ImageTask.image_id)
        .where(
            Image.collection_id == place.id,
            LIVE,
            ImageTask.assignee_id.is_not(None),
            Image.annotation_state.in_([state.value for state in OPEN]),
        )
        .group_by(ImageTask.assignee_id)
    )
    if only is not None:
        wanted = wanted.where(ImageTask.assignee_id == only)
    return {person: n for person, n in connection.execute(wanted) if person is not None}


def _days(
    connection: Connection, place: CollectionAccess, only: UUID | None, now: datetime
) -> tuple[tuple[date, int], ...]:
    first = (now - timedelta(days=DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    day = func.date(ImageTask.submitted_at)
    wanted = (
        select(day.label("day"), func.count())
        .join(Image, Image.id == ImageTask.image_id)
        .where(Image.collection_id == place.id, LIVE, ImageTask.submitted_at >= first)
        .where(Image.annotation_state.not_in([state.value for state in OPEN[1:]]))
        .group_by(day)
    )
    rows = connection.execute(wanted if only is None else wanted.where(_by(only)))
    counted = {str(row[0]): row[1] for row in rows}
    dates = [first.date() + timedelta(days=n) for n in range(DAYS)]
    return tuple((each, counted.get(each.isoformat(), 0)) for each in dates)


def _by(person: UUID) -> Any:
    return ImageTask.submitted_by == person
