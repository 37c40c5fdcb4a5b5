"""Which pixels a shape covers: all that it touches, within the picture."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.pixels import NEAR, covered
from app.domain.shapes import Bounds, Box, RotatedBox


@pytest.mark.parametrize(
    ("bounds", "wanted", "beyond"),
    [
        ((10, 20, 30, 5), (10, 20, 40, 25), False),
        ((10.2, 20.7, 0.1, 0.1), (10, 20, 11, 21), False),
        ((9.9999999, 0, 10.0000001, 4), (10, 0, 20, 4), False),
        ((-3.5, -2, 10, 10), (0, 0, 7, 8), True),
        ((95, 45, 20, 20), (95, 45, 100, 50), True),
        ((-1e300, -1e300, 1.7e308, 1.7e308), (0, 0, 100, 50), True),
        ((0, 0, 100, 50), (0, 0, 100, 50), False),
        ((0, 0, 100.0000004, 50), (0, 0, 100, 50), False),
        ((100, 0, 5, 5), None, True),
        ((-5, 0, 5, 5), None, True),
        ((10, 10, 0, 5), None, False),
        ((10.5, 10, 0, 5), (10, 10, 11, 15), False),
    ],
)
def test_by_example(bounds, wanted, beyond: bool) -> None:
    assert covered(Bounds(*map(float, bounds)), 100, 50) == (wanted, beyond)


def test_a_quarter_turn_covers_no_pixel_more() -> None:
    assert covered(RotatedBox(10.0, 20.0, 8.0, 4.0, 90.0).bounds, 100, 50)[0] == (
        12,
        18,
        16,
        26,
    )


edges = st.floats(-60, 160)


@given(edges, edges, st.floats(0.01, 200), st.floats(0.01, 200))
def test_a_pixel_is_covered_when_the_box_touches_it(x, y, w, h) -> None:
    pixels, _ = covered(Box(x, y, w, h).bounds, 100, 50)
    for n, (low, high, size) in enumerate(((x, x + w, 100), (y, y + h, 50))):
        touched = [p for p in range(size) if p < high - NEAR and p + 1 > low + NEAR]
        if pixels is not None:
            assert touched == list(range(size))[pixels[n] : pixels[n + 2]]
        elif not touched:
            return
    assert pixels is not None or math.isclose(w, 0.01)
