"""What a save of annotations will write, made from what is there; nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.domain.access import Action, Actor, allows
from app.domain.annotation import MAX_BOXES, Annotation, Change, Changes
from app.domain.operations import SaveKind
from app.domain.states import AnnotationState
from app.domain.workflow import SUBMITTED, WITH_REASON, Standing, state_after
from app.errors import Conflict, InvalidInput, Mistake
from app.services.annotation_log import Save
from app.services.annotation_rows import RowChanges, net_changes, next_place, row_changes
from app.services.picture_access import PictureAccess
from app.services.task_rows import find_task

Source = Session | Connection
#: Sets and operations tell a state without words about it.
_WITHOUT_REASON: Final = frozenset({SaveKind.PUT, SaveKind.PATCH})


@dataclass(frozen=True, slots=True)
class Planned:
    """A save that holds while the picture is as ``picture`` says. ``net`` is one change a box,
    ``count`` how many there are afterwards."""

    picture: PictureAccess
    save: Save
    net: tuple[Change, ...]
    count: int

    @property
    def state(self) -> AnnotationState:
        return self.save.states[1]

    @property
    def becomes_done(self) -> bool:
        """Whether it has to have what labels need from now on: submitted, or accepted (the
        label may have come to need it in between)."""
        before, after = self.save.states
        if after is AnnotationState.ACCEPTED:
            return before is not after
        return after is AnnotationState.DONE and before not in SUBMITTED

    def rows(self) -> RowChanges:
        """An annotation keeps its author where only its class has another name or number."""
        save = self.save
        touched = {} if save.way.leaves_the_state else {"author_id": save.actor_id}
        return row_changes(save.image_id, self.net, save.changes.orders, touched)

    def image_row(self) -> dict[str, Any]:
        return {
            "annotation_rev": self.save.seq,
            "annotation_count": self.count,
            "annotation_state": self.state.value,
        }


def planned(
    source: Source,
    actor: Actor,
    picture: PictureAccess,
    changes: Changes,
    *,
    kind: SaveKind,
    state: AnnotationState | None,
    at: datetime,
) -> Planned:
    """As `AnnotationWriting.write_set`, up to writing; it raises the same but for what is
    missing of attributes."""
    after = _state_after(source, actor, picture, changes, kind, state)
    if after is AnnotationState.DONE and after is not picture.annotation_state:
        _check_holder(source, actor, picture, kind, at)
    save = _save(source, actor, picture, changes, kind, after, at)
    net = net_changes(save.changes.steps)
    more = sum((c.after is not None) - (c.before is not None) for c in net)
    count = picture.annotation_count + more
    if save.says_more and more > 0 and count > MAX_BOXES:
        raise InvalidInput(f"At most {MAX_BOXES} boxes fit into one picture.")
    return Planned(picture, save, net, count)


def event_details(save: Save) -> dict[str, str | int]:
    """What the audit log tells of a save."""
    kinds = [step.kind for step in save.changes.steps]
    return {
        "revision": save.seq,
        "state": save.states[1].value,
        "added": kinds.count("add"),
        "updated": kinds.count("update"),
        "deleted": kinds.count("delete"),
    }


def _save(
    source: Source,
    actor: Actor,
    picture: PictureAccess,
    changes: Changes,
    kind: SaveKind,
    after: AnnotationState,
    at: datetime,
) -> Save:
    """The save with the revision that it makes, if it says more than what is there."""
    before = picture.annotation_state
    revision = picture.annotation_rev + (changes.any or after is not before)
    return Save(
        image_id=picture.id,
        seq=revision,
        at=at,
        actor_id=actor.user_id,
        way=kind,
        changes=_stamped(source, picture, changes, revision),
        states=(before, after),
    )


def _state_after(
    source: Source,
    actor: Actor,
    picture: PictureAccess,
    changes: Changes,
    kind: SaveKind,
    wanted: AnnotationState | None,
) -> AnnotationState:
    current = picture.annotation_state
    if kind.leaves_the_state:
        return current
    task = find_task(source, picture.id) if current in SUBMITTED else None
    standing = Standing(
        may_review=allows(actor, Action.REVIEW, picture.facts),
        submitted=task is not None and task.submitted_by == actor.user_id,
    )
    after = state_after(current, wanted, boxes_changed=changes.any, standing=standing)
    if after in WITH_REASON and after is not current and kind in _WITHOUT_REASON:
        raise InvalidInput(
            "This state takes a reason.",
            mistakes=[Mistake("state", f"To say {after.value}, use the call that takes why.")],
        )
    return after


def _check_holder(
    source: Source, actor: Actor, picture: PictureAccess, kind: SaveKind, at: datetime
) -> None:
    """``Conflict`` where a save submits what another annotator has now: that is theirs."""
    if kind not in _WITHOUT_REASON or allows(actor, Action.REVIEW, picture.facts):
        return
    task = find_task(source, picture.id)
    if task is not None and task.holder(at) not in (None, actor.user_id):
        raise Conflict("Somebody else has this picture now.", operation="annotations.submit")


def _stamped(
    source: Source, picture: PictureAccess, changes: Changes, revision: int
) -> Changes:
    """The same changes with the revision and the places of what is after each step."""
    top: int | None = None
    latest: dict[UUID, Annotation | None] = {}
    steps: list[Change] = []
    for step in changes.steps:
        id_, after = step.subject.id, step.after
        before = latest.get(id_, step.before)
        if after is not None:
            place = _place(after, before)
            if place is None:
                top = next_place(source, picture.id) if top is None else top + 1
                place = top
            after = replace(after, rev=revision, position=place)
        latest[id_] = after
        steps.append(Change(step.op_id, before, after))
    return replace(changes, steps=tuple(steps))


def _place(after: Annotation, before: Annotation | None) -> int | None:
    if after.position is None and before is not None:
        return before.position
    return after.position
