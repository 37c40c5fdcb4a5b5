"""One's own copy of a picture in a round: read, labelled by operations, submitted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, allows
from app.domain.agreement import DEFAULT_IOU
from app.domain.annotation import MAX_BOXES, Annotation
from app.domain.blind_copies import LEFT_OUT, WAITING, Outcome, check_writing
from app.domain.label_schema import names_of, present
from app.domain.labels import LabelClass, unknown_names
from app.domain.names import refuse
from app.domain.operations import Applied, Done, Op, apply_ops, read_ops, wanted_by
from app.domain.points import check_points, points_in
from app.domain.states import AnnotationState
from app.services.agreement.comparison import compare_copies
from app.services.agreement.copy_news import news_since, no_news
from app.services.agreement.copy_rows import (
    Opened,
    body_with,
    open_copy,
    outcome,
    write_copy,
)
from app.services.annotation_changes import News
from app.services.annotation_ops import BoxConflict, Patched
from app.services.annotations import AnnotationSet
from app.services.attribute_checks import check_complete, check_steps
from app.services.collection_access import CollectionAccess
from app.services.label_rows import all_classes, living, make_classes
from app.services.schema_rows import version_of
from app.services.task_view import TaskView
from app.services.task_view import names_of as people

KEPT_OPS: Final = 2000
"""Ids of operations that a copy remembers, so that one sent twice is done once."""
DONE: Final = AnnotationState.DONE
Classes = Mapping[UUID, LabelClass]


class Copies:
    """The wire format is that of a picture's annotations, so that one editor serves both."""

    def __init__(self, uow: UnitOfWork, clock: Callable[[], datetime] = utc_now) -> None:
        self._uow = uow
        self._clock = clock

    def get(self, actor: Actor, copy_id: UUID) -> AnnotationSet:
        """The set of a copy; ``NotFound`` for everybody else until all are submitted."""
        with self._uow.read_rows() as connection:
            found = open_copy(connection, actor, copy_id, Action.READ_ANNOTATIONS)
            classes = all_classes(connection, found.place.id)
        return _set_of(found, classes)

    def since(self, actor: Actor, copy_id: UUID, revision: int | None) -> News:
        """What came after ``revision`` (None: only say which it is), as `AnnotationChanges`
        tells it of a picture. Nobody is told who has a copy open."""
        with self._uow.read_rows() as connection:
            action = Action.READ_ANNOTATIONS
            found = open_copy(connection, actor, copy_id, action, sealed=True)
            if revision is None or revision == found.copy.rev:
                return no_news(found)
            found = open_copy(connection, actor, copy_id, action)
            placed = _placed(found, all_classes(connection, found.place.id))
            return news_since(connection, actor, found, placed, revision)

    def task(self, actor: Actor, copy_id: UUID) -> TaskView:
        """What the editor shows: whether it is submitted, and what one may do."""
        with self._uow.read() as session:
            found = open_copy(session, actor, copy_id, Action.READ_ANNOTATIONS)
            return self._view(session, actor, found)

    def patch(self, actor: Actor, copy_id: UUID, document: object) -> Patched:
        """Do operations on a copy, as `AnnotationOps.patch` does them on a picture.

        ``PictureSubmitted`` once it is submitted, unless the document says that it is in
        progress and the picture was not compared yet; also where the round goes on without
        it. What changes nothing is refused to nobody: it may be an answer that was lost.
        """
        with self._uow.read_rows() as connection:
            open_copy(connection, actor, copy_id, Action.ANNOTATE)
        wanted = read_ops(document)
        reopens = _reopens(wanted.state)
        with self._uow.write() as session:
            found = open_copy(session, actor, copy_id, Action.ANNOTATE)
            ops, classes = self._labelled(session, actor, found.place, wanted.ops)
            current = {each.id: each for each in _placed(found, classes)}
            places = {each.id: each.position or 0 for each in current.values()}
            revision = found.copy.rev + 1
            applied = apply_ops(current, ops, revision, known=_known(found), places=places)
            check_steps(applied.changes.steps, {op.op_id: op.path for op in ops}, classes)
            state = found.copy.state
            if applied.changes.any or reopens:
                state = _state_after(session, found, reopens)
            if applied.changes.any:
                self._write(session, found, current, applied, revision)
            elif state is not found.copy.state:
                _set_state(session, copy_id, state)
            told = revision if applied.changes.any else found.copy.rev
            schema = version_of(session, found.picture.collection_id)
            return Patched(told, state, applied.done, _conflicts(applied), schema)

    def submit(self, actor: Actor, copy_id: UUID) -> TaskView:
        """Say that one's copy is done; with the last one of a picture they are compared.

        ``InvalidInput`` where an attribute that a label needs is missing;
        ``PictureSubmitted`` where the round goes on without it.
        """
        with self._uow.write() as session:
            found = open_copy(session, actor, copy_id, Action.ANNOTATE)
            if found.copy.state is LEFT_OUT:
                check_writing(LEFT_OUT, Outcome.WAITING)
            if found.copy.state is not DONE:
                classes = all_classes(session, found.place.id)
                check_complete(found.copy.annotations, classes)
                _set_state(session, copy_id, DONE, self._clock())
                if outcome(session, found.copy) is Outcome.COMPARED:
                    least = float(found.round_body.get("iou", DEFAULT_IOU))
                    compare_copies(session, found.copy.round_id, found.copy.image_id, least)
            return self._view(session, actor, _in_state(found, DONE))

    def reopen(self, actor: Actor, copy_id: UUID) -> TaskView:
        """Take a copy back, as long as it was not compared; ``PictureSubmitted``."""
        with self._uow.write() as session:
            found = open_copy(session, actor, copy_id, Action.ANNOTATE)
            state = _state_after(session, found, reopens=True)
            _set_state(session, copy_id, state)
            return self._view(session, actor, _in_state(found, state))

    def _labelled(
        self, session: Session, actor: Actor, place: CollectionAccess, ops: Sequence[Op]
    ) -> tuple[tuple[Op, ...], Classes]:
        classes: Classes = all_classes(session, place.id)
        wanted = {op.label: f"{op.path}.label" for op in ops if op.label is not None}
        names = unknown_names(wanted, living(classes), is_open=not place.labels_closed)
        if names:
            now = self._clock()
            classes = make_classes(session, place.id, names, classes, now, actor.user_id)
        by_name = names_of(living(classes))
        return tuple(_with_class(op, classes, by_name) for op in ops), classes

    def _write(
        self,
        session: Session,
        found: Opened,
        current: Mapping[UUID, Annotation],
        applied: Applied,
        revision: int,
    ) -> None:
        annotations = _after(current, applied)
        if len(annotations) > MAX_BOXES:
            raise refuse("ops", f"At most {MAX_BOXES} boxes fit into one picture.")
        check_points(points_in(current.values()), points_in(annotations))
        ops = dict(found.copy.body.get("ops", {}))
        ops |= {
            done.op_id.hex: [done.id.hex if done.id else None, done.rev]
            for done in applied.done
        }
        # A sealed body tells its members in the order of their names: the newest by revision.
        kept = sorted(ops.items(), key=lambda each: each[1][1] or 0)[-KEPT_OPS:]
        body = body_with(found.copy, annotations, ops=dict(kept))
        values = {"body": body, "rev": revision, "submitted_at": None}
        state = AnnotationState.IN_PROGRESS.value
        write_copy(session, found.copy.id, values | {"state": state})

    def _view(self, session: Session, actor: Actor, found: Opened) -> TaskView:
        copy = found.copy
        done = copy.state is DONE
        may = allows(actor, Action.ANNOTATE, found.picture.facts)
        own = may and copy.annotator_id == actor.user_id
        reopens = done and own and outcome(session, copy) is not Outcome.COMPARED
        submits = own and copy.state in WAITING
        person = people(session, actor, [copy.annotator_id]).get(copy.annotator_id)
        return TaskView(
            image_id=copy.image_id,
            state=copy.state,
            assignee=person,
            holder=None,
            lease_until=None,
            submitted_by=person if done else None,
            submitted_at=None,
            reviewed_by=None,
            reviewed_at=None,
            reason=None,
            reason_of=None,
            worked_seconds=0,
            can=("reopen",) if reopens else ("submit",) if submits else (),
        )


def _set_of(found: Opened, classes: Classes) -> AnnotationSet:
    copy = found.copy
    placed = _placed(found, classes)
    return AnnotationSet(copy.image_id, copy.rev, copy.state, placed, found.picture.schema)


def _placed(found: Opened, classes: Classes) -> tuple[Annotation, ...]:
    """The annotations in their order, under the names that their classes have now."""
    return tuple(
        replace(
            each,
            label=classes[each.label_id].name if each.label_id in classes else each.label,
            position=place,
        )
        for place, each in enumerate(found.copy.annotations)
    )


def _known(found: Opened) -> dict[UUID, Done]:
    return {
        UUID(op): Done(UUID(op), UUID(id_) if id_ else None, rev)
        for op, (id_, rev) in found.copy.body.get("ops", {}).items()
    }


def _with_class(op: Op, classes: Classes, by_name: Mapping[str, LabelClass]) -> Op:
    if op.label_id is not None:
        label = present(classes, op.label_id)
        if label is None:
            raise refuse(f"{op.path}.label_id", "There is no such label here.")
    else:
        label = by_name.get(op.label or "")
    return replace(op, label_id=label.id, label=label.name) if label else op


def _after(current: Mapping[UUID, Annotation], applied: Applied) -> list[Annotation]:
    now = dict(current)
    for step in applied.changes.steps:
        if step.after is None:
            now.pop(step.subject.id, None)
        else:
            now[step.subject.id] = step.after
    for order in applied.changes.orders:
        for move in order.moves:
            if move.id in now:  # not deleted after it was moved
                now[move.id] = replace(now[move.id], position=move.after)
    return sorted(now.values(), key=lambda each: each.position or 0)


def _reopens(state: AnnotationState | None) -> bool:
    """Whether a document asks for its copy back; ``InvalidInput`` for any other state."""
    if state not in (None, AnnotationState.IN_PROGRESS):
        raise refuse("$.state", "A copy is submitted by the call for it, and not by a set.")
    return state is not None


def _state_after(session: Session, found: Opened, reopens: bool) -> AnnotationState:
    """In progress; ``PictureSubmitted`` where the copy is not to be written any more."""
    if found.copy.state not in WAITING:
        check_writing(found.copy.state, outcome(session, found.copy), reopens=reopens)
    return AnnotationState.IN_PROGRESS


def _set_state(
    session: Session, copy_id: UUID, state: AnnotationState, at: datetime | None = None
) -> None:
    write_copy(session, copy_id, {"state": state.value, "submitted_at": at})


def _in_state(found: Opened, state: AnnotationState) -> Opened:
    return replace(found, copy=replace(found.copy, state=state))


def _conflicts(applied: Applied) -> tuple[BoxConflict, ...]:
    """Copies have no log that tells what a box was before: no base."""
    return tuple(
        BoxConflict(
            each.id,
            tuple(op.op_id for op in each.ops),
            None,
            wanted_by(each.ops, each.theirs),
            each.theirs,
        )
        for each in applied.conflicts
    )
