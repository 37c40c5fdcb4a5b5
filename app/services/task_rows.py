"""Whose turn it is with a picture, as rows: leases, signs of work, who submitted and reviewed.

A lease is taken by asking for the next picture, by opening one, or by writing into one that
nobody has; every sign of work (a save, a renewal) renews it. The time between two signs of the
person who has the picture counts as work if it is not longer than `SITTING_GAP`; a longer
pause counts as none at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.domain.ids import new_id
from app.domain.names import refuse
from app.domain.operations import SaveKind
from app.domain.states import AnnotationState
from app.domain.workflow import SUBMITTED, WITH_REASON, worked
from app.models import ImageTask
from app.services.labellers import labellers

LEASE: Final = timedelta(minutes=30)
#: Signs of work closer together than this (seconds) are one: each would be a row written.
_SIGN_EVERY: Final = 10
#: The ways by which people work on a picture, unlike programs and leads.
_BY_HAND: Final = frozenset({SaveKind.PUT, SaveKind.PATCH, SaveKind.RESTORE, SaveKind.TASK})
_COLUMNS = (
    ImageTask.id,
    ImageTask.image_id,
    ImageTask.assignee_id,
    ImageTask.lease_user_id,
    ImageTask.lease_until,
    ImageTask.submitted_by,
    ImageTask.submitted_at,
    ImageTask.reviewed_by,
    ImageTask.reviewed_at,
    ImageTask.worked_seconds,
    ImageTask.active_at,
)
Values = dict[str, Any]
States = tuple[AnnotationState, AnnotationState]


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A row without its sealed body."""

    id: UUID
    image_id: UUID
    assignee_id: UUID | None
    lease_user_id: UUID | None
    lease_until: datetime | None
    submitted_by: UUID | None
    submitted_at: datetime | None
    reviewed_by: UUID | None
    reviewed_at: datetime | None
    worked_seconds: int
    active_at: datetime | None

    def holder(self, now: datetime) -> UUID | None:
        """Who has the picture now."""
        held = self.lease_until is not None and self.lease_until > now
        return self.lease_user_id if held else None


def find_task(source: Session | Connection, image_id: UUID) -> TaskRow | None:
    """The row beside a picture; None before anybody took it."""
    row: Any = source.execute(select(*_COLUMNS).where(ImageTask.image_id == image_id)).first()
    return TaskRow(*row) if row is not None else None


def _find_tasks(source: Session, image_ids: Sequence[UUID]) -> dict[UUID, TaskRow]:
    rows: Any = source.execute(select(*_COLUMNS).where(ImageTask.image_id.in_(image_ids)))
    return {row.image_id: TaskRow(*row) for row in rows}


def reason_of(source: Session | Connection, image_id: UUID) -> dict[str, Any]:
    """``{"reason", "of"}``: why, and the state that it was said with; {} for none."""
    wanted = select(ImageTask.id, ImageTask.body).where(ImageTask.image_id == image_id)
    row: Any = source.execute(wanted).first()
    if row is None or row.body is None:
        return {}
    body = row.body.of(row.id) if hasattr(row.body, "of") else row.body
    return dict(body)


def free_for(user_id: UUID | None, now: datetime) -> ColumnElement[bool]:
    """The condition on a row under which this person may take the picture."""
    unleased = or_(
        ImageTask.lease_until.is_(None),
        ImageTask.lease_until <= now,
        ImageTask.lease_user_id == user_id,
    )
    return and_(
        unleased, or_(ImageTask.assignee_id.is_(None), ImageTask.assignee_id == user_id)
    )


def clear_desks(session: Session, *which: ColumnElement[bool]) -> None:
    """Take these rows from whoever they are assigned or leased to: who no longer sees a
    picture would keep it from everybody else."""
    nobody = {"assignee_id": None, "lease_user_id": None, "lease_until": None}
    session.execute(
        update(ImageTask)
        .where(*which)
        .values(**nobody, active_at=None)
        .execution_options(synchronize_session=False)
    )


def give_back_tasks(session: Session, user_id: UUID, *which: ColumnElement[bool]) -> None:
    """What was assigned or leased to somebody waits for everybody again."""
    theirs = or_(ImageTask.assignee_id == user_id, ImageTask.lease_user_id == user_id)
    clear_desks(session, theirs, *which)


class TaskRows:
    """Writes them; ``lease`` is how long a picture is kept for whoever took it."""

    def __init__(self, lease: timedelta = LEASE) -> None:
        self._lease = lease

    def claim(self, session: Session, image_id: UUID, user_id: UUID, now: datetime) -> bool:
        """Compare and swap: take the picture unless another has it or it is another's."""
        taken = {"lease_user_id": user_id, "lease_until": now + self._lease, "active_at": now}
        dialect = session.get_bind().dialect.name
        upsert = postgresql.insert if dialect == "postgresql" else sqlite.insert
        row = upsert(ImageTask).values(
            id=new_id(), image_id=image_id, worked_seconds=0, **taken
        )
        claimed = session.execute(
            row.on_conflict_do_update(
                index_elements=["image_id"], set_=taken, where=free_for(user_id, now)
            ).returning(ImageTask.image_id)
        )
        return claimed.first() is not None

    def renew(self, session: Session, task: TaskRow, now: datetime) -> None:
        """A sign of work of the person who has the picture."""
        self.set(session, task.image_id, task, self._sitting(task, now))

    def note(
        self,
        session: Session,
        image_id: UUID,
        actor_id: UUID | None,
        states: States,
        way: SaveKind,
        now: datetime,
    ) -> None:
        """A save has been written: renew the lease, count the work, say who submitted."""
        if actor_id is None or way.leaves_the_state:
            return
        task = find_task(session, image_id)
        values = self._noted(task, actor_id, states, way, now)
        if values:
            self.set(session, image_id, task, values)

    def note_all(
        self,
        session: Session,
        actor_id: UUID | None,
        saves: Sequence[tuple[UUID, States]],
        way: SaveKind,
        now: datetime,
    ) -> None:
        """As `note`, for saves of several pictures: a few statements for all."""
        if actor_id is None or way.leaves_the_state:
            return
        tasks = _find_tasks(session, [image_id for image_id, _ in saves])
        made: dict[tuple[str, ...], list[Values]] = {}
        for image_id, states in saves:
            task = tasks.get(image_id)
            if values := self._noted(task, actor_id, states, way, now):
                row = ({"id": task.id} if task else _fresh(image_id)) | values
                made.setdefault(tuple(row), []).append(row)
        for names, rows in made.items():
            statement = insert(ImageTask) if "image_id" in names else update(ImageTask)
            session.execute(statement, rows)

    def _noted(
        self,
        task: TaskRow | None,
        actor_id: UUID,
        states: States,
        way: SaveKind,
        now: datetime,
    ) -> Values:
        values = self._signs(task, actor_id, states, now) if way in _BY_HAND else {}
        if states[0] is not states[1]:
            values |= _passed(task, actor_id, states[1], now)
        return values

    def lay_down(
        self, session: Session, task: TaskRow | None, actor_id: UUID | None, now: datetime
    ) -> None:
        """End the lease, whoever has it."""
        if task is not None:
            self.set(session, task.image_id, task, _laid_down(task, actor_id, now))

    def say(self, session: Session, image_id: UUID, body: Values) -> None:
        """Keep why a picture is as it is."""
        self.set(session, image_id, find_task(session, image_id), {"body": body})

    def unsay(self, session: Session, image_id: UUID, of: AnnotationState) -> None:
        """Forget what was said with this state, which is over."""
        if reason_of(session, image_id).get("of") == of.value:
            self.say(session, image_id, {})

    def set(
        self, session: Session, image_id: UUID, task: TaskRow | None, values: Values
    ) -> None:
        """Write these columns; makes the row where there is none."""
        if task is None:
            session.execute(insert(ImageTask), [_fresh(image_id) | values])
        elif values:
            session.execute(update(ImageTask), [{"id": task.id} | values])

    def _signs(
        self,
        task: TaskRow | None,
        actor_id: UUID,
        states: States,
        now: datetime,
    ) -> Values:
        closed = states[1] in SUBMITTED | WITH_REASON
        if closed and states[0] is states[1]:
            return {}  # a reviewer mends something
        if closed:
            return _laid_down(task, actor_id, now)
        if task is None or task.holder(now) is None:
            taken = {"lease_user_id": actor_id, "lease_until": now + self._lease}
            return taken | {"active_at": now}
        if task.lease_user_id != actor_id or _pause(task, now) < _SIGN_EVERY:
            return {}
        return self._sitting(task, now)

    def _sitting(self, task: TaskRow, now: datetime) -> Values:
        return _counted(task, now) | {"lease_until": now + self._lease}


def _fresh(image_id: UUID) -> Values:
    return {"id": new_id(), "image_id": image_id, "worked_seconds": 0}


def _pause(task: TaskRow, now: datetime) -> float:
    """Seconds since the last sign of work that was written down."""
    return (now - task.active_at).total_seconds() if task.active_at else float("inf")


def _counted(task: TaskRow, now: datetime) -> Values:
    """The clock goes on by the whole seconds that were counted, so that no part is lost."""
    more = worked(_pause(task, now))
    if task.active_at is None or not more:
        return {"active_at": now}
    return {
        "worked_seconds": task.worked_seconds + more,
        "active_at": task.active_at + timedelta(seconds=more),
    }


def _laid_down(task: TaskRow | None, actor_id: UUID | None, now: datetime) -> Values:
    """The picture leaves its desk, whoever had it there; only the holder's time counts."""
    nobody = {"lease_user_id": None, "lease_until": None}
    counts = task is not None and task.lease_user_id == actor_id
    return (_counted(task, now) if task and counts else {}) | nobody | {"active_at": None}


def _passed(
    task: TaskRow | None, actor_id: UUID, state: AnnotationState, now: datetime
) -> Values:
    """Who brought a picture into its state, and when."""
    submitted = {"submitted_by": actor_id, "submitted_at": now}
    if state in {AnnotationState.DONE, AnnotationState.SKIPPED}:
        return submitted
    if state not in {AnnotationState.ACCEPTED, AnnotationState.REJECTED}:
        return {}
    by = task.submitted_by if task else None
    values: Values = {"reviewed_by": actor_id, "reviewed_at": now}
    if state is AnnotationState.ACCEPTED:
        nobodys = {"body": None, "assignee_id": None}
        return values | (submitted if by is None else {}) | nobodys
    # What is sent back goes to whoever made it, unless it is somebody's already.
    return values | ({"assignee_id": by} if task and not task.assignee_id else {})


def check_assignee(session: Session, collection_id: UUID, user_id: UUID | None) -> None:
    """``InvalidInput`` unless this is nobody, or a member who may label pictures there."""
    if user_id is None:
        return
    if not labellers(session, collection_id, {user_id}):
        raise refuse("user_id", "Name a member who may label pictures here.")
