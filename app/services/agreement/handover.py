"""A copy whose maker is gone or busy: somebody else begins one, or the round goes on without.

What the former maker drew is kept as it was and shown to nobody: a copy is one person's work.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.domain.access import Action, Actor, allows, require
from app.domain.agreement import DEFAULT_IOU
from app.domain.blind_copies import LEFT_OUT, WAITING, Outcome, outcome_of
from app.domain.ids import new_id
from app.domain.names import refuse
from app.domain.states import AnnotationState
from app.models import AgreementCopy, Image
from app.models.image import LIVE
from app.services.agreement.comparison import compare_copies
from app.services.agreement.copy_rows import Body, nothing, place_of
from app.services.audit import AuditLog, Subject
from app.services.collection_access import CollectionAccess
from app.services.labellers import labellers

AT_ONCE = 500
"""Ids in one statement."""
People = dict[UUID, Any]
"""Rows of one picture by annotator."""


@dataclass(frozen=True, slots=True)
class Handing:
    """Whose copies go to whom; ``to`` None: the round goes on without them. ``images`` empty:
    all that wait."""

    source: UUID
    to: UUID | None
    images: tuple[UUID, ...] = ()


class Handover:
    """For whoever leads. One transaction, with an entry in the audit log."""

    def __init__(self, uow: UnitOfWork, audit: AuditLog) -> None:
        self._uow = uow
        self._audit = audit

    def hand(self, actor: Actor, slug: str, round_id: UUID, handing: Handing) -> int:
        """Hand copies that wait to another member, or go on without them: how many.

        ``InvalidInput`` where none waits, where ``to`` may not label here or has a copy of
        one of the pictures; then nothing was done. What was compared stays as it is.
        """
        with self._uow.write() as session:
            place, body = _led(session, actor, slug, round_id)
            pictures = _pictures(session, place, round_id)
            chosen = _chosen(pictures, handing, _copies_each(body, pictures))
            waiting = [row.id for row in chosen.values() if _state(row) in WAITING]
            if handing.to is None:
                _set_states(session, waiting, LEFT_OUT)
                _compare(session, round_id, body, pictures, chosen)
            else:
                _check_taker(session, place, pictures, chosen, handing.to)
                _set_states(session, waiting, LEFT_OUT)
                _give(session, round_id, handing.to, pictures, chosen)
            self._note(session, actor, place, round_id, handing, len(chosen))
            return len(chosen)

    def _note(
        self,
        session: Session,
        actor: Actor,
        place: CollectionAccess,
        round_id: UUID,
        handing: Handing,
        count: int,
    ) -> None:
        action = "agreement.go_on" if handing.to is None else "agreement.hand_over"
        details: dict[str, str | int | None] = {"round": str(round_id), "pictures": count}
        details["from"] = str(handing.source)
        if handing.to is not None:
            details["to"] = str(handing.to)
        subject = Subject("collection", place.id)
        self._audit.append(session, action, actor=actor, subject=subject, details=details)


def _led(
    session: Session, actor: Actor, slug: str, round_id: UUID
) -> tuple[CollectionAccess, Body]:
    """The round, for who leads; to others there is none."""
    place, body = place_of(session, actor, round_id)
    leads = place.slug == slug and allows(actor, Action.LEAD_WORK, place.facts)
    require(actor, Action.LEAD_WORK, place.facts if leads else None)
    if not leads:
        raise nothing()
    return place, body


def _pictures(
    session: Session, place: CollectionAccess, round_id: UUID
) -> Mapping[UUID, People]:
    """All copies of the pictures that are still there, by picture and annotator."""
    columns = (AgreementCopy.id, AgreementCopy.image_id, AgreementCopy.annotator_id)
    rows = session.execute(
        select(*columns, AgreementCopy.state, AgreementCopy.rev)
        .join(Image, Image.id == AgreementCopy.image_id)
        .where(AgreementCopy.round_id == round_id, Image.collection_id == place.id, LIVE)
        .order_by(Image.sort_at, Image.id)
    )
    found: dict[UUID, People] = defaultdict(dict)
    for row in rows:
        found[row.image_id][row.annotator_id] = row
    return found


def _copies_each(body: Body, pictures: Mapping[UUID, People]) -> int:
    """How many copies of a picture the round began with; early rounds did not write it down."""
    return int(body.get("each") or min(map(len, pictures.values()), default=0))


def _chosen(pictures: Mapping[UUID, People], handing: Handing, each: int) -> dict[UUID, Any]:
    """The rows that go, by picture. One that is named may have been left out before, if it
    is to go to somebody, and its picture was not compared and lacks one: a copy that was
    handed on already has another in its place."""
    found = {}
    for image, people in pictures.items():
        row = people.get(handing.source)
        if row is None or (handing.images and image not in handing.images):
            continue
        state = _state(row)
        again = state is LEFT_OUT and handing.images and handing.to is not None
        compared = outcome_of(map(_state, people.values())) is Outcome.COMPARED
        lacks = sum(_state(one) is not LEFT_OUT for one in people.values()) < each
        if state in WAITING or (again and lacks and not compared):
            found[image] = row
    if not found or len(found) < len(set(handing.images)):
        path = "images" if handing.images else "from"
        raise refuse(path, "No copy of this person waits there: look at the round again.")
    return found


def _check_taker(
    session: Session,
    place: CollectionAccess,
    pictures: Mapping[UUID, People],
    chosen: Mapping[UUID, Any],
    to: UUID,
) -> None:
    if not labellers(session, place.id, {to}):
        raise refuse("to", "Choose a member who may label pictures here.")
    held = (pictures[image].get(to) for image in chosen)
    if any(row is not None and _state(row) is not LEFT_OUT for row in held):
        words = "This person has a copy of some of these pictures: nobody labels one twice."
        raise refuse("to", words)


def _give(
    session: Session,
    round_id: UUID,
    to: UUID,
    pictures: Mapping[UUID, People],
    chosen: Mapping[UUID, Any],
) -> None:
    """Empty copies; a person's own one that was left out goes on where they left it."""
    had = [pictures[image][to] for image in chosen if to in pictures[image]]
    _set_states(session, [r.id for r in had if r.rev], AnnotationState.IN_PROGRESS)
    _set_states(session, [r.id for r in had if not r.rev], AnnotationState.NEW)
    told = {"round_id": round_id, "annotator_id": to, "state": "new", "rev": 0}
    fresh = [
        told | {"id": new_id(), "image_id": image}
        for image in chosen
        if to not in pictures[image]
    ]
    if fresh:
        session.execute(insert(AgreementCopy), fresh)


def _compare(
    session: Session,
    round_id: UUID,
    body: Body,
    pictures: Mapping[UUID, People],
    chosen: Mapping[UUID, Any],
) -> None:
    least = float(body.get("iou", DEFAULT_IOU))
    for image, left in chosen.items():
        others = [row for row in pictures[image].values() if row.id != left.id]
        if outcome_of(map(_state, others)) is Outcome.COMPARED:
            compare_copies(session, round_id, image, least)


def _set_states(session: Session, ids: Sequence[UUID], state: AnnotationState) -> None:
    for start in range(0, len(ids), AT_ONCE):
        session.execute(
            update(AgreementCopy)
            .where(AgreementCopy.id.in_(ids[start : start + AT_ONCE]))
            .values(state=state.value)
            .execution_options(synchronize_session=False)
        )


def _state(row: Any) -> AnnotationState:
    return AnnotationState(row.state)
