"""Copies of a round as rows, and whom the server shows them to.

``body`` is sealed: ``{"annotations": […], "ops": {op id: [id, rev]}, "against": {person:
tally}}``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from app.domain.access import Action, Actor, allows, require
from app.domain.annotation import Annotation
from app.domain.annotation_json import annotation_json, from_log
from app.domain.blind_copies import Outcome, outcome_of
from app.domain.states import AnnotationState
from app.errors import NotFound
from app.models import AgreementCopy, AgreementRound, Collection
from app.services.collection_access import CollectionAccess, find_collection
from app.services.picture_access import PictureAccess, find_picture

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One person's copy of one picture, opened."""

    id: UUID
    round_id: UUID
    image_id: UUID
    annotator_id: UUID
    state: AnnotationState
    rev: int
    body: Body
    adjudicated_at: datetime | None

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        told = (from_log(each) for each in self.body.get("annotations", ()))
        return tuple(each for each in told if each is not None)


@dataclass(frozen=True, slots=True)
class Opened:
    """A copy with its place, for whoever may see it."""

    copy: CopyRow
    picture: PictureAccess
    place: CollectionAccess
    round_body: Body


def copies_of(
    source: Session | Connection, round_id: UUID, image_id: UUID
) -> tuple[CopyRow, ...]:
    """All copies of one picture, in the order of their annotators."""
    wanted = select(AgreementCopy.__table__).where(
        AgreementCopy.round_id == round_id, AgreementCopy.image_id == image_id
    )
    rows = source.execute(wanted.order_by(AgreementCopy.annotator_id))
    return tuple(_row(row) for row in rows)


def open_copy(
    source: Session | Connection,
    actor: Actor,
    copy_id: UUID,
    action: Action,
    *,
    sealed: bool = False,
) -> Opened:
    """The copy, if the caller made it, or leads and it was compared with another.

    Anybody else is told that there is nothing, and so is everybody once the picture lies in
    another collection, with other people and other classes: ``NotFound``. ``sealed``:
    its body is left alone, and empty here.
    """
    columns = [each for each in AgreementCopy.__table__.c if not sealed or each.name != "body"]
    wanted = select(*columns).where(AgreementCopy.id == copy_id)
    found: Any = source.execute(wanted).first()
    copy = _row(found) if found is not None else None
    picture = find_picture(source, actor, copy.image_id) if copy else None
    place, body = place_of(source, actor, copy.round_id) if copy else (None, {})
    if copy is None or picture is None or place is None or picture.collection_id != place.id:
        require(actor, action, None)
        raise nothing()
    own = copy.annotator_id == actor.user_id
    led = action is Action.READ_ANNOTATIONS and allows(actor, Action.LEAD_WORK, place.facts)
    submitted = copy.state is AnnotationState.DONE
    shown = own or (led and submitted and outcome(source, copy) is Outcome.COMPARED)
    require(actor, action, picture.facts if shown else None)
    return Opened(copy, picture, place, body)


def place_of(
    source: Session | Connection, actor: Actor, round_id: UUID
) -> tuple[CollectionAccess, Body]:
    """The collection of a round, and what the round says; ``NotFound``."""
    wanted = (
        select(Collection.slug, AgreementRound.id, AgreementRound.body)
        .join(Collection, Collection.id == AgreementRound.collection_id)
        .where(AgreementRound.id == round_id)
    )
    row: Any = source.execute(wanted).first()
    place = find_collection(source, actor, row.slug) if row is not None else None
    if place is None:
        require(actor, Action.TAKE_TASKS, None)  # a key without the scope is told so
        raise nothing()
    return place, opened(row.body, row.id)


def outcome(source: Session | Connection, copy: CopyRow) -> Outcome:
    """What has become of the picture that this is a copy of, in its round."""
    states = source.execute(
        select(AgreementCopy.state).where(
            AgreementCopy.round_id == copy.round_id, AgreementCopy.image_id == copy.image_id
        )
    )
    return outcome_of(AnnotationState(row.state) for row in states)


def write_copy(session: Session, copy_id: UUID, values: Mapping[str, Any]) -> None:
    session.execute(update(AgreementCopy), [{"id": copy_id, **values}])


def body_with(copy: CopyRow, annotations: Sequence[Annotation], **more: Any) -> Body:
    """The body of a copy that has these annotations now."""
    return copy.body | {"annotations": [annotation_json(each) for each in annotations]} | more


def opened(value: Any, row_id: UUID) -> Body:
    """A sealed body; {} for none."""
    if value is None:
        return {}
    return dict(value.of(row_id) if hasattr(value, "of") else value)


def nothing() -> NotFound:
    return NotFound("There is nothing here.", operation="agreement.find")


def _row(row: Any) -> CopyRow:
    return CopyRow(
        id=row.id,
        round_id=row.round_id,
        image_id=row.image_id,
        annotator_id=row.annotator_id,
        state=AnnotationState(row.state),
        rev=row.rev,
        body=opened(getattr(row, "body", None), row.id),
        adjudicated_at=row.adjudicated_at,
    )
