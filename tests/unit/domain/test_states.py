from __future__ import annotations

import pytest

from app.domain.states import AnnotationState, ImageStatus, next_state, shown_status
from app.errors import NotPermitted

NEW, WORK, DONE, SKIPPED, REJECTED, ACCEPTED = AnnotationState
VERDICTS = (REJECTED, ACCEPTED)


@pytest.mark.parametrize("current", [NEW, WORK, DONE, SKIPPED, REJECTED])
@pytest.mark.parametrize("wanted", [NEW, WORK, DONE, SKIPPED])
@pytest.mark.parametrize("changed", [False, True])
def test_whoever_writes_goes_anywhere_but_to_a_verdict(
    current: AnnotationState, wanted: AnnotationState, changed: bool
) -> None:
    assert next_state(current, wanted, boxes_changed=changed, may_review=False) is wanted


@pytest.mark.parametrize("wanted", AnnotationState)
@pytest.mark.parametrize("current", AnnotationState)
@pytest.mark.parametrize("changed", [False, True])
def test_a_reviewer_goes_anywhere(
    current: AnnotationState, wanted: AnnotationState, changed: bool
) -> None:
    assert next_state(current, wanted, boxes_changed=changed, may_review=True) is wanted


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("current", [NEW, WORK, DONE, SKIPPED])
def test_only_a_reviewer_gives_a_verdict(
    current: AnnotationState, verdict: AnnotationState
) -> None:
    with pytest.raises(NotPermitted):
        next_state(current, verdict, boxes_changed=False, may_review=False)


@pytest.mark.parametrize("wanted", [None, *AnnotationState])
def test_only_a_reviewer_touches_what_was_accepted(wanted: AnnotationState | None) -> None:
    with pytest.raises(NotPermitted):
        next_state(ACCEPTED, wanted, boxes_changed=True, may_review=False)


def test_saving_the_accepted_set_as_it_is_is_no_change() -> None:
    for wanted in (None, ACCEPTED):
        kept = next_state(ACCEPTED, wanted, boxes_changed=False, may_review=False)
        assert kept is ACCEPTED


def test_a_rejected_set_may_be_sent_back_unchanged_and_mended() -> None:
    kept = next_state(REJECTED, REJECTED, boxes_changed=True, may_review=False)
    assert kept is REJECTED


@pytest.mark.parametrize(
    ("current", "after"),
    [
        (NEW, WORK),
        (WORK, WORK),
        (DONE, DONE),
        (SKIPPED, WORK),
        (REJECTED, WORK),
        (ACCEPTED, ACCEPTED),
    ],
)
def test_boxes_alone_move_the_state_on(
    current: AnnotationState, after: AnnotationState
) -> None:
    assert next_state(current, None, boxes_changed=True, may_review=True) is after
    assert next_state(current, None, boxes_changed=False, may_review=True) is current


def test_the_trash_hides_the_status_but_not_the_destruction() -> None:
    for status in ImageStatus:
        assert shown_status(status.value, trashed=False) is status
    assert shown_status("quarantined", trashed=True) is ImageStatus.TRASHED
    assert shown_status("destroyed", trashed=True) is ImageStatus.DESTROYED
