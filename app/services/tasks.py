"""Tasks: the next picture, taken, submitted, skipped, reviewed, assigned and given back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, allows, require
from app.domain.annotation import Changes
from app.domain.names import refuse
from app.domain.operations import SaveKind
from app.domain.states import AnnotationState
from app.domain.workflow import OPEN, SUBMITTED, WITH_REASON, clean_reason
from app.errors import Conflict, NotFound, PictureSubmitted
from app.models import Comment, Image, ImageTask
from app.models.image import LIVE
from app.services.annotation_writing import AnnotationWriting
from app.services.audit import AuditLog, Subject
from app.services.collection_access import CollectionAccess, require_collection
from app.services.comments import comment_row
from app.services.picture_access import PictureAccess, find_picture, require_picture
from app.services.task_queue import Wish, candidates
from app.services.task_rows import TaskRow, TaskRows, check_assignee, find_task
from app.services.task_view import TaskView, task_view

MOST_AT_ONCE: Final = 10_000
"""Pictures of one bulk assignment."""
Verdict = Literal["accept", "reject"]
NOTHING: Final = Changes((), ())


class Tasks:
    """Every method is one transaction; two people are never given the same picture."""

    def __init__(
        self,
        uow: UnitOfWork,
        writing: AnnotationWriting,
        rows: TaskRows,
        audit: AuditLog,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._writing = writing
        self._rows = rows
        self._audit = audit
        self._clock = clock

    def next(
        self,
        actor: Actor,
        slug: str,
        *,
        state: AnnotationState | None = None,
        after: UUID | None = None,
    ) -> TaskView | None:
        """Lease the next picture to the caller; None when there is none.

        One's own lease comes back first, then what is assigned to one, then the oldest that
        is nobody's. ``state`` None: what waits for an annotator, sent back first. ``after``
        is given back and passed over. Pictures that are done are given to reviewers.
        """
        states = OPEN if state is None else (state,)
        with self._uow.write() as session:
            place = require_collection(session, actor, Action.TAKE_TASKS, slug)
            if SUBMITTED & set(states):
                require(actor, Action.LEAD_WORK, place.facts)
            user, now = _user(actor), self._clock()
            if after is not None:
                self._lay_down(session, actor, after)
            for image_id in candidates(session, Wish(place.id, user, states, now, after)):
                if self._rows.claim(session, image_id, user, now):
                    return self._view(session, actor, image_id)
        return None

    def of(self, actor: Actor, image_id: UUID) -> TaskView:
        """The task of one picture."""
        with self._uow.read() as session:
            picture = require_picture(session, actor, Action.READ_ANNOTATIONS, image_id)
            return task_view(session, actor, picture, self._clock())

    def may_write(self, actor: Actor, image_id: UUID) -> bool:
        """Whether the picture is not read-only to the caller, who may annotate it."""
        with self._uow.read() as session:
            picture = require_picture(session, actor, Action.READ_ANNOTATIONS, image_id)
        if picture.annotation_state is AnnotationState.DONE:
            return allows(actor, Action.REVIEW, picture.facts)
        return picture.annotation_state is not AnnotationState.ACCEPTED

    def take(self, actor: Actor, image_id: UUID) -> TaskView:
        """Lease this picture, or renew the lease: a sign of work. ``Conflict`` where another
        has it, or it is assigned to another."""
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.ANNOTATE, image_id)
            now, user = self._clock(), _user(actor)
            task = find_task(session, image_id)
            if task is not None and task.holder(now) == user:
                self._rows.renew(session, task, now)
            elif picture.annotation_state not in SUBMITTED and not self._rows.claim(
                session, image_id, user, now
            ):
                raise _beside()
            return task_view(session, actor, picture, now)

    def submit(self, actor: Actor, image_id: UUID) -> TaskView:
        """Say that a picture is done, with or without annotations; ``InvalidInput`` where an
        attribute that a label needs is missing."""
        return self._settle(actor, image_id, AnnotationState.DONE)

    def skip(self, actor: Actor, image_id: UUID, reason: object) -> TaskView:
        """Leave a picture out; ``InvalidInput`` without a reason."""
        return self._settle(actor, image_id, AnnotationState.SKIPPED, clean_reason(reason))

    def reopen(self, actor: Actor, image_id: UUID) -> TaskView:
        """Take back that a picture is done (who submitted it, a reviewer), accepted (a
        reviewer), skipped or sent back."""
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.ANNOTATE, image_id)
            if picture.annotation_state is not AnnotationState.NEW:
                self._write(session, actor, picture, AnnotationState.IN_PROGRESS)
            return self._view(session, actor, image_id)

    def review(
        self, actor: Actor, image_id: UUID, verdict: Verdict, reason: object = None
    ) -> TaskView:
        """Accept a picture, or send it back with what is to be mended; ``Conflict`` for one
        that nobody submitted."""
        why = clean_reason(reason) if verdict == "reject" else None
        target = AnnotationState.REJECTED if why else AnnotationState.ACCEPTED
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.REVIEW, image_id)
            if picture.annotation_state not in SUBMITTED | {AnnotationState.REJECTED}:
                raise Conflict("Nobody has submitted this picture.", operation="task.review")
            self._write(session, actor, picture, target, why)
            return self._view(session, actor, image_id)

    def assign(self, actor: Actor, image_id: UUID, user_id: UUID | None) -> TaskView:
        """Give a picture to a member who may annotate, or to nobody. Whoever else has it now
        loses the lease."""
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.ASSIGN, image_id)
            check_assignee(session, picture.collection_id, user_id)
            self._assign(session, actor, image_id, user_id)
            self._note(session, actor, Subject("image", image_id), user_id, 1)
            return self._view(session, actor, image_id)

    def assign_some(self, actor: Actor, slug: str, user_id: UUID | None, count: int) -> int:
        """Give a person the ``count`` oldest new pictures that are nobody's; None: take as
        many that nobody has begun back from whoever they are assigned to. How many it was."""
        if not 1 <= count <= MOST_AT_ONCE:
            raise refuse("count", f"This must be from 1 to {MOST_AT_ONCE}.")
        with self._uow.write() as session:
            place = require_collection(session, actor, Action.LEAD_WORK, slug)
            check_assignee(session, place.id, user_id)
            chosen = self._unassigned(session, place, user_id is None, count)
            for image_id in chosen:
                self._assign(session, actor, image_id, user_id)
            if chosen:
                subject = Subject("collection", place.id)
                self._note(session, actor, subject, user_id, len(chosen))
            return len(chosen)

    def release(self, actor: Actor, image_id: UUID) -> TaskView:
        """Give a lease back; a reviewer ends anybody's."""
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.ANNOTATE, image_id)
            task = self._mine(session, actor, picture)
            self._rows.lay_down(session, task, actor.user_id, self._clock())
            return self._view(session, actor, image_id)

    def _settle(
        self, actor: Actor, image_id: UUID, state: AnnotationState, reason: str | None = None
    ) -> TaskView:
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.ANNOTATE, image_id)
            if picture.annotation_state is AnnotationState.ACCEPTED:
                raise PictureSubmitted("This picture was accepted.", operation="task.settle")
            self._mine(session, actor, picture)
            self._write(session, actor, picture, state, reason)
            return self._view(session, actor, image_id)

    def _mine(self, session: Session, actor: Actor, picture: PictureAccess) -> TaskRow | None:
        """The task of a picture that nobody else has; a reviewer may come between."""
        task = find_task(session, picture.id)
        holder = task.holder(self._clock()) if task else None
        beside = holder not in (None, actor.user_id)
        if beside and not allows(actor, Action.REVIEW, picture.facts):
            raise _beside()
        return task

    def _write(
        self,
        session: Session,
        actor: Actor,
        picture: PictureAccess,
        state: AnnotationState,
        reason: str | None = None,
    ) -> None:
        self._writing.write_set(
            session, actor, picture, NOTHING, kind=SaveKind.TASK, state=state
        )
        if reason is not None:
            body = {"reason": reason, "of": state.value}
            self._rows.say(session, picture.id, body)
            self._comment(session, actor, picture.id, reason, state)
        elif state not in WITH_REASON and picture.annotation_state in WITH_REASON:
            self._rows.unsay(session, picture.id, AnnotationState.SKIPPED)

    def _comment(
        self,
        session: Session,
        actor: Actor,
        image_id: UUID,
        text: str,
        state: AnnotationState,
    ) -> None:
        """A reason is said among the comments too, where it can be answered."""
        body = {"text": text, "point": None, "of": state.value}
        row = comment_row(image_id, actor.user_id, self._clock(), body)
        session.execute(insert(Comment), [row])

    def _assign(
        self, session: Session, actor: Actor, image_id: UUID, user_id: UUID | None
    ) -> None:
        task, now = find_task(session, image_id), self._clock()
        if task is not None and task.holder(now) not in (None, user_id):
            self._rows.lay_down(session, task, actor.user_id, now)
        self._rows.set(session, image_id, task, {"assignee_id": user_id})

    def _unassigned(
        self, session: Session, place: CollectionAccess, back: bool, count: int
    ) -> Sequence[UUID]:
        assigned = ImageTask.assignee_id.is_not(None)
        wanted = (
            select(Image.id)
            .outerjoin(ImageTask, ImageTask.image_id == Image.id)
            .where(
                Image.collection_id == place.id,
                Image.annotation_state == AnnotationState.NEW.value,
                LIVE,
                assigned if back else ImageTask.assignee_id.is_(None),
            )
            .order_by(Image.sort_at, Image.id)
            .limit(count)
        )
        return session.scalars(wanted).all()

    def _lay_down(self, session: Session, actor: Actor, image_id: UUID) -> None:
        task, now = find_task(session, image_id), self._clock()
        if task is not None and task.holder(now) == actor.user_id:
            self._rows.lay_down(session, task, actor.user_id, now)

    def _note(
        self, session: Session, actor: Actor, subject: Subject, to: UUID | None, count: int
    ) -> None:
        told = {"to": str(to) if to else None, "pictures": count}
        self._audit.append(session, "task.assign", actor=actor, subject=subject, details=told)

    def _view(self, session: Session, actor: Actor, image_id: UUID) -> TaskView:
        """What became of it, for who was allowed to bring it about."""
        picture = find_picture(session, actor, image_id)
        if picture is None:
            raise NotFound("There is nothing here.", operation="task.find")
        return task_view(session, actor, picture, self._clock())


def _user(actor: Actor) -> UUID:
    """Tasks are for people; the operator of the command line has none (never here)."""
    if actor.user_id is None:
        raise Conflict("This takes an account.", operation="task.user")
    return actor.user_id


def _beside() -> Conflict:
    return Conflict("Somebody else has this picture now.", operation="task.take")
