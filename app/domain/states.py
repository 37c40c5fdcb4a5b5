"""The life of a picture and the life of its labelling."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from app.errors import NotPermitted


class ImageStatus(StrEnum):
    UPLOADING = "uploading"
    PROCESSING = "processing"
    READY = "ready"
    ERROR = "error"
    QUARANTINED = "quarantined"
    TRASHED = "trashed"
    DESTROYED = "destroyed"  # its key is being shredded: nobody sees the row any more


def trashed_since(
    trashed_at: datetime | None, expires_at: datetime | None, now: datetime
) -> datetime | None:
    """Since when a picture is in the trash: since it was put there, or its time ran out.

    None: it is not. Nobody has to move a picture for its time to have run out.
    """
    if trashed_at is not None or expires_at is None or expires_at > now:
        return trashed_at
    return expires_at


def shown_status(kept: str, *, trashed: bool) -> ImageStatus:
    """The one word that people see: a row keeps the trash beside its status."""
    status = ImageStatus(kept)
    return ImageStatus.TRASHED if trashed and status is not ImageStatus.DESTROYED else status


class AnnotationState(StrEnum):
    NEW = "new"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    ACCEPTED = "accepted"


#: The verdicts: only a reviewer gives one, and only a reviewer takes "accepted" back.
REVIEWED: Final = frozenset({AnnotationState.REJECTED, AnnotationState.ACCEPTED})


def next_state(
    current: AnnotationState,
    wanted: AnnotationState | None,
    *,
    boxes_changed: bool,
    may_review: bool,
) -> AnnotationState:
    """The state after a save that asks for ``wanted`` (None: says nothing about it).

    Whoever may annotate goes from any state but "accepted" to any that is no verdict, in
    one step; a reviewer goes anywhere. A save that only changes boxes moves "new",
    "skipped" and "rejected" on to "in_progress". Raises ``NotPermitted``.
    """
    target = wanted or _after_work(current, boxes_changed)
    touches = boxes_changed or target is not current
    if touches and not may_review and _is_verdict(current, target):
        raise NotPermitted(
            "Only a reviewer can accept or reject, or change what was accepted.",
            operation="annotations.state",
        )
    return target


def _after_work(current: AnnotationState, boxes_changed: bool) -> AnnotationState:
    waiting = {AnnotationState.NEW, AnnotationState.SKIPPED, AnnotationState.REJECTED}
    return AnnotationState.IN_PROGRESS if boxes_changed and current in waiting else current


def _is_verdict(current: AnnotationState, target: AnnotationState) -> bool:
    gives_one = target is not current and target in REVIEWED
    return gives_one or current is AnnotationState.ACCEPTED
