"""When a picture of a blind round is compared, and when its copies may be written."""

from __future__ import annotations

import pytest

from app.domain.blind_copies import (
    COPY_STATES,
    LEFT_OUT,
    WAITING,
    Outcome,
    check_writing,
    outcome_of,
)
from app.domain.states import AnnotationState
from app.errors import PictureSubmitted

LETTERS = {"n": "new", "i": "in_progress", "d": "done", "s": "skipped"}


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ("dd", "compared"),
        ("dds", "compared"),
        ("ddn", "waiting"),
        ("di", "waiting"),
        ("ss", "not_compared"),
        ("ds", "not_compared"),
        ("d", "not_compared"),
        ("", "not_compared"),
    ],
)
def test_what_becomes_of_a_picture(states: str, outcome: str) -> None:
    told = (AnnotationState(LETTERS[letter]) for letter in states)
    assert outcome_of(told).value == outcome


def test_every_state_of_a_copy_waits_is_submitted_or_left_out() -> None:
    known = {AnnotationState(word) for word in COPY_STATES}
    assert known == WAITING | {AnnotationState.DONE, LEFT_OUT}


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("reopens", [False, True])
def test_who_may_write(outcome: Outcome, reopens: bool) -> None:
    for state in WAITING:
        check_writing(state, outcome, reopens=reopens)
    with pytest.raises(PictureSubmitted):
        check_writing(LEFT_OUT, outcome, reopens=reopens)
    open_ = outcome is not Outcome.COMPARED
    if reopens and open_:
        check_writing(AnnotationState.DONE, outcome, reopens=True)
        return
    with pytest.raises(PictureSubmitted) as refusal:
        check_writing(AnnotationState.DONE, outcome, reopens=reopens)
    assert refusal.value.details["may_reopen"] is open_
