"""The life of a picture and the life of its labelling."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final


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


#: The verdicts; see `app.domain.workflow`.
REVIEWED: Final = frozenset({AnnotationState.REJECTED, AnnotationState.ACCEPTED})
