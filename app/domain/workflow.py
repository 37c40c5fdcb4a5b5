"""Which state of labelling follows which, who may bring it about, and what it takes.

::

    new, in_progress -> done, skipped (with a reason)         whoever may annotate
    skipped, rejected -> in_progress, done, skipped           whoever may annotate
    in_progress, skipped -> new                               whoever may annotate
    done -> in_progress                                       who submitted it; a reviewer
    done -> accepted, rejected (with a reason); any -> those  a reviewer
    accepted -> in_progress, rejected                         a reviewer

A picture that is done is read-only to annotators; whoever submitted it may take it back, by
saying that it is in progress again. One that is accepted is read-only to everybody until a
reviewer says another state. A reviewer may mend what is done without taking it back. Saving a
set as it is changes nothing and is refused to nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain.names import clean_description, refuse
from app.domain.states import REVIEWED, AnnotationState
from app.errors import NotPermitted, PictureSubmitted

NEW, REJECTED = AnnotationState.NEW, AnnotationState.REJECTED
#: Nobody changes a picture in these without taking it back first.
SUBMITTED: Final = frozenset({AnnotationState.DONE, AnnotationState.ACCEPTED})
#: What is said with these goes to whoever works on the picture next.
WITH_REASON: Final = frozenset({AnnotationState.SKIPPED, AnnotationState.REJECTED})
#: The states in which a picture waits for an annotator, and those that `next` may be asked for.
OPEN: Final = (AnnotationState.REJECTED, AnnotationState.IN_PROGRESS, AnnotationState.NEW)
MAX_REASON: Final = 1000
SITTING_GAP: Final = 300
"""Seconds: a longer pause between two signs of work is not counted as work."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a person stands to a picture; ``submitted``: it was they who submitted it."""

    may_review: bool
    submitted: bool = False


def state_after(
    current: AnnotationState,
    wanted: AnnotationState | None,
    *,
    boxes_changed: bool,
    standing: Standing,
) -> AnnotationState:
    """The state after a save that asks for ``wanted`` (None: says nothing about it).

    A save that only changes boxes moves "new", "skipped" and "rejected" on to "in_progress".
    Raises ``PictureSubmitted`` where the picture is read-only to this person, ``NotPermitted``
    for a verdict that is a reviewer's, or one that would be passed over.
    """
    target = wanted or _after_work(current, boxes_changed)
    if target is current and not boxes_changed:
        return target
    if current in SUBMITTED:
        _check_taking_back(current, target, standing)
    if target in REVIEWED and target is not current and not standing.may_review:
        raise NotPermitted(
            "Only a reviewer can accept or reject.", operation="annotations.state"
        )
    if (current, target) == (REJECTED, NEW) and not standing.may_review:
        raise NotPermitted(
            "A reviewer sent this picture back: mend it, or skip it with a reason.",
            operation="annotations.state",
        )
    return target


def clean_reason(text: object, path: str = "reason") -> str:
    """Why a picture is skipped or rejected: 1 to 1,000 characters; ``InvalidInput``."""
    reason = clean_description(text, path) if isinstance(text, str) else ""
    if not reason:
        raise refuse(path, "Say why, for whoever looks at it next.")
    if len(reason) > MAX_REASON:
        raise refuse(path, f"At most {MAX_REASON} characters fit here.")
    return reason


def worked(gap: float) -> int:
    """Whole seconds of work between two signs of it, ``gap`` seconds apart."""
    return int(gap) if 0 < gap <= SITTING_GAP else 0


def _after_work(current: AnnotationState, boxes_changed: bool) -> AnnotationState:
    waiting = {AnnotationState.NEW, AnnotationState.SKIPPED, AnnotationState.REJECTED}
    return AnnotationState.IN_PROGRESS if boxes_changed and current in waiting else current


def _check_taking_back(
    current: AnnotationState, target: AnnotationState, standing: Standing
) -> None:
    if current is AnnotationState.ACCEPTED:
        if not standing.may_review:
            raise _read_only("This picture was accepted. A reviewer can take that back.")
        if target is AnnotationState.ACCEPTED:
            raise _read_only("This picture was accepted. Reopen it to change it.", True)
        return
    if standing.may_review:
        return
    if not standing.submitted:
        raise _read_only("This picture was submitted. A reviewer can send it back.")
    if target is not AnnotationState.IN_PROGRESS:
        raise _read_only("You submitted this picture. Reopen it to change it.", True)


def _read_only(words: str, may_reopen: bool = False) -> PictureSubmitted:
    details = {"may_reopen": may_reopen}
    return PictureSubmitted(words, operation="annotations.state", details=details)
