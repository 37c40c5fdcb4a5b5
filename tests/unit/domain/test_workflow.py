"""Every step from a state to a state, for everybody, against a table written by hand."""

from __future__ import annotations

import pytest

from app.domain.states import AnnotationState
from app.domain.workflow import (
    MAX_REASON,
    SITTING_GAP,
    Standing,
    clean_reason,
    state_after,
    worked,
)
from app.errors import InvalidInput, NotPermitted, PictureSubmitted

NEW, WORK, DONE, SKIPPED, REJECTED, ACCEPTED = AnnotationState
OTHER, AUTHOR, REVIEWER = Standing(False), Standing(False, True), Standing(True)
OPEN = (NEW, WORK, SKIPPED, REJECTED)
UNJUDGED = (NEW, WORK, DONE, SKIPPED)


def step(
    current: AnnotationState,
    wanted: AnnotationState | None,
    who: Standing,
    *,
    changed: bool = False,
) -> AnnotationState:
    return state_after(current, wanted, boxes_changed=changed, standing=who)


@pytest.mark.parametrize("current", OPEN)
@pytest.mark.parametrize("wanted", UNJUDGED)
@pytest.mark.parametrize("changed", [False, True])
@pytest.mark.parametrize("who", [OTHER, AUTHOR, REVIEWER])
def test_whoever_writes_goes_from_what_is_open_to_what_is_no_verdict(
    current: AnnotationState, wanted: AnnotationState, changed: bool, who: Standing
) -> None:
    if (current, wanted) == (REJECTED, NEW) and not who.may_review:
        with pytest.raises(NotPermitted):
            step(current, wanted, who, changed=changed)
    else:
        assert step(current, wanted, who, changed=changed) is wanted


@pytest.mark.parametrize("wanted", AnnotationState)
@pytest.mark.parametrize("current", [*OPEN, DONE])
@pytest.mark.parametrize("changed", [False, True])
def test_a_reviewer_goes_anywhere_from_what_is_not_accepted(
    current: AnnotationState, wanted: AnnotationState, changed: bool
) -> None:
    assert step(current, wanted, REVIEWER, changed=changed) is wanted


@pytest.mark.parametrize("verdict", [REJECTED, ACCEPTED])
@pytest.mark.parametrize("current", [NEW, WORK, SKIPPED])
@pytest.mark.parametrize("who", [OTHER, AUTHOR])
def test_only_a_reviewer_gives_a_verdict(
    current: AnnotationState, verdict: AnnotationState, who: Standing
) -> None:
    with pytest.raises(NotPermitted):
        step(current, verdict, who)


@pytest.mark.parametrize("wanted", [None, *AnnotationState])
def test_what_is_done_is_read_only_to_the_others(wanted: AnnotationState | None) -> None:
    with pytest.raises(PictureSubmitted):
        step(DONE, wanted, OTHER, changed=True)


@pytest.mark.parametrize("changed", [False, True])
def test_whoever_submitted_takes_it_back_by_saying_so(changed: bool) -> None:
    assert step(DONE, WORK, AUTHOR, changed=changed) is WORK
    for wanted in (NEW, SKIPPED, REJECTED, ACCEPTED):
        with pytest.raises(PictureSubmitted):
            step(DONE, wanted, AUTHOR, changed=changed)
    for silent in (None, DONE):
        with pytest.raises(PictureSubmitted):
            step(DONE, silent, AUTHOR, changed=True)


@pytest.mark.parametrize("who", [OTHER, AUTHOR])
@pytest.mark.parametrize("wanted", [None, *AnnotationState])
def test_what_is_accepted_is_read_only(who: Standing, wanted: AnnotationState | None) -> None:
    with pytest.raises(PictureSubmitted):
        step(ACCEPTED, wanted, who, changed=True)


def test_a_reviewer_takes_a_verdict_back_by_saying_another_state() -> None:
    for silent in (None, ACCEPTED):
        with pytest.raises(PictureSubmitted):
            step(ACCEPTED, silent, REVIEWER, changed=True)
    for wanted in (NEW, WORK, DONE, SKIPPED, REJECTED):
        for changed in (False, True):
            assert step(ACCEPTED, wanted, REVIEWER, changed=changed) is wanted


@pytest.mark.parametrize("state", AnnotationState)
@pytest.mark.parametrize("who", [OTHER, AUTHOR, REVIEWER])
def test_saving_a_set_as_it_is_is_no_change(state: AnnotationState, who: Standing) -> None:
    for wanted in (None, state):
        assert step(state, wanted, who) is state


@pytest.mark.parametrize(
    ("current", "after"),
    [(NEW, WORK), (WORK, WORK), (SKIPPED, WORK), (REJECTED, WORK), (DONE, DONE)],
)
def test_boxes_alone_move_the_state_on(
    current: AnnotationState, after: AnnotationState
) -> None:
    assert step(current, None, REVIEWER, changed=True) is after


def test_a_reason_is_some_words() -> None:
    assert clean_reason("  too dark\nto see ") == "too dark\nto see"
    for bad in (None, 3, "", "  \n", "x" * (MAX_REASON + 1), "a\0b", "\u202egood"):
        with pytest.raises(InvalidInput):
            clean_reason(bad)


def test_long_pauses_are_no_work() -> None:
    seconds = {0: 0, -5: 0, 0.9: 0, 59.9: 59, SITTING_GAP: 300, SITTING_GAP + 1: 0}
    assert {gap: worked(gap) for gap in seconds} == seconds
    assert worked(float("inf")) == 0
