"""A round as it is told: to leads with figures, to who takes part without."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any, Final
from uuid import UUID

from app.domain.access import Actor
from app.domain.agreement import Tally, read_tally
from app.domain.blind_copies import LEFT_OUT, WAITING, Outcome, outcome_of
from app.domain.states import AnnotationState
from app.services.agreement.copy_rows import opened
from app.services.image_card import ImageCard
from app.services.task_view import Person

DONE: Final = AnnotationState.DONE.value
LEFT: Final = LEFT_OUT.value
WAITS: Final = tuple(sorted(state.value for state in WAITING))


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A round in the list; ``mine`` are one's own copies: (submitted, all), and all that
    ``done`` and ``copies`` count for who does not lead. ``stuck``: copies that wait for people
    who may not label there any more; for leads."""

    id: UUID
    name: str
    created_at: datetime
    pictures: int
    people: int
    done: int
    copies: int
    mine: tuple[int, int]
    stuck: int


@dataclass(frozen=True, slots=True)
class PairLine:
    """Two people, and what was counted over the pictures that both have submitted."""

    a: Person
    b: Person
    tally: Tally


@dataclass(frozen=True, slots=True)
class PictureLine:
    """A picture of a round. ``outcome`` is told to leads; ``tally`` of all its pairs, None
    unless it was compared; ``mine``: one's own copy and whether it is submitted, None where
    the round goes on without it."""

    card: ImageCard
    states: tuple[tuple[Person, str], ...]
    outcome: Outcome | None
    tally: Tally | None
    adjudicated_at: datetime | None
    mine: tuple[UUID, bool] | None


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """Somebody whose ``copies`` are not submitted. ``able``: they may still label here.
    ``takers``: who may label here and has no copy of any of these pictures."""

    person: Person
    copies: int
    able: bool
    takers: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class RoundView:
    id: UUID
    name: str
    iou: float
    seed: int | None
    created_at: datetime
    leads: bool
    pictures: tuple[PictureLine, ...]
    pairs: tuple[PairLine, ...]
    waiting: tuple[WaitingLine, ...]


class Seen:
    """The copies of a round as one person may see them."""

    def __init__(
        self,
        actor: Actor,
        names: Mapping[UUID | None, Person],
        leads: bool,
        rows: Sequence[Any],
    ) -> None:
        self._actor, self._names, self._leads = actor, names, leads
        self._of: dict[UUID, list[Any]] = defaultdict(list)
        for row in sorted(rows, key=lambda row: row.annotator_id):
            self._of[row.image_id].append(row)
        self._tallies: dict[tuple[UUID, UUID], Tally] = defaultdict(Tally)
        self._outcomes = {
            image: outcome_of(AnnotationState(row.state) for row in rows)
            for image, rows in self._of.items()
        }
        self._of_image = {image: self._add_up(image) for image in self._of}

    def _add_up(self, image: UUID) -> Tally | None:
        if not self._leads or self._outcomes[image] is not Outcome.COMPARED:
            return None
        total = Tally()
        for row in self._of[image]:
            if row.state != DONE:
                continue
            for other, told in opened(row.body, row.id).get("against", {}).items():
                found = read_tally(told)
                self._tallies[row.annotator_id, UUID(other)] += found
                total += found
        return total

    def picture(self, card: ImageCard) -> PictureLine:
        rows = self._of[card.id]
        shown = rows if self._leads else [row for row in rows if self._own(row)]
        mine = next((row for row in rows if self._own(row) and row.state != LEFT), None)
        return PictureLine(
            card=card,
            states=tuple(
                (self._names[row.annotator_id], row.state)
                for row in shown
                if row.annotator_id in self._names
            ),
            outcome=self._outcomes[card.id] if self._leads else None,
            tally=self._of_image[card.id],
            adjudicated_at=rows[0].adjudicated_at if self._leads else None,
            mine=(mine.id, mine.state == DONE) if mine is not None else None,
        )

    def pairs(self) -> tuple[PairLine, ...]:
        """Whoever has a picture in common, be it submitted or not."""
        together = {
            (a.annotator_id, b.annotator_id)
            for rows in self._of.values()
            for a, b in combinations([row for row in rows if row.state != LEFT], 2)
        }
        return tuple(
            PairLine(self._names[a], self._names[b], self._tallies[a, b])
            for a, b in sorted(together)
            if a in self._names and b in self._names
        )

    def waiting(
        self, able: frozenset[UUID], live: set[UUID], only: UUID | None
    ) -> tuple[WaitingLine, ...]:
        """Whose copies wait, by name. Of ``only`` one picture also what was left out, as
        long as it was not compared: somebody else may still take it."""
        has: dict[UUID, set[UUID]] = defaultdict(set)
        waits: dict[UUID, set[UUID]] = defaultdict(set)
        for row in (row for image in live for row in self._of[image]):
            if row.state != LEFT:
                has[row.annotator_id].add(row.image_id)
            if self._waits(row, only):
                waits[row.annotator_id].add(row.image_id)
        people = sorted((self._names[id_] for id_ in able), key=lambda one: one.name.casefold())
        lines = (
            WaitingLine(
                person=self._names[id_],
                copies=len(images),
                able=id_ in able,
                takers=tuple(one for one in people if not images & has[one.id]),
            )
            for id_, images in waits.items()
            if id_ in self._names
        )
        return tuple(sorted(lines, key=lambda line: line.person.name.casefold()))

    def _waits(self, row: Any, only: UUID | None) -> bool:
        if only is None:
            return row.state in WAITS
        compared = self._outcomes[row.image_id] is Outcome.COMPARED
        return row.image_id == only and row.state != DONE and not compared

    def _own(self, row: Any) -> bool:
        return bool(row.annotator_id == self._actor.user_id)


def round_line(
    row: Any, counted: Sequence[Any], actor: Actor, able: frozenset[UUID] | None
) -> RoundLine:
    """Of rows (annotator_id, state, live, copies). ``able``: who may label there, None: is
    not told, and neither is what others did."""
    every: Counter[UUID] = Counter()
    all_of: Counter[UUID] = Counter()
    done_of: Counter[UUID] = Counter()
    for each in counted:
        every[each.annotator_id] += each.copies
        all_of[each.annotator_id] += each.copies if each.state != LEFT else 0
        done_of[each.annotator_id] += each.copies if each.state == DONE else 0
    waits = [each for each in counted if each.state in WAITS and each.live]
    gone = [each.copies for each in waits if able is not None and each.annotator_id not in able]
    me = actor.user_id
    mine = (done_of[me], all_of[me]) if me else (0, 0)
    return RoundLine(
        id=row.id,
        name=str(opened(row.body, row.id).get("name", "")),
        created_at=row.created_at,
        # Whoever began with the round has a copy of each picture, be it left out by now.
        pictures=max(every.values(), default=0),
        people=sum(count > 0 for count in all_of.values()),
        done=mine[0] if able is None else done_of.total(),
        copies=mine[1] if able is None else all_of.total(),
        mine=mine,
        stuck=sum(gone),
    )
