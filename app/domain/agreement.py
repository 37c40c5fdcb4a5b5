"""How far two people who labelled the same picture agree.

Things are paired by place alone: two may be a pair from an overlap (`app.domain.overlap`) of
the round's threshold on, and the pairs are those with the largest sum of overlaps
(`app.domain.matching`); among pairs of the same overlap those of one label are preferred.

Neither of the two is the truth. Of A's things the share that B has too is `recall`, of B's the
share that A has too is `precision`: they change places when A and B do. Cohen's kappa
(Educ. Psychol. Meas. 20, 1960) on labels is told twice: over the pairs alone, and over
everything, where a thing that the other one does not have counts as one that they called
"nothing". Where both have nothing at all they agree: 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from app.domain.annotation import Annotation
from app.domain.matching import best_pairs
from app.domain.overlap import could_meet, overlap
from app.domain.shapes import Points, WholePicture

DEFAULT_IOU: Final = 0.5
SAME_LABEL: Final = 1e-9
"""Added to the overlap of two of one label: decides between equal overlaps only."""

Labels = tuple[UUID | None, UUID | None]
"""What the first and the second called a thing; None: they do not have it."""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing: as the first has it, as the second has it; ``iou`` 0 where one is None."""

    a: Annotation | None
    b: Annotation | None
    iou: float = 0.0

    @property
    def agreed(self) -> bool:
        """Whether both have it, under one label."""
        return self.a is not None and self.b is not None and self.a.label_id == self.b.label_id


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted, of one picture or, added up, of many."""

    in_a: int = 0
    in_b: int = 0
    matched: int = 0
    iou_sum: float = 0.0
    labels: Mapping[Labels, int] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.in_a + other.in_a,
            self.in_b + other.in_b,
            self.matched + other.matched,
            self.iou_sum + other.iou_sum,
            Counter(self.labels) + Counter(other.labels),
        )

    @property
    def recall(self) -> float:
        """Of the first's things, the share that the second has too."""
        return _share(self.matched, self.in_a, self.in_b)

    @property
    def precision(self) -> float:
        """Of the second's things, the share that the first has too."""
        return _share(self.matched, self.in_b, self.in_a)

    @property
    def f1(self) -> float:
        both = self.in_a + self.in_b
        return 2 * self.matched / both if both else 1.0

    @property
    def mean_iou(self) -> float | None:
        """Of the pairs; None without any."""
        return min(1.0, self.iou_sum / self.matched) if self.matched else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa of the labels of the pairs; None without any."""
        return _kappa({k: n for k, n in self.labels.items() if None not in k})

    @property
    def kappa_of_all(self) -> float | None:
        """Cohen's kappa of everything, with "nothing" as a label of its own."""
        return _kappa(self.labels)


def compare(
    a: Sequence[Annotation], b: Sequence[Annotation], least_iou: float = DEFAULT_IOU
) -> tuple[Found, ...]:
    """Every thing of both: the first's in their order, then what only the second has."""
    scores = _scores(a, b, least_iou)
    partner = dict(best_pairs(scores))
    found = [
        Found(one, b[partner[i]], overlap(one.shape, b[partner[i]].shape))
        if i in partner
        else Found(one, None)
        for i, one in enumerate(a)
    ]
    taken = set(partner.values())
    return (*found, *(Found(None, one) for j, one in enumerate(b) if j not in taken))


def tally(found: Iterable[Found]) -> Tally:
    things = list(found)
    pairs = [thing for thing in things if thing.a and thing.b]
    return Tally(
        in_a=sum(thing.a is not None for thing in things),
        in_b=sum(thing.b is not None for thing in things),
        matched=len(pairs),
        iou_sum=sum(thing.iou for thing in pairs),
        labels=Counter((_label(thing.a), _label(thing.b)) for thing in things),
    )


def tally_json(told: Tally) -> dict[str, Any]:
    """As a sealed body keeps it."""
    return {
        "a": told.in_a,
        "b": told.in_b,
        "matched": told.matched,
        "iou": told.iou_sum,
        "labels": [[_hex(x), _hex(y), n] for (x, y), n in told.labels.items()],
    }


def read_tally(body: Mapping[str, Any]) -> Tally:
    """What `tally_json` wrote."""
    labels = {(_uuid(x), _uuid(y)): n for x, y, n in body["labels"]}
    return Tally(body["a"], body["b"], body["matched"], body["iou"], labels)


def _scores(
    a: Sequence[Annotation], b: Sequence[Annotation], least: float
) -> dict[tuple[int, int], float]:
    """Of the pairs that can be made; a walk from left to right tries only near ones."""
    scores: dict[tuple[int, int], float] = {}
    for i, j in _near(a, b):
        first, second = a[i], b[j]
        if first.frame == second.frame:
            found = overlap(first.shape, second.shape)
            if found > 0 and found >= least:
                same = first.label_id == second.label_id
                scores[i, j] = found + (SAME_LABEL if same else 0.0)
    return scores


def _near(a: Sequence[Annotation], b: Sequence[Annotation]) -> list[tuple[int, int]]:
    """Pairs of places that could overlap: walks the second's areas from left to right."""
    places = [(one.shape.bounds, j) for j, one in enumerate(b) if not _without_area(one)]
    places.sort(key=lambda each: each[0].x)
    others = [j for j, one in enumerate(b) if _without_area(one)]
    found: list[tuple[int, int]] = []
    for i, one in enumerate(a):
        if _without_area(one):
            found += [(i, j) for j in others]
            continue
        here = one.shape.bounds
        for there, j in places:
            if there.x >= here.x + here.w:
                break
            if could_meet(here, there):
                found.append((i, j))
    return found


def _without_area(annotation: Annotation) -> bool:
    return isinstance(annotation.shape, Points | WholePicture)


def _share(matched: int, of: int, other: int) -> float:
    if not of:
        return 0.0 if other else 1.0
    return matched / of


def _kappa(labels: Mapping[Labels, int]) -> float | None:
    total = sum(labels.values())
    if not total:
        return None
    of_a: Counter[UUID | None] = Counter()
    of_b: Counter[UUID | None] = Counter()
    for (first, second), count in labels.items():
        of_a[first] += count
        of_b[second] += count
    agreed = sum(n for (first, second), n in labels.items() if first == second)
    chance = sum(of_a[label] * of_b[label] for label in of_a)
    if chance == total * total:
        return 1.0  # one label, and both gave it to all
    return (agreed * total - chance) / (total * total - chance)


def _label(annotation: Annotation | None) -> UUID | None:
    return annotation.label_id if annotation is not None else None


def _hex(value: UUID | None) -> str | None:
    return value.hex if value is not None else None


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value is not None else None
