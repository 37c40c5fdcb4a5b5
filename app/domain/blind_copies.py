"""What becomes of a picture of a blind round, by the states of its copies.

A copy is new, in progress, done (submitted), or skipped: the round goes on without it. What
is skipped is waited for no longer, and nothing of it is counted or shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from app.domain.states import AnnotationState
from app.errors import PictureSubmitted

LEFT_OUT: Final = AnnotationState.SKIPPED
WAITING: Final = frozenset({AnnotationState.NEW, AnnotationState.IN_PROGRESS})
COPY_STATES: Final = ("new", "in_progress", "done", "skipped")
LEAST_SUBMITTED: Final = 2
"""Agreement is between two."""


class Outcome(StrEnum):
    WAITING = "waiting"
    COMPARED = "compared"
    NOT_COMPARED = "not_compared"  # nobody is waited for, and fewer than two have submitted


def outcome_of(states: Iterable[AnnotationState]) -> Outcome:
    """Of the copies of one picture in one round."""
    told = list(states)
    if any(state in WAITING for state in told):
        return Outcome.WAITING
    submitted = told.count(AnnotationState.DONE)
    return Outcome.COMPARED if submitted >= LEAST_SUBMITTED else Outcome.NOT_COMPARED


def check_writing(state: AnnotationState, outcome: Outcome, *, reopens: bool = False) -> None:
    """Raise ``PictureSubmitted`` where a copy of this state is not to be written by its maker.

    What was submitted is taken back by saying so (``reopens``), until it was compared.
    """
    if state is LEFT_OUT:
        raise _read_only("The round goes on without this copy: who leads it closed it.")
    if state is AnnotationState.DONE and outcome is Outcome.COMPARED:
        raise _read_only("This copy was submitted, and compared with the others.")
    if state is AnnotationState.DONE and not reopens:
        raise _read_only("You submitted this copy. Reopen it to change it.", True)


def _read_only(words: str, may_reopen: bool = False) -> PictureSubmitted:
    details = {"may_reopen": may_reopen}
    return PictureSubmitted(words, operation="agreement.write", details=details)
