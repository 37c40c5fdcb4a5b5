"""Which picture comes next: a walk along the index of states, oldest upload first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from app.domain.states import AnnotationState
from app.models import Image, ImageTask
from app.models.image import LIVE
from app.services.expiry import unexpired
from app.services.task_rows import free_for

Place = tuple[datetime, UUID]
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """``states`` in the order in which they are wanted. ``after``: the picture that one has
    done with for now; those behind it come first, and it comes last of all."""

    collection_id: UUID
    user_id: UUID
    states: tuple[AnnotationState, ...]
    now: datetime
    after: UUID | None = None


def candidates(session: Session, wish: Wish) -> Iterator[UUID]:
    """One's own lease first, then what is assigned to one, then what is nobody's.

    Each is looked up only when the one before could not be taken. What is one's own is found
    by its person, what is nobody's by a walk along the index of states over what others have.
    """
    place = _place(session, wish)
    mine = and_(ImageTask.lease_user_id == wish.user_id, ImageTask.lease_until > wish.now)
    free = free_for(wish.user_id, wish.now)
    yield from _own(session, wish, mine, place)
    yield from _own(session, wish, and_(ImageTask.assignee_id == wish.user_id, free), place)
    for state in wish.states:
        if place is not None:
            beyond = tuple_(Image.sort_at, Image.id) > tuple_(*place)
            yield from session.scalars(walk(wish, state).where(beyond))
        rest = walk(wish, state)
        yield from session.scalars(rest.where(Image.id != wish.after) if wish.after else rest)


def _own(
    session: Session, wish: Wish, which: ColumnElement[bool], place: Place | None
) -> Iterator[UUID]:
    ids = session.scalars(select(ImageTask.image_id).where(which)).all()
    rows: list[Any] = []
    for start in range(0, len(ids), _AT_ONCE):
        columns: list[Any] = [Image.id, Image.sort_at, Image.annotation_state]
        wanted = _open(select(*columns), wish)
        states = [state.value for state in wish.states]
        chosen = Image.id.in_(ids[start : start + _AT_ONCE]), Image.annotation_state.in_(states)
        rows += session.execute(wanted.where(*chosen))

    def turn(row: Any) -> tuple[Any, ...]:
        at = (row.sort_at, row.id)
        passed = place is not None and at <= place
        return (row.id == wish.after, passed, wish.states.index(row.annotation_state), at)

    yield from (row.id for row in sorted(rows, key=turn) if row.id != wish.after)


def walk(wish: Wish, state: AnnotationState) -> Select[Any]:
    """The first picture of a state that is nobody's."""
    nobodys = or_(ImageTask.id.is_(None), free_for(wish.user_id, wish.now))
    return (
        _open(select(Image.id), wish)
        .outerjoin(ImageTask, ImageTask.image_id == Image.id)
        .where(Image.annotation_state == state.value, nobodys)
        .order_by(Image.sort_at, Image.id)
        .limit(1)
    )


def _open(wanted: Select[Any], wish: Wish) -> Select[Any]:
    return wanted.where(
        Image.collection_id == wish.collection_id,
        LIVE,
        # An expression: SQLite would walk the index of statuses, past all that is labelled.
        Image.status.concat("") == "ready",
        unexpired(wish.now),
    )


def _place(session: Session, wish: Wish) -> Place | None:
    """Where ``after`` stands; a picture of another collection stands nowhere."""
    wanted = select(Image.sort_at, Image.id).where(
        Image.id == wish.after, Image.collection_id == wish.collection_id
    )
    row = session.execute(wanted).first() if wish.after else None
    return (row.sort_at, row.id) if row is not None else None
