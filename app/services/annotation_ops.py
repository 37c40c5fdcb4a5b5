"""Operations on the boxes of a picture: done once each, at the cost of what they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.domain.annotation import Annotation
from app.domain.annotation_document import MAX_MISTAKES
from app.domain.label_schema import names_of, present
from app.domain.labels import LabelClass, unknown_names
from app.domain.operations import (
    Applied,
    Conflict,
    Done,
    Op,
    OpKind,
    OpsDocument,
    SaveKind,
    apply_ops,
    read_ops,
    wanted_by,
)
from app.domain.states import AnnotationState
from app.errors import InvalidInput, Mistake
from app.services.annotation_past import as_they_were, done_before
from app.services.annotation_rows import ids_of_other_pictures, places, read_some, renamed
from app.services.annotation_writing import AnnotationWriting
from app.services.attribute_checks import check_steps
from app.services.label_rows import all_classes, living, make_classes
from app.services.picture_access import PictureAccess, require_picture
from app.services.picture_points import check_all_points
from app.services.schema_rows import version_of

MISTAKEN = "This list of operations has mistakes."
Classes = Mapping[UUID, LabelClass]


@dataclass(frozen=True, slots=True)
class BoxConflict:
    """A box that is another than its sender saw: what it was, was to be, and is.

    ``base`` None: there was none, or the log does not reach back to it. ``mine`` None: it was
    to go. ``theirs`` None: it is gone. ``op_ids`` were not done.
    """

    id: UUID
    op_ids: tuple[UUID, ...]
    base: Annotation | None
    mine: Annotation | None
    theirs: Annotation | None


@dataclass(frozen=True, slots=True)
class Patched:
    """The set after a save; all that does not stand among the conflicts was done."""

    revision: int
    state: AnnotationState
    done: tuple[Done, ...]
    conflicts: tuple[BoxConflict, ...]
    schema: int


class AnnotationOps:
    """Opens the boxes that the operations name and no other."""

    def __init__(
        self,
        uow: UnitOfWork,
        writing: AnnotationWriting,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._writing = writing
        self._clock = clock

    def patch(self, actor: Actor, image_id: UUID, document: object) -> Patched:
        """Do the operations of a parsed JSON document, each once however often it is sent.

        Raises ``InvalidInput`` with JSON paths, and then nothing was done; ``NotFound``,
        ``NotPermitted``, ``Conflict`` as `AnnotationWriting.write_set`.
        """
        wanted = self._read(actor, image_id, document)
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.ANNOTATE, image_id)
            known = _known(session, image_id, wanted.ops)
            classes = all_classes(session, picture.collection_id)
            ops = self._labelled(session, actor, picture, wanted.ops, known, classes)
            applied = _apply(session, picture, ops, known, classes)
            paths = {op.op_id: op.path for op in ops}
            check_steps(applied.changes.steps, paths, classes)
            check_all_points(session, image_id, applied.changes.steps)
            written = self._writing.write_set(
                session,
                actor,
                picture,
                applied.changes,
                kind=SaveKind.PATCH,
                state=wanted.state,
                paths={op.id: op.path for op in ops},
            )
            conflicts = _told(session, image_id, applied.conflicts, classes)
            schema = version_of(session, picture.collection_id)
            return Patched(written.revision, written.state, applied.done, conflicts, schema)

    def _read(self, actor: Actor, image_id: UUID, document: object) -> OpsDocument:
        """Whoever may not write here is told so, and not what is wrong with the document."""
        try:
            return read_ops(document)
        except InvalidInput:
            with self._uow.read_rows() as connection:
                require_picture(connection, actor, Action.ANNOTATE, image_id)
            raise

    def _labelled(
        self,
        session: Session,
        actor: Actor,
        picture: PictureAccess,
        ops: Sequence[Op],
        known: Mapping[UUID, Done],
        classes: Classes,
    ) -> tuple[Op, ...]:
        """The operations with id and name of their classes; a new name makes a class, in an
        open set. A removed class is known by its id: its boxes may wait in an open editor.
        """
        wanted: dict[str, str] = {}
        for op in ops:
            if op.label is not None and op.op_id not in known:
                wanted.setdefault(op.label, f"{op.path}.label")
        names = unknown_names(wanted, living(classes), is_open=not picture.labels_closed)
        if names:
            where, now = picture.collection_id, self._clock()
            classes = make_classes(session, where, names, classes, now, actor.user_id)
        return _with_classes(ops, known, classes)


def _known(session: Session, image_id: UUID, ops: Sequence[Op]) -> dict[UUID, Done]:
    known, elsewhere = done_before(session, image_id, [op.op_id for op in ops])
    _refuse(ops, lambda op: op.op_id in elsewhere, "op_id", "This id is in use elsewhere.")
    return known


def _with_classes(
    ops: Sequence[Op], known: Mapping[UUID, Done], classes: Classes
) -> tuple[Op, ...]:
    by_name = names_of(living(classes))

    def is_unknown(op: Op) -> bool:
        fresh = op.op_id not in known and op.label_id is not None
        return fresh and op.label_id not in classes

    _refuse(ops, is_unknown, "label_id", "There is no such label here.")
    told = []
    for op in ops:
        label = present(classes, op.label_id) if op.label_id else by_name.get(op.label or "")
        told.append(replace(op, label_id=label.id, label=label.name) if label else op)
    return tuple(told)


def _apply(
    session: Session,
    picture: PictureAccess,
    ops: Sequence[Op],
    known: Mapping[UUID, Done],
    classes: Classes,
) -> Applied:
    fresh = [op for op in ops if op.op_id not in known]
    ids = list({op.id for op in fresh if op.kind is not OpKind.ORDER})
    current = read_some(session, picture.id, ids, classes)
    taken = ids_of_other_pictures(session, picture.id, [i for i in ids if i not in current])
    _refuse(
        fresh,
        lambda op: op.id in taken,
        "id",
        "This id is in use elsewhere.",
    )
    ordered = any(op.kind is OpKind.ORDER for op in fresh)
    return apply_ops(
        current,
        ops,
        picture.annotation_rev + 1,
        known=known,
        places=places(session, picture.id) if ordered else None,
    )


def _told(
    session: Session, image_id: UUID, conflicts: Sequence[Conflict], classes: Classes
) -> tuple[BoxConflict, ...]:
    seen = {conflict.id: conflict.rev for conflict in conflicts if conflict.rev is not None}
    bases = as_they_were(session, image_id, seen)
    return tuple(_box_conflict(c, bases.get(c.id), classes) for c in conflicts)


def _box_conflict(conflict: Conflict, base: Annotation | None, classes: Classes) -> BoxConflict:
    base = renamed(base, classes)
    return BoxConflict(
        id=conflict.id,
        op_ids=tuple(op.op_id for op in conflict.ops),
        base=base,
        mine=wanted_by(conflict.ops, base or conflict.theirs),
        theirs=conflict.theirs,
    )


def _refuse(ops: Sequence[Op], is_wrong: Callable[[Op], bool], member: str, words: str) -> None:
    mistakes = [Mistake(f"{op.path}.{member}", words) for op in ops if is_wrong(op)]
    if mistakes:
        raise InvalidInput(MISTAKEN, mistakes=mistakes[:MAX_MISTAKES])
