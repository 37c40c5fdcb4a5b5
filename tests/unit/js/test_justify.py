"""Justified rows: full, even, in order."""

from __future__ import annotations

import random

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser


def rows(run: Run, ratios: list[float], width: int, target: int, gap: int) -> list[dict]:  # type: ignore[type-arg]
    return run("gallery/justify", "return m.justify(...v)", ratios, width, target, gap)  # type: ignore[no-any-return]


@pytest.mark.parametrize("seed", range(12))
def test_rows_fill_the_width_to_the_pixel(run: Run, seed: int) -> None:
    rng = random.Random(seed)
    ratios = [
        rng.choice((2 / 3, 1, 4 / 3, 3 / 2, 16 / 9, 5, 0.2)) for _ in range(rng.randint(1, 90))
    ]
    width, gap = rng.randint(320, 2560), rng.choice((2, 4))
    made = rows(run, ratios, width, 200, gap)
    assert sum(len(row["widths"]) for row in made) == len(ratios)
    for row in made[:-1]:
        assert sum(row["widths"]) + gap * (len(row["widths"]) - 1) == width
        assert 60 < row["height"] < 420
    last = made[-1]
    assert sum(last["widths"]) + gap * (len(last["widths"]) - 1) <= width
    assert last["height"] <= 200


def test_nothing_gives_nothing(run: Run) -> None:
    assert rows(run, [], 1000, 200, 4) == []


def test_a_panorama_does_not_flatten_its_row(run: Run) -> None:
    (row,) = rows(run, [20.0], 1000, 200, 4)
    assert row["height"] == 200
    assert row["widths"] == [720]


def test_tiles_keep_their_ratio(run: Run) -> None:
    made = rows(run, [1.5, 1.5, 0.75, 1.0, 1.78, 1.5], 1200, 200, 4)
    shown = [width / row["height"] for row in made for width in row["widths"]]
    assert shown == pytest.approx([1.5, 1.5, 0.75, 1.0, 1.78, 1.5], rel=0.01)
