"""Pairs of the largest sum, against every possible set of pairs."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.matching import LARGEST, Pair, best_pairs

SCORES = st.dictionaries(
    st.tuples(st.integers(0, 4), st.integers(0, 4)), st.integers(1, 100).map(lambda n: n / 100)
)


def largest_sum(scores: dict[Pair, float]) -> float:
    """By trying everything."""
    if not scores:
        return 0.0
    (i, j), *_ = scores
    without = {pair: score for pair, score in scores.items() if pair != (i, j)}
    apart = {pair: score for pair, score in without.items() if pair[0] != i and pair[1] != j}
    return max(largest_sum(without), scores[i, j] + largest_sum(apart))


@settings(max_examples=150, deadline=None)
@given(SCORES)
def test_no_other_pairs_have_a_larger_sum(scores: dict[Pair, float]) -> None:
    pairs = best_pairs(scores)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert set(pairs) <= set(scores)
    assert abs(sum(scores[pair] for pair in pairs) - largest_sum(scores)) < 1e-9


def test_the_best_pair_is_not_always_made() -> None:
    assert best_pairs({(0, 0): 0.9, (0, 1): 0.8, (1, 0): 0.8}) == [(0, 1), (1, 0)]


def test_a_crowd_on_one_spot_is_paired_greedily() -> None:
    size = LARGEST + 1
    crowd = {(i, j): 1.0 if i == j else 0.5 for i in range(size) for j in range(size)}
    assert best_pairs(crowd) == [(n, n) for n in range(size)]
