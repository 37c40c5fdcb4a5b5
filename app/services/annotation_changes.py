"""What is new on a picture since an editor last looked, and who else has it open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.domain.annotation import Annotation
from app.domain.annotation_json import from_log
from app.domain.operations import SaveKind
from app.domain.states import AnnotationState
from app.services.annotation_past import BOXES, Entry, since
from app.services.annotation_rows import places, renamed
from app.services.label_rows import all_classes
from app.services.people import Person, people
from app.services.picture_access import PictureAccess, require_picture
from app.services.presences import NOTE_EVERY, Open, Presences

MOST: Final = 500
"""Changes in one answer; who missed more reads the whole set."""


@dataclass(frozen=True, slots=True)
class NewChange:
    """``annotation`` None: it was deleted. ``person`` None: an account that is gone."""

    seq: int
    op_id: UUID
    kind: str
    id: UUID
    annotation: Annotation | None
    person: Person | None


@dataclass(frozen=True, slots=True)
class News:
    """``changes`` None: too many, or older than the log; read the whole set. ``order`` is the
    whole order from the bottom to the top, None if it is the same. ``there`` has each person
    once, with how many tabs. ``schema`` is the version of the labels.
    """

    revision: int
    state: AnnotationState
    changes: tuple[NewChange, ...] | None
    order: tuple[UUID, ...] | None
    there: tuple[tuple[Person, int], ...]
    schema: int


class AnnotationChanges:
    """Three short SELECTs where nothing is new."""

    def __init__(
        self,
        uow: UnitOfWork,
        presences: Presences,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._presences = presences
        self._clock = clock

    def since(
        self, actor: Actor, image_id: UUID, revision: int | None, tab: UUID | None
    ) -> News:
        """What came after ``revision`` (None: only say which it is).

        ``tab`` is the page's own id; with it the caller counts as present for a while.
        ``NotFound``, ``NotPermitted``.
        """
        now = self._clock()
        with self._uow.read_rows() as connection:
            picture = require_picture(connection, actor, Action.READ_ANNOTATIONS, image_id)
            there = self._presences.there(connection, image_id, now)
            entries = _entries(connection, picture, revision)
            known = people(
                connection,
                actor,
                [*(one.user_id for one in there), *(entry.actor_id for entry in entries or ())],
            )
            news = News(
                revision=picture.annotation_rev,
                state=picture.annotation_state,
                changes=_changes(connection, picture, entries, known),
                order=_order(connection, image_id, entries),
                there=_tabs(there, known),
                schema=picture.schema,
            )
        self._note(actor, image_id, tab, there, now)
        return news

    def _note(
        self,
        actor: Actor,
        image_id: UUID,
        tab: UUID | None,
        there: Sequence[Open],
        now: datetime,
    ) -> None:
        if tab is None or actor.user_id is None:
            return
        mine = next((o for o in there if (o.user_id, o.tab) == (actor.user_id, tab)), None)
        if mine is None or mine.seen_at <= now - NOTE_EVERY:
            self._presences.note(image_id, actor.user_id, tab, now)


def _entries(
    source: Connection, picture: PictureAccess, revision: int | None
) -> list[Entry] | None:
    """None where they do not lead from that revision to the one of now."""
    now = picture.annotation_rev
    if revision is None or revision == now:
        return []
    entries = since(source, picture.id, revision, MOST + 1)
    saves = {entry.seq for entry in entries}
    whole = revision < now and saves == set(range(revision + 1, now + 1))
    return entries if whole and len(entries) <= MOST else None


def _changes(
    source: Connection,
    picture: PictureAccess,
    entries: Sequence[Entry] | None,
    known: dict[UUID, Person],
) -> tuple[NewChange, ...] | None:
    if entries is None:
        return None
    boxes = [entry for entry in entries if entry.kind in BOXES and entry.annotation_id]
    classes = all_classes(source, picture.collection_id) if boxes else {}
    return tuple(
        NewChange(
            seq=entry.seq,
            op_id=entry.op_id,
            kind=entry.kind,
            id=entry.annotation_id,
            annotation=renamed(from_log(entry.after), classes),
            person=known.get(entry.actor_id) if entry.actor_id else None,
        )
        for entry in boxes
        if entry.annotation_id is not None
    )


def _order(
    source: Connection, image_id: UUID, entries: Sequence[Entry] | None
) -> tuple[UUID, ...] | None:
    """Operations put what is new on top; every other way of saving puts it where it belongs."""
    if not any(e.kind == "order" or e.way != SaveKind.PATCH for e in entries or ()):
        return None
    return tuple(places(source, image_id))


def _tabs(there: Sequence[Open], known: dict[UUID, Person]) -> tuple[tuple[Person, int], ...]:
    tabs: dict[UUID, int] = {}
    for one in there:
        tabs[one.user_id] = tabs.get(one.user_id, 0) + 1
    found = [(known[user_id], count) for user_id, count in tabs.items() if user_id in known]
    return tuple(sorted(found, key=lambda pair: (not pair[0].is_you, pair[0].name.casefold())))
