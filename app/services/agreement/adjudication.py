"""Adjudication: of what two people have, a third chooses, and the picture takes it on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import Connection, update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, allows
from app.domain.agreement import DEFAULT_IOU, Found, Tally, compare, tally
from app.domain.annotation import Annotation, Change, Changes
from app.domain.blind_copies import Outcome, outcome_of
from app.domain.ids import new_id
from app.domain.label_schema import present
from app.domain.labels import LabelClass
from app.domain.names import refuse
from app.domain.operations import SaveKind
from app.domain.states import AnnotationState
from app.errors import Conflict
from app.models import AgreementCopy
from app.services.agreement.copy_rows import CopyRow, copies_of, nothing, place_of
from app.services.annotation_rows import read_rows
from app.services.annotation_writing import AnnotationWriting
from app.services.label_rows import all_classes
from app.services.picture_access import PictureAccess, require_picture
from app.services.task_view import Person, names_of

Choice = Literal["a", "b", "both", "none"]
CHOICES: Final[tuple[Choice, ...]] = ("a", "b", "both", "none")


@dataclass(frozen=True, slots=True)
class AdjudicationView:
    """What the two have; ``people`` are all of the round who may be compared."""

    a: Person
    b: Person
    people: tuple[Person, ...]
    found: tuple[Found, ...]
    tally: Tally
    classes: Mapping[UUID, LabelClass]
    accepted: bool
    adjudicated: bool


@dataclass(frozen=True, slots=True)
class _Two:
    """Two copies and what was found; ``order`` of all annotators."""

    a: CopyRow
    b: CopyRow
    order: tuple[UUID, ...]
    found: tuple[Found, ...]


class Adjudication:
    """For whoever leads, once a picture waits for nobody and two have submitted it."""

    def __init__(
        self,
        uow: UnitOfWork,
        writing: AnnotationWriting,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._writing = writing
        self._clock = clock

    def of(
        self,
        actor: Actor,
        slug: str,
        round_id: UUID,
        image_id: UUID,
        pair: tuple[UUID, UUID] | None = None,
    ) -> AdjudicationView:
        """The two sets; ``pair`` None: the first two. ``NotFound`` before they are compared."""
        with self._uow.read() as session:
            picture = require_picture(session, actor, Action.READ_ANNOTATIONS, image_id)
            two = self._two(session.connection(), actor, slug, round_id, picture, pair)
            names = names_of(session, actor, two.order)
            classes = all_classes(session, picture.collection_id)
            return AdjudicationView(
                a=names[two.a.annotator_id],
                b=names[two.b.annotator_id],
                people=tuple(names[id_] for id_ in two.order if id_ in names),
                found=two.found,
                tally=tally(two.found),
                classes=classes,
                accepted=picture.annotation_state is AnnotationState.ACCEPTED,
                adjudicated=two.a.adjudicated_at is not None,
            )

    def decide(
        self,
        actor: Actor,
        slug: str,
        round_id: UUID,
        image_id: UUID,
        pair: tuple[UUID, UUID],
        choices: Mapping[int, str],
    ) -> None:
        """Replace the picture's annotations by what was chosen, by the place of each thing in
        ``found``, and accept it. ``InvalidInput`` where a choice is missing."""
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.REVIEW, image_id)
            two = self._two(session.connection(), actor, slug, round_id, picture, pair)
            if picture.annotation_state is AnnotationState.ACCEPTED:
                raise Conflict(
                    "This picture was accepted. Reopen it to adjudicate it again.",
                    operation="agreement.decide",
                )
            classes = all_classes(session, picture.collection_id)
            chosen = _chosen(two.found, choices, classes)
            current = read_rows(session, image_id, classes)
            steps = [Change(new_id(), old, None) for old in current]
            steps += [Change(new_id(), None, new) for new in chosen]
            self._writing.write_set(
                session,
                actor,
                picture,
                Changes(tuple(steps), ()),
                kind=SaveKind.ADJUDICATE,
                state=AnnotationState.ACCEPTED,
            )
            self._mark(session, actor, round_id, image_id)

    def _two(
        self,
        connection: Connection,
        actor: Actor,
        slug: str,
        round_id: UUID,
        picture: PictureAccess,
        pair: tuple[UUID, UUID] | None,
    ) -> _Two:
        """``NotFound`` too for a picture that left the collection: its classes are others."""
        place, body = place_of(connection, actor, round_id)
        leads = allows(actor, Action.LEAD_WORK, place.facts)
        found = copies_of(connection, round_id, picture.id)
        submitted = (copy for copy in found if copy.state is AnnotationState.DONE)
        copies = {copy.annotator_id: copy for copy in submitted}
        elsewhere = picture.collection_id != place.id
        outcome = outcome_of(copy.state for copy in found)
        compared = outcome is Outcome.COMPARED
        if not leads or place.slug != slug or elsewhere or not compared:
            raise nothing()
        first, second = pair or tuple(copies)[:2]
        if first == second or first not in copies or second not in copies:
            raise nothing()
        a, b = copies[first], copies[second]
        least = float(body.get("iou", DEFAULT_IOU))
        return _Two(a, b, tuple(copies), compare(a.annotations, b.annotations, least))

    def _mark(self, session: Session, actor: Actor, round_id: UUID, image_id: UUID) -> None:
        session.execute(
            update(AgreementCopy)
            .where(AgreementCopy.round_id == round_id, AgreementCopy.image_id == image_id)
            .values(adjudicated_at=self._clock(), adjudicated_by=actor.user_id)
            .execution_options(synchronize_session=False)
        )


def _chosen(
    found: tuple[Found, ...], choices: Mapping[int, str], classes: Mapping[UUID, LabelClass]
) -> list[Annotation]:
    """New annotations, in the order of the things; a merged class is the one that it became."""
    kept: list[Annotation] = []
    for n, thing in enumerate(found):
        choice = choices.get(n)
        if choice not in CHOICES:
            raise refuse(f"choice-{n}", "Choose whose it is, both or none.")
        sides = {"a": (thing.a,), "b": (thing.b,), "both": (thing.a, thing.b), "none": ()}
        for annotation in sides[choice]:
            label = present(classes, annotation.label_id) if annotation else None
            if annotation is not None and label is not None:
                fresh = replace(annotation, id=new_id(), rev=0, position=len(kept))
                kept.append(replace(fresh, label_id=label.id, label=label.name))
    return kept
