"""Copies whose makers are gone: handed over, left out, and what is compared then."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from app.errors import InvalidInput, NotFound, NotPermitted, PictureSubmitted
from app.models import User
from tests.fixtures.rooms import Rooms
from tests.fixtures.rounds import SLUG, RoundPlace, op


@pytest.fixture
def place(rooms: Rooms) -> RoundPlace:
    return RoundPlace(rooms)


def told(place: RoundPlace, round_id: Any, only: Any = None) -> list[tuple[Any, ...]]:
    view = place.rounds.of(place.people["rae"], SLUG, round_id, only)
    return [
        (one.person.name, one.copies, one.able, [each.name for each in one.takers])
        for one in view.waiting
    ]


def outcomes(place: RoundPlace, round_id: Any) -> list[str]:
    """Of the place's pictures in their order."""
    lines = place.rounds.of(place.ada, SLUG, round_id).pictures
    found = {line.card.id: line.outcome.value for line in lines if line.outcome}
    return [found[image] for image in place.images if image in found]


def test_a_round_tells_whose_copies_wait_and_who_could_take_them(place: RoundPlace) -> None:
    made = place.make("bob", "cy", "dee", images=tuple(place.images))
    place.label("bob", made, op("wren", 0))
    everybody = ["Ada", "Rae"]
    assert told(place, made) == [
        ("Bob", 2, True, everybody),
        ("Cy", 3, True, everybody),
        ("Dee", 3, True, everybody),
    ]
    bob, cy, dee = place.ids("bob", "cy", "dee")
    place.rooms.members.remove(place.ada, SLUG, bob)
    place.rooms.members.change(place.ada, SLUG, cy, "viewer")
    with place.rooms.uow.write() as session:
        session.execute(update(User).where(User.id == dee).values(state="disabled"))
    found = told(place, made)
    assert [(name, able) for name, _, able, _ in found] == [
        ("Bob", False),
        ("Cy", False),
        ("Dee", False),
    ]
    (line,) = place.rounds.list(place.ada, SLUG)
    assert (line.stuck, line.copies) == (8, 9)
    assert [one.name for one in place.rounds.able(place.ada, SLUG)] == ["Ada", "Rae"]
    with pytest.raises(InvalidInput):
        place.make("dee", "rae")
    with pytest.raises(NotPermitted):
        place.rounds.able(place.people["cy"], SLUG)


def test_a_handed_copy_begins_empty_and_is_compared_like_any_other(place: RoundPlace) -> None:
    made = place.make("bob", "cy", images=tuple(place.images[:2]))
    theirs = place.label("bob", made, op("owl", 500), submit=False)
    place.rooms.members.remove(place.ada, SLUG, place.ids("bob")[0])
    assert place.hand(made, "bob", "dee", who="rae") == 2
    assert told(place, made)[1] == ("Dee", 2, True, ["Ada", "Rae"])
    for image in (0, 1):
        place.label("cy", made, op("wren", 0), image=image)
        copy = place.label("dee", made, op("wren", 1), image=image)
    assert len(place.copies.get(place.people["dee"], copy).annotations) == 1
    assert outcomes(place, made) == ["compared", "compared"]
    (pair,) = place.rounds.of(place.ada, SLUG, made).pairs
    assert {pair.a.name, pair.b.name} == {"Cy", "Dee"}
    assert (pair.tally.matched, pair.tally.in_a, pair.tally.in_b) == (2, 2, 2)
    with pytest.raises(NotFound):  # what Bob drew is shown to nobody
        place.copies.get(place.ada, theirs)
    (line,) = place.rounds.list(place.ada, SLUG)
    assert (line.pictures, line.people, line.done, line.copies) == (2, 2, 4, 4)
    assert place.rooms.actions().count("agreement.hand_over") == 1


def test_without_a_copy_the_others_are_compared_at_once(place: RoundPlace) -> None:
    made = place.make("bob", "cy", "dee", images=tuple(place.images))
    for image in (0, 1):
        place.label("bob", made, op("wren", 0), image=image)
    place.label("cy", made, op("wren", 1))
    begun = place.label("dee", made, op("owl", 0), submit=False)
    assert place.hand(made, "dee") == 3
    assert outcomes(place, made) == ["compared", "waiting", "waiting"]
    view = place.adjudication.of(place.ada, SLUG, made, place.images[0])
    assert {one.name for one in view.people} == {"Bob", "Cy"}
    refused_writes(place, begun)
    assert place.rounds.next(place.people["dee"], SLUG, made) is None
    own = place.rounds.of(place.people["dee"], SLUG, made)
    assert [line.mine for line in own.pictures] == [None, None, None]
    assert (own.waiting, own.pictures[0].outcome) == ((), None)

    assert place.hand(made, "cy") == 2
    assert outcomes(place, made) == ["compared", "not_compared", "waiting"]
    with pytest.raises(NotFound):
        place.adjudication.of(place.ada, SLUG, made, place.images[1])
    single = place.rounds.mine(place.people["bob"], SLUG, made, place.images[1])
    with pytest.raises(NotFound):  # it may still be given to somebody who leads
        place.copies.get(place.ada, single)
    assert place.copies.task(place.people["bob"], single).can == ("reopen",)
    assert place.rooms.actions()[-1] == "agreement.go_on"


def refused_writes(place: RoundPlace, copy: Any) -> None:
    dee = place.people["dee"]
    for document in ({"ops": [op("owl", 90)]}, {"ops": [], "state": "in_progress"}):
        with pytest.raises(PictureSubmitted) as refusal:
            place.copies.patch(dee, copy, document)
        assert refusal.value.details["may_reopen"] is False
    for call in (place.copies.submit, place.copies.reopen):
        with pytest.raises(PictureSubmitted):
            call(dee, copy)
    assert len(place.copies.get(dee, copy).annotations) == 1
    assert place.copies.task(dee, copy).can == ()


def test_what_was_left_out_can_still_be_taken_up(place: RoundPlace) -> None:
    made = place.make("bob", "cy", images=tuple(place.images[:2]))
    place.label("cy", made, op("wren", 0))
    kept = place.label("bob", made, op("wren", 2), submit=False)
    place.hand(made, "bob")
    first = place.images[0]
    assert outcomes(place, made) == ["not_compared", "waiting"]
    assert told(place, made, first) == [("Bob", 1, True, ["Ada", "Bob", "Dee", "Rae"])]
    with pytest.raises(InvalidInput):  # of all that wait there is none
        place.hand(made, "bob", "dee")
    assert place.hand(made, "bob", "bob", 0) == 1  # back to whoever had it, as it was
    assert len(place.copies.get(place.people["bob"], kept).annotations) == 1
    place.copies.submit(place.people["bob"], kept)
    assert outcomes(place, made) == ["compared", "waiting"]
    with pytest.raises(InvalidInput):  # compared is compared
        place.hand(made, "bob", "dee", 0)


def test_a_copy_is_handed_on_once(place: RoundPlace) -> None:
    """By name, too: another one has its place. Left out, that one's place is free again."""
    made = place.make("bob", "cy", images=tuple(place.images[:2]))
    assert place.hand(made, "bob", "dee", 0) == 1
    before = told(place, made)
    for to in ("rae", "bob"):
        with pytest.raises(InvalidInput) as refusal:
            place.hand(made, "bob", to, 0)
        assert [mistake.path for mistake in refusal.value.mistakes] == ["images"]
    assert told(place, made) == before
    place.hand(made, "dee", None, 0)
    assert place.hand(made, "bob", "bob", 0) == 1


@pytest.mark.parametrize(
    ("source", "to", "images", "path"),
    [
        ("rae", "dee", (), "from"),
        ("bob", "cy", (), "to"),
        ("bob", "bob", (), "to"),
        ("bob", "dee", (0, 2), "images"),
    ],
)
def test_what_cannot_be_handed_over(
    place: RoundPlace, source: str, to: str, images: tuple[int, ...], path: str
) -> None:
    made = place.make("bob", "cy", images=tuple(place.images[:2]))
    before = told(place, made)
    with pytest.raises(InvalidInput) as refusal:
        place.hand(made, source, to, *images)
    assert [mistake.path for mistake in refusal.value.mistakes] == [path]
    place.rooms.members.change(place.ada, SLUG, place.ids("dee")[0], "viewer")
    with pytest.raises(InvalidInput):
        place.hand(made, "bob", "dee")
    assert (told(place, made)[0][:2], place.rooms.actions()[-1]) == (
        before[0][:2],
        "member.change",
    )


def test_only_who_leads_hands_over(place: RoundPlace) -> None:
    made = place.make("bob", "cy")
    place.people["eve"] = place.rooms.person("eve")
    for who in ("bob", "dee", "eve"):
        with pytest.raises(NotFound):
            place.hand(made, "cy", "dee", who=who)
    assert place.hand(made, "cy", "dee", who="rae") == 1
