"""Rounds: made, listed, and told with what was found."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, insert, select
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, allows, require
from app.domain.agreement import DEFAULT_IOU
from app.domain.ids import new_id
from app.domain.names import clean_name, refuse
from app.models import AgreementCopy, AgreementRound, Image
from app.models.image import LIVE
from app.services.agreement.copy_rows import nothing, open_copy, place_of
from app.services.agreement.round_rows import cards, counted
from app.services.agreement.round_view import WAITS, RoundLine, RoundView, Seen, round_line
from app.services.audit import AuditLog, Subject
from app.services.collection_access import CollectionAccess, require_collection
from app.services.expiry import unexpired
from app.services.labellers import labellers
from app.services.task_view import Person, names_of

MOST_PICTURES: Final = 1000
MOST_PEOPLE: Final = 10


@dataclass(frozen=True, slots=True)
class Draw:
    """What a round is made of. ``images`` empty: ``count`` are drawn by ``seed`` (None: a
    fresh one). ``iou``: the least overlap of a pair."""

    name: str
    annotators: tuple[UUID, ...]
    count: int = 0
    images: tuple[UUID, ...] = ()
    seed: int | None = None
    iou: float = DEFAULT_IOU


@dataclass(frozen=True, slots=True)
class NextCopy:
    """Where one's next copy is."""

    slug: str
    round_id: UUID
    image_id: UUID


class Rounds:
    """Leads make them; who takes part sees what is theirs."""

    def __init__(
        self, uow: UnitOfWork, audit: AuditLog, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._uow = uow
        self._audit = audit
        self._clock = clock

    def make(self, actor: Actor, slug: str, draw: Draw) -> UUID:
        """Give copies of the same pictures to several members; ``InvalidInput``."""
        seed = secrets.randbelow(2**31) if draw.seed is None else draw.seed
        with self._uow.write() as session:
            place = require_collection(session, actor, Action.LEAD_WORK, slug)
            name = clean_name(draw.name)
            if not 0 < draw.iou <= 1:
                raise refuse("iou", "This must be above 0 and at most 1.")
            people = _annotators(session, place, draw.annotators)
            images = _images(session, place, draw, seed)
            body = {"name": name, "iou": draw.iou, "seed": None if draw.images else seed}
            body["each"] = len(people)  # copies of a picture
            round_id = self._insert(session, actor, place, body, images, people)
            details: dict[str, str | int] = {"round": str(round_id)}
            details |= {"pictures": len(images), "people": len(people)}
            subject = Subject("collection", place.id)
            self._audit.append(
                session, "agreement.make", actor=actor, subject=subject, details=details
            )
            return round_id

    def _insert(
        self,
        session: Session,
        actor: Actor,
        place: CollectionAccess,
        body: dict[str, Any],
        images: Sequence[UUID],
        people: Sequence[UUID],
    ) -> UUID:
        made = AgreementRound(
            collection_id=place.id,
            created_by=actor.user_id,
            created_at=self._clock(),
            body=body,
        )
        session.add(made)
        session.flush()
        told = {"round_id": made.id, "state": "new", "rev": 0}
        copies = [
            told | {"id": new_id(), "image_id": image, "annotator_id": who}
            for image in images
            for who in people
        ]
        session.execute(insert(AgreementCopy), copies)
        return made.id

    def able(self, actor: Actor, slug: str) -> tuple[Person, ...]:
        """Who may be given copies, by name; for leads."""
        with self._uow.read_rows() as connection:
            place = require_collection(connection, actor, Action.LEAD_WORK, slug)
            people = names_of(connection, actor, labellers(connection, place.id)).values()
        return tuple(sorted(people, key=lambda one: one.name.casefold()))

    def list(self, actor: Actor, slug: str) -> tuple[RoundLine, ...]:
        """The rounds of a collection, newest first; an annotator's own ones alone."""
        with self._uow.read_rows() as connection:
            place = require_collection(connection, actor, Action.TAKE_TASKS, slug)
            rows = connection.execute(
                select(AgreementRound.id, AgreementRound.body, AgreementRound.created_at)
                .where(AgreementRound.collection_id == place.id)
                .order_by(AgreementRound.created_at.desc())
            ).all()
            found = counted(connection, [row.id for row in rows])
            leads = allows(actor, Action.LEAD_WORK, place.facts)
            able = labellers(connection, place.id) if leads else None
        lines = (round_line(row, found[row.id], actor, able) for row in rows)
        return tuple(line for line in lines if leads or line.mine[1])

    def of(
        self, actor: Actor, slug: str, round_id: UUID, only: UUID | None = None
    ) -> RoundView:
        """One round; figures of a picture are there once it waits for nobody and two have
        submitted it. ``only``: the one picture whose waiting copies are told.

        A picture that was moved to another collection is the business of its people there;
        one in the trash is counted in no figure until it is restored.
        """
        with self._uow.read_rows() as connection:
            place, body = self._place(connection, actor, slug, round_id)
            leads = allows(actor, Action.LEAD_WORK, place.facts)
            rows = connection.execute(
                select(AgreementCopy.__table__)
                .join(Image, Image.id == AgreementCopy.image_id)
                .where(AgreementCopy.round_id == round_id, Image.collection_id == place.id)
            ).all()
            if not leads and not any(row.annotator_id == actor.user_id for row in rows):
                raise nothing()
            able = labellers(connection, place.id) if leads else frozenset()
            names = names_of(connection, actor, {row.annotator_id for row in rows} | able)
            shown = cards(connection, {row.image_id for row in rows}, self._clock())
            made = connection.scalar(
                select(AgreementRound.created_at).where(AgreementRound.id == round_id)
            )
        live = {card.id for card in shown}
        seen = Seen(actor, names, leads, [row for row in rows if row.image_id in live])
        return RoundView(
            id=round_id,
            name=str(body.get("name", "")),
            iou=float(body.get("iou", DEFAULT_IOU)),
            seed=body.get("seed"),
            created_at=made or self._clock(),
            leads=leads,
            pictures=tuple(seen.picture(card) for card in shown),
            pairs=seen.pairs() if leads else (),
            waiting=seen.waiting(able, live, only) if leads else (),
        )

    def next(self, actor: Actor, slug: str, round_id: UUID) -> tuple[UUID, UUID] | None:
        """The first of one's own copies that is not submitted: (picture, copy). Pictures that
        cannot be opened now, being past their time or damaged, are passed over."""
        with self._uow.read_rows() as connection:
            place, _ = self._place(connection, actor, slug, round_id)
            row = connection.execute(
                select(AgreementCopy.image_id, AgreementCopy.id)
                .join(Image, Image.id == AgreementCopy.image_id)
                .where(
                    AgreementCopy.round_id == round_id,
                    AgreementCopy.annotator_id == actor.user_id,
                    AgreementCopy.state.in_(WAITS),
                    Image.collection_id == place.id,
                    Image.status == "ready",
                    LIVE,
                    unexpired(self._clock()),
                )
                .order_by(Image.sort_at, Image.id)
                .limit(1)
            ).first()
        return (row.image_id, row.id) if row is not None else None

    def after(self, actor: Actor, copy_id: UUID) -> NextCopy | None:
        """As `next`, of the round that one's own copy is in."""
        with self._uow.read_rows() as connection:
            found = open_copy(connection, actor, copy_id, Action.ANNOTATE)
        round_id, slug = found.copy.round_id, found.place.slug
        waiting = self.next(actor, slug, round_id)
        return NextCopy(slug, round_id, waiting[0]) if waiting is not None else None

    def mine(self, actor: Actor, slug: str, round_id: UUID, image_id: UUID) -> UUID:
        """One's own copy of a picture; ``NotFound``."""
        with self._uow.read_rows() as connection:
            self._place(connection, actor, slug, round_id)
            found = connection.scalar(
                select(AgreementCopy.id).where(
                    AgreementCopy.round_id == round_id,
                    AgreementCopy.image_id == image_id,
                    AgreementCopy.annotator_id == actor.user_id,
                )
            )
        if found is None:
            raise nothing()
        return found

    def _place(
        self, connection: Connection, actor: Actor, slug: str, round_id: UUID
    ) -> tuple[CollectionAccess, dict[str, Any]]:
        place, body = place_of(connection, actor, round_id)
        if place.slug != slug or not allows(actor, Action.TAKE_TASKS, place.facts):
            require(actor, Action.TAKE_TASKS, None)
            raise nothing()
        return place, body


def _annotators(
    session: Session, place: CollectionAccess, wanted: Sequence[UUID]
) -> list[UUID]:
    people = list(dict.fromkeys(wanted))
    if not 2 <= len(people) <= MOST_PEOPLE:
        raise refuse("annotators", f"Choose 2 to {MOST_PEOPLE} people.")
    if labellers(session, place.id, people) != set(people):
        raise refuse("annotators", "Choose members who may label pictures here.")
    return people


def _images(session: Session, place: CollectionAccess, draw: Draw, seed: int) -> list[UUID]:
    """Named ones, or drawn ones: of one seed and one list of pictures always the same."""
    usable = (Image.collection_id == place.id, LIVE, Image.status == "ready")
    if draw.images:
        if len(draw.images) > MOST_PICTURES:
            raise refuse("images", f"A round has at most {MOST_PICTURES} pictures.")
        named = select(Image.id).where(*usable, Image.id.in_(draw.images))
        found = list(session.scalars(named))
        if len(found) != len(set(draw.images)):
            raise refuse("images", "Some of these pictures are not in this collection.")
        return found
    if not 1 <= draw.count <= MOST_PICTURES:
        raise refuse("count", f"This must be from 1 to {MOST_PICTURES}.")
    every = list(session.scalars(select(Image.id).where(*usable).order_by(Image.id)))
    if not every:
        raise refuse("count", "There is no picture in this collection.")
    chance = random.Random(seed)  # noqa: S311 - a sample that can be drawn again, no secret
    return chance.sample(every, min(draw.count, len(every)))
