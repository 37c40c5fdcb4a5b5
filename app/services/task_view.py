"""What the page and the API tell of a picture's task, and what the caller may do with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.domain.access import Action, Actor, allows
from app.domain.states import AnnotationState
from app.domain.workflow import SUBMITTED
from app.models import User
from app.services.caller import UNREADABLE
from app.services.picture_access import PictureAccess
from app.services.task_rows import TaskRow, find_task, reason_of


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as others see them here; ``you``: the caller."""

    id: UUID
    name: str
    you: bool


@dataclass(frozen=True, slots=True)
class TaskView:
    """Whose turn it is. ``holder`` has the picture until ``lease_until``.

    ``reason`` is what was said when it was skipped (``reason_of`` skipped) or sent back
    (rejected). ``can`` names what the caller may do: submit, skip, reopen, accept, reject,
    assign, release.
    """

    image_id: UUID
    state: AnnotationState
    assignee: Person | None
    holder: Person | None
    lease_until: datetime | None
    submitted_by: Person | None
    submitted_at: datetime | None
    reviewed_by: Person | None
    reviewed_at: datetime | None
    reason: str | None
    reason_of: str | None
    worked_seconds: int
    can: tuple[str, ...]

    @property
    def read_only(self) -> bool:
        """Whether it is submitted or accepted."""
        return self.state in SUBMITTED


def names_of(
    source: Session | Connection, actor: Actor, ids: Iterable[UUID | None]
) -> Mapping[UUID | None, Person]:
    """These people by id, in one SELECT; whoever is gone is missing."""
    wanted = {each for each in ids if each is not None}
    if not wanted:
        return {}
    rows: Any = source.execute(
        select(User.__table__.c.id, User.__table__.c.name).where(User.id.in_(wanted))
    )
    return {
        row.id: Person(row.id, str(row.name.told(row.id, UNREADABLE)), row.id == actor.user_id)
        for row in rows
    }


def task_view(
    source: Session | Connection, actor: Actor, picture: PictureAccess, now: datetime
) -> TaskView:
    """The task of a picture that the caller may see."""
    task = find_task(source, picture.id)
    holder = task.holder(now) if task else None
    people: Mapping[UUID | None, Person] = {}
    if task is not None:
        ids = (task.assignee_id, holder, task.submitted_by, task.reviewed_by)
        people = names_of(source, actor, ids)
    said = reason_of(source, picture.id) if task else {}
    return TaskView(
        image_id=picture.id,
        state=picture.annotation_state,
        assignee=people.get(task.assignee_id) if task else None,
        holder=people.get(holder),
        lease_until=task.lease_until if task and holder else None,
        submitted_by=people.get(task.submitted_by) if task else None,
        submitted_at=task.submitted_at if task else None,
        reviewed_by=people.get(task.reviewed_by) if task else None,
        reviewed_at=task.reviewed_at if task else None,
        reason=said.get("reason"),
        reason_of=said.get("of"),
        worked_seconds=task.worked_seconds if task else 0,
        can=tuple(_can(actor, picture, task, holder)),
    )


def _can(
    actor: Actor, picture: PictureAccess, task: TaskRow | None, holder: UUID | None
) -> Iterable[str]:
    state = picture.annotation_state
    annotates = allows(actor, Action.ANNOTATE, picture.facts)
    reviews = allows(actor, Action.REVIEW, picture.facts)
    beside = holder not in (None, actor.user_id) and not reviews
    if annotates and state not in SUBMITTED and not beside:
        yield "submit"
        if state is not AnnotationState.SKIPPED:
            yield "skip"
    own = task is not None and task.submitted_by == actor.user_id
    takes_back = {
        AnnotationState.DONE: annotates and (own or reviews),
        AnnotationState.ACCEPTED: reviews,
    }
    if takes_back.get(state):
        yield "reopen"
    if reviews and state in {AnnotationState.DONE, AnnotationState.REJECTED}:
        yield "accept"
    if reviews and state in SUBMITTED:
        yield "reject"
    if allows(actor, Action.ASSIGN, picture.facts):
        yield "assign"
    if holder is not None and (holder == actor.user_id or reviews):
        yield "release"
