"""The boxes of a picture: read, and written against the revision that the writer saw."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.domain.annotation import Annotation, Draft, DraftSet, merge
from app.domain.annotation_document import read_annotation_set
from app.domain.ids import new_id
from app.domain.label_schema import names_of
from app.domain.labels import LabelClass, unknown_names
from app.domain.operations import SaveKind
from app.domain.states import AnnotationState
from app.errors import InvalidInput, Mistake, RevisionRequired, StaleRevision
from app.services.annotation_rows import ids_of_other_pictures, read_rows
from app.services.annotation_writing import AnnotationWriting
from app.services.attribute_checks import check_annotation
from app.services.label_rows import all_classes, living, make_classes
from app.services.picture_access import PictureAccess, require_picture
from app.services.schema_rows import FIRST_VERSION, version_of

ANY: Final = "*"
Expected = int | Literal["*"] | None


@dataclass(frozen=True, slots=True)
class AnnotationSet:
    """``revision`` counts the changes of the set; a picture without any has 0.

    ``schema`` is the version of the labels that these annotations are told under.
    """

    image_id: UUID
    revision: int
    state: AnnotationState
    annotations: tuple[Annotation, ...]
    schema: int = FIRST_VERSION


class Annotations:
    """Gives out and takes whole sets; only differences are written."""

    def __init__(
        self,
        uow: UnitOfWork,
        writing: AnnotationWriting,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._writing = writing
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
        known = self._known_classes(
            session, picture, current, wanted.drafts, classes, actor.user_id
        )
        drawn = _drawn(wanted.drafts, known, current)
        changes = merge(current.annotations, drawn)
        paths = {one.id: draft.path for one, draft in zip(drawn, wanted.drafts, strict=True)}
        written = self._writing.write_set(
            session,
            actor,
            picture,
            changes,
            kind=SaveKind.PUT,
            state=wanted.state,
            paths=paths,
        )
        new = {step.after.id: step.after for step in written.steps if step.after}
        before = {annotation.id: annotation for annotation in current.annotations}
        result = tuple(new.get(one.id) or before[one.id] for one in drawn)
        schema = version_of(session, picture.collection_id)
        return AnnotationSet(picture.id, written.revision, written.state, result, schema)

    def _known_classes(
        self,
        session: Session,
        picture: PictureAccess,
        current: AnnotationSet,
        drafts: Sequence[Draft],
        classes: Mapping[UUID, LabelClass],
        actor_id: UUID | None,
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
            made = make_classes(
                session, picture.collection_id, names, classes, self._clock(), actor_id
            )
            known |= {c.id: c for c in living(made)}
        return known


def _set_of(picture: PictureAccess, annotations: tuple[Annotation, ...]) -> AnnotationSet:
    return AnnotationSet(
        image_id=picture.id,
        revision=picture.annotation_rev,
        state=picture.annotation_state,
        annotations=annotations,
        schema=picture.schema,
    )


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
    by_name = names_of(classes.values())
    before = {annotation.id: annotation for annotation in current.annotations}
    drawn: list[Annotation] = []
    mistakes: list[Mistake] = []
    for draft in drafts:
        label = _label_of(draft, classes, by_name)
        if label is None:
            mistakes.append(Mistake(f"{draft.path}.label_id", "There is no such label here."))
        else:
            old = before.get(draft.id) if draft.id else None
            drawn.append(_annotation(draft, label, old))
            check_annotation(drawn[-1], old, classes, draft.path)
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
        shape=draft.shape,
        frame=draft.frame,
        attributes=attributes,
    )
