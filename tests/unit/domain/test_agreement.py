"""Agreement of two sets: what is a pair, and the figures that come of it."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.agreement import Labels, Tally, compare, read_tally, tally, tally_json
from app.domain.annotation import Annotation
from app.domain.shapes import Box, Points, Shape, WholePicture

CAT, DOG, OWL = (UUID(int=n) for n in (1, 2, 3))


def thing(label: UUID, shape: Shape, frame: int = 0) -> Annotation:
    return Annotation(uuid4(), 1, label, label.hex, shape, frame, {})


def box(label: UUID, x: float, w: float = 10) -> Annotation:
    return thing(label, Box(x, 0, w, 10))


SETS = st.lists(
    st.builds(
        box,
        st.sampled_from([CAT, DOG]),
        st.integers(0, 60).map(float),
        st.integers(1, 20).map(float),
    ),
    max_size=8,
)


def test_pairs_and_what_stands_alone() -> None:
    a = [box(CAT, 0), box(DOG, 100), box(OWL, 300)]
    b = [box(DOG, 102), box(CAT, 1), box(CAT, 200)]
    found = compare(a, b)
    assert [(f.a, f.b) for f in found] == [
        (a[0], b[1]),
        (a[1], b[0]),
        (a[2], None),
        (None, b[2]),
    ]
    told = tally(found)
    assert (told.in_a, told.in_b, told.matched) == (3, 3, 2)
    assert told.precision == told.recall == told.f1 == pytest.approx(2 / 3)
    assert told.mean_iou == pytest.approx((9 / 11 + 8 / 12) / 2)
    assert told.kappa == 1


def test_pairs_are_made_by_place_and_labels_break_ties() -> None:
    a = [thing(CAT, WholePicture()), thing(DOG, WholePicture())]
    assert [f.agreed for f in compare(a, a[::-1])] == [True, True]
    other = [box(DOG, 0)]
    (only,) = compare([box(CAT, 0)], other)
    assert (only.b, only.agreed) == (other[0], False)


def test_frames_and_kinds_are_never_mixed() -> None:
    assert len(compare([thing(CAT, Box(0, 0, 1, 1), 1)], [thing(CAT, Box(0, 0, 1, 1), 2)])) == 2
    assert len(compare([thing(CAT, Points(((0.5, 0.5),)))], [box(CAT, 0)])) == 2


def test_kappa_by_hand() -> None:
    """20 and 15 agreed, 5 and 10 not: 0.4, the worked example of many textbooks."""
    labels: dict[Labels, int] = {(CAT, CAT): 20, (CAT, DOG): 5, (DOG, CAT): 10, (DOG, DOG): 15}
    assert Tally(25, 25, 50, 50.0, labels).kappa == pytest.approx(0.4)


def test_what_only_one_has_counts_as_called_nothing() -> None:
    told = Tally(2, 1, 1, 1.0, {(CAT, CAT): 1, (DOG, None): 1})
    assert told.kappa == 1
    # agreed 1 of 2; chance: cat 1/2 * 1/2
    assert told.kappa_of_all == pytest.approx((1 / 2 - 1 / 4) / (1 - 1 / 4))


def test_nothing_at_all_is_agreement() -> None:
    none = tally(compare([], []))
    assert (none.precision, none.recall, none.f1) == (1, 1, 1)
    assert (none.mean_iou, none.kappa, none.kappa_of_all) == (None, None, None)
    one = tally(compare([], [box(CAT, 0)]))
    assert (one.precision, one.recall, one.f1) == (0, 0, 0)


@settings(max_examples=100, deadline=None)
@given(SETS, SETS)
def test_symmetry_and_bounds(a: list[Annotation], b: list[Annotation]) -> None:
    there, back = tally(compare(a, b, 0.3)), tally(compare(b, a, 0.3))
    assert (there.precision, there.recall) == (back.recall, back.precision)
    assert there.matched == back.matched <= min(len(a), len(b))
    for value in (there.precision, there.recall, there.f1, there.mean_iou or 0):
        assert 0 <= value <= 1
    for kappa in (there.kappa, there.kappa_of_all):
        assert kappa is None or -1 <= kappa <= 1
    assert read_tally(tally_json(there)) == there


@settings(max_examples=50, deadline=None)
@given(SETS)
def test_the_same_set_agrees_entirely(a: list[Annotation]) -> None:
    told = tally(compare(a, a))
    assert told.precision == told.recall == told.f1 == 1
    assert told.mean_iou in {None, 1.0}
    assert told.kappa in {None, 1.0}
    assert told.kappa_of_all in {None, 1.0}


def test_many_things_are_compared_in_moments() -> None:
    a = [thing(CAT, Box(n % 40 * 20, n // 40 * 20, 10, 10)) for n in range(800)]
    b = [thing(CAT, Box(n % 40 * 20 + 1, n // 40 * 20, 10, 10)) for n in range(800)]
    assert tally(compare(a, b)).matched == 800
