"""Agreement reckoned again from its definitions: every pairing tried, pixels counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.agreement import Tally, compare, tally
from app.domain.annotation import Annotation
from app.domain.overlap import overlap
from app.domain.shapes import Box, Polygon, RotatedBox, Shape

CLASSES = tuple(UUID(int=n) for n in range(1, 4))
LEAST = 0.3
GRID = 72

Pixels = frozenset[tuple[int, int]]
Pairing = tuple[tuple[int, int], ...]


def thing(label: UUID, x: int, y: int, w: int, h: int) -> Annotation:
    return Annotation(uuid4(), 1, label, label.hex, Box(x, y, w, h), 0, {})


# Few places and sizes: boxes that are the same, inside each other and side by side are common.
THINGS = st.builds(
    thing,
    st.sampled_from(CLASSES),
    st.integers(0, 4),
    st.integers(0, 2),
    st.integers(1, 4),
    st.integers(1, 3),
)
SETS = st.lists(THINGS, max_size=5)


def pixels(one: Annotation) -> Pixels:
    """Of a box of whole numbers: half open."""
    box = one.box
    across, down = range(int(box.x), int(box.x + box.w)), range(int(box.y), int(box.y + box.h))
    return frozenset((x, y) for x in across for y in down)


def iou(a: Annotation, b: Annotation) -> Fraction:
    return Fraction(len(pixels(a) & pixels(b)), len(pixels(a) | pixels(b)))


def pairings(a: Sequence[Annotation], b: Sequence[Annotation], i: int = 0) -> Iterator[Pairing]:
    """Every way to pair the first's things with the second's, or with nothing."""
    if i == len(a):
        yield ()
        return
    for rest in pairings(a, b, i + 1):
        yield rest
        taken = {j for _, j in rest}
        for j, other in enumerate(b):
            if j not in taken and iou(a[i], other) >= LEAST:
                yield ((i, j), *rest)


def worth(
    a: Sequence[Annotation], b: Sequence[Annotation], made: Pairing
) -> tuple[object, ...]:
    """Overlap first, then how many are of one label."""
    same = sum(a[i].label_id == b[j].label_id for i, j in made)
    return sum((iou(a[i], b[j]) for i, j in made), Fraction()), same


@settings(max_examples=120, deadline=None)
@given(SETS, SETS)
def test_against_every_pairing(a: list[Annotation], b: list[Annotation]) -> None:
    told = tally(compare(a, b, LEAST))
    every = list(pairings(a, b))
    most = max(worth(a, b, made) for made in every)
    best = [made for made in every if worth(a, b, made) == most]
    assert told.matched in {len(made) for made in best}
    assert told.iou_sum == pytest.approx(float(most[0]))  # type: ignore[arg-type]
    same = sum(n for (x, y), n in told.labels.items() if x == y)
    assert same == most[1]
    assert (told.in_a, told.in_b) == (len(a), len(b))
    for share, of, other in (
        (told.recall, len(a), len(b)),
        (told.precision, len(b), len(a)),
    ):
        empty = 0.0 if other else 1.0
        assert share == pytest.approx(told.matched / of if of else empty)
    if told.matched:
        assert told.mean_iou == pytest.approx(float(most[0]) / told.matched)  # type: ignore[arg-type]


def kappa_of(pairs: Sequence[tuple[object, object]]) -> Fraction | None:
    """By what it means: agreement beyond that of two who draw from the same bags blindly."""
    if not pairs:
        return None
    seen = Fraction(sum(x == y for x, y in pairs), len(pairs))
    blind = Fraction(sum(x == y for x, _ in pairs for _, y in pairs), len(pairs) ** 2)
    return Fraction(1) if blind == 1 else (seen - blind) / (1 - blind)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from([None, *CLASSES])] * 2), max_size=12))
def test_kappa_against_its_definition(
    pairs: list[tuple[UUID | None, UUID | None]],
) -> None:
    things = [pair for pair in pairs if pair != (None, None)]
    labels = {pair: things.count(pair) for pair in things}
    told = Tally(labels=labels)
    both = [pair for pair in things if None not in pair]
    for found, given_ in ((told.kappa, both), (told.kappa_of_all, things)):
        wanted = kappa_of(given_)
        assert found == (None if wanted is None else pytest.approx(float(wanted)))


@pytest.mark.parametrize(
    ("a", "b", "figures"),
    [
        # (precision, recall, mean IoU, kappa, kappa of everything)
        ([], [], (1, 1, None, None, None)),
        ([], [0, 0], (0, 0, None, None, 0)),
        ([0], [], (0, 0, None, None, 0)),
        ([0], [0], (1, 1, 1, 1, 1)),
        ([0, 0], [0], (1, 1 / 2, 1, 1, 0)),  # twice on one spot counts as two things
        ([0, 0], [0, 0], (1, 1, 1, 1, 1)),
        ([0], [1], (1, 1, 1, 0, 0)),  # one thing, two names: no better than chance
        ([0, 1], [1, 0], (1, 1, 1, 1, 1)),  # the same two in another order
    ],
)
def test_edges(a: list[int], b: list[int], figures: tuple[float | None, ...]) -> None:
    one, other = ([thing(CLASSES[n], 0, 0, 4, 4) for n in side] for side in (a, b))
    told = tally(compare(one, other, LEAST))
    found = (told.precision, told.recall, told.mean_iou, told.kappa, told.kappa_of_all)
    assert found == figures


PLACE, SIDE = st.integers(0, 12).map(float), st.integers(2, 12).map(float)
SHAPES = st.one_of(
    st.builds(RotatedBox, PLACE, PLACE, SIDE, SIDE, st.integers(-180, 179).map(float)),
    st.builds(
        lambda points: Polygon(tuple(points)),
        st.lists(st.tuples(PLACE, PLACE), min_size=3, max_size=6, unique=True),
    ),
    st.builds(Box, PLACE, PLACE, SIDE, SIDE),
)


def raster(shape: Shape) -> Pixels:
    """The middles of a grid over [-9, 27) that lie inside, row by row, even-odd."""
    if isinstance(shape, Box):
        right, bottom = shape.x + shape.w, shape.y + shape.h
        corners = [(shape.x, shape.y), (right, shape.y), (right, bottom), (shape.x, bottom)]
    else:
        assert isinstance(shape, RotatedBox | Polygon)
        corners = [*(shape.corners if isinstance(shape, RotatedBox) else shape.points)]
    found = set()
    for row in range(GRID):
        y = -9 + (row + 0.503) / 2
        crossed = sorted(
            p[0] + (y - p[1]) * (q[0] - p[0]) / (q[1] - p[1])
            for p, q in pairwise([*corners, corners[0]])
            if (p[1] <= y) != (q[1] <= y)
        )
        for start, end in zip(crossed[::2], crossed[1::2], strict=True):
            places = (-9 + (column + 0.507) / 2 for column in range(GRID))
            found |= {(row, n) for n, x in enumerate(places) if start <= x < end}
    return frozenset(found)


@settings(max_examples=60, deadline=None)
@given(SHAPES, SHAPES)
def test_overlap_against_a_raster(a: Shape, b: Shape) -> None:
    """A raster is wrong by what lies along the outlines: a pixel is 0.25."""
    one, other = raster(a), raster(b)
    if len(one | other) < 60:
        return
    assert overlap(a, b) == pytest.approx(len(one & other) / len(one | other), abs=0.12)
