"""The boxes of a picture: read, and written against the revision that the writer saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, allows
from app.domain.annotation import Annotation, Changes, Draft, DraftSet, merge
from app.domain.annotation_document import read_annotation_set
from app.domain.ids import new_id
from app.domain.labels import LabelClass, unknown_names
from app.domain.states import AnnotationState, next_state
from app.errors import InvalidInput, Mistake, RevisionRequired, StaleRevision
from app.models import Image
from app.services.annotation_rows import ids_of_other_pictures, read_rows, write_changes
from app.services.audit import AuditLog, Subject
from app.services.label_rows import all_classes, living, make_classes
from app.services.picture_access import PictureAccess, require_picture

ANY: Final = "*"
Expected = int | Literal["*"] | None


@dataclass(frozen=True, slots=True)
class AnnotationSet:
    """``revision`` counts the changes of the set; a picture without any has 0."""

    image_id: UUID
    revision: int
    state: AnnotationState
    annotations: tuple[Annotation, ...]


class Annotations:
    """Gives out and takes whole sets; only differences are written."""

    def __init__(
        self, uow: UnitOfWork, audit: AuditLog, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._uow = uow
        self._audit = audit
        self._clock = clock

    def get(self, actor: Actor, image_id: UUID) -> AnnotationSet:
        """The set of a picture; ``NotFound``, ``NotPermitted``."""
        with self._uow.read_rows() as connection:
            picture = require_picture(connection, actor, Action.READ_ANNOTATIONS, image_id)
            classes = all_classes(connection, picture.collection_id)
            return _set_of(picture, read_rows(connection, image_id, classes))

    def put(
        self, actor: Actor, image_id: UUID, document: object, expected: Expected
    ) -> AnnotationSet:
        """Replace the set by the one in a parsed JSON document; the new set.

        ``expected`` is the revision that the writer saw, or "*" for any. A set that says the
        same keeps its revision. Raises ``InvalidInput`` with JSON paths, ``RevisionRequired``
        for None, ``StaleRevision`` with the current set in ``current``, ``NotFound``,
        ``NotPermitted``.
        """
        with self._uow.read_rows() as connection:
            require_picture(connection, actor, Action.ANNOTATE, image_id)
        if expected is None:
            raise RevisionRequired(
                "Say in If-Match which revision this set replaces.", operation="annotations.put"
            )
        wanted = read_annotation_set(document)
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.ANNOTATE, image_id)
            classes = all_classes(session, picture.collection_id)
            current = _set_of(picture, read_rows(session, image_id, classes))
            if expected not in (ANY, current.revision):
                raise StaleRevision(
                    "Somebody changed these boxes in the meantime.",
                    current=current,
                    operation="annotations.put",
                    details={"revision": current.revision},
                )
            return self._replace(session, actor, picture, current, wanted, classes)

    def _replace(
        self,
        session: Session,
        actor: Actor,
        picture: PictureAccess,
        current: AnnotationSet,
        wanted: DraftSet,
        classes: Mapping[UUID, LabelClass],
    ) -> AnnotationSet:
        _refuse_foreign_ids(session, current, wanted.drafts)
        known = self._known_classes(session, picture, current, wanted.drafts, classes)
        drawn = _drawn(wanted.drafts, known, current)
        changes = merge(current.annotations, drawn, current.revision + 1)
        state = next_state(
            current.state,
            wanted.state,
            boxes_changed=changes.any,
            may_review=allows(actor, Action.REVIEW, picture.facts),
        )
        if not changes.any and state is current.state and _same_order(current, changes):
            return current
        result = AnnotationSet(picture.id, current.revision + 1, state, changes.result)
        self._write(session, actor, result, changes, current)
        return result

    def _known_classes(
        self,
        session: Session,
        picture: PictureAccess,
        current: AnnotationSet,
        drafts: Sequence[Draft],
        classes: Mapping[UUID, LabelClass],
    ) -> dict[UUID, LabelClass]:
        """The classes that these boxes may have; a new name makes one, in an open set.

        A removed class is known to a set that has boxes of it. Raises ``InvalidInput``.
        """
        in_use = {annotation.label_id for annotation in current.annotations}
        known = {c.id: c for c in classes.values() if not c.removed or c.id in in_use}
        wanted: dict[str, str] = {}
        for draft in drafts:
            if draft.label is not None:
                wanted.setdefault(draft.label, f"{draft.path}.label")
        names = unknown_names(wanted, tuple(known.values()), is_open=not picture.labels_closed)
        if names:
            made = make_classes(session, picture.collection_id, names, classes, self._clock())
            known |= {c.id: c for c in living(made)}
        return known

    def _write(
        self,
        session: Session,
        actor: Actor,
        result: AnnotationSet,
        changes: Changes,
        current: AnnotationSet,
    ) -> None:
        now = self._clock()
        write_changes(
            session, result.image_id, changes, current.annotations, actor.user_id, now
        )
        session.execute(
            update(Image)
            .where(Image.id == result.image_id)
            .values(
                annotation_rev=result.revision,
                annotation_count=len(result.annotations),
                annotation_state=result.state.value,
                updated_at=now,
            )
        )
        self._audit.append(
            session,
            "annotations.put",
            actor=actor,
            subject=Subject("image", result.image_id),
            details={
                "revision": result.revision,
                "state": result.state.value,
                "added": len(changes.added),
                "updated": len(changes.updated),
                "deleted": len(changes.deleted),
            },
        )


def _set_of(picture: PictureAccess, annotations: tuple[Annotation, ...]) -> AnnotationSet:
    return AnnotationSet(
        image_id=picture.id,
        revision=picture.annotation_rev,
        state=picture.annotation_state,
        annotations=annotations,
    )


def _same_order(current: AnnotationSet, changes: Changes) -> bool:
    return [a.id for a in current.annotations] == [a.id for a in changes.result]


def _refuse_foreign_ids(
    session: Session, current: AnnotationSet, drafts: Sequence[Draft]
) -> None:
    known = {annotation.id for annotation in current.annotations}
    new = [draft.id for draft in drafts if draft.id is not None and draft.id not in known]
    taken = ids_of_other_pictures(session, current.image_id, new) if new else set()
    if taken:
        raise InvalidInput(
            "Some ids belong to other pictures.",
            mistakes=[
                Mistake(f"{draft.path}.id", "This id is in use elsewhere.")
                for draft in drafts
                if draft.id in taken
            ],
        )


def _drawn(
    drafts: Sequence[Draft], classes: Mapping[UUID, LabelClass], current: AnnotationSet
) -> tuple[Annotation, ...]:
    """The drafts with their classes; ``InvalidInput`` for a label id that is none here."""
    by_name = {c.name: c for c in sorted(classes.values(), key=lambda c: not c.removed)}
    before = {annotation.id: annotation for annotation in current.annotations}
    drawn: list[Annotation] = []
    mistakes: list[Mistake] = []
    for draft in drafts:
        label = _label_of(draft, classes, by_name)
        if label is None:
            mistakes.append(Mistake(f"{draft.path}.label_id", "There is no such label here."))
        else:
            drawn.append(_annotation(draft, label, before.get(draft.id) if draft.id else None))
    if mistakes:
        raise InvalidInput("This set of annotations has mistakes.", mistakes=mistakes[:50])
    return tuple(drawn)


def _label_of(
    draft: Draft, classes: Mapping[UUID, LabelClass], by_name: Mapping[str, LabelClass]
) -> LabelClass | None:
    if draft.label is not None:
        return by_name[draft.label]
    return classes.get(draft.label_id) if draft.label_id else None


def _annotation(draft: Draft, label: LabelClass, before: Annotation | None) -> Annotation:
    """What was not said about attributes stays as it was."""
    attributes = draft.attributes
    if attributes is None:
        attributes = before.attributes if before else {}
    return Annotation(
        id=draft.id or new_id(),
        rev=0,
        label_id=label.id,
        label=label.name,
        box=draft.box,
        frame=draft.frame,
        attributes=attributes,
    )
