"""Blind rounds: who sees what and when, what is compared, and what adjudication makes of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.errors import (
    Conflict,
    DarkroomError,
    InvalidInput,
    NotFound,
    NotPermitted,
    PictureSubmitted,
)
from app.models import Image
from app.services.agreement.rounds import Draw
from app.services.annotations import ANY
from app.services.labels import LabelEdit
from tests.fixtures.rooms import Rooms
from tests.fixtures.rounds import SLUG, RoundPlace, op

Place = RoundPlace


@pytest.fixture
def place(rooms: Rooms) -> Place:
    return Place(rooms)


def refused(error: type[DarkroomError], work: Any, *told: Any) -> None:
    with pytest.raises(error):
        work(*told)


def test_nobody_sees_anything_before_both_have_submitted(place: Place) -> None:
    made = place.make("bob", "cy")
    bob, cy, rae = (place.people[name] for name in ("bob", "cy", "rae"))
    mine = place.label("bob", made, op("wren", 0))
    theirs = place.label("cy", made, op("wren", 1), submit=False)
    for who in (cy, rae, place.ada, place.people["dee"]):
        refused(NotFound, place.copies.get, who, mine)
        refused(NotFound, place.copies.task, who, mine)
        refused(NotFound, place.copies.patch, who, mine, {"ops": []})
    refused(NotFound, place.adjudication.of, rae, SLUG, made, place.images[0])
    view = place.rounds.of(place.ada, SLUG, made)
    assert [line.tally for line in view.pictures] == [None]
    assert [pair.tally.in_a for pair in view.pairs] == [0]

    place.copies.submit(cy, theirs)
    for who in (rae, place.ada):
        assert len(place.copies.get(who, mine).annotations) == 1
    for who in (cy, place.people["dee"]):
        refused(NotFound, place.copies.get, who, mine)
    (line,) = place.rounds.of(place.ada, SLUG, made).pictures
    assert line.tally is not None
    assert (line.tally.matched, line.tally.in_a, line.tally.in_b) == (1, 1, 1)
    own = place.rounds.of(bob, SLUG, made)
    assert ([each.tally for each in own.pictures], own.pairs) == ([None], ())
    assert [len(each.states) for each in own.pictures] == [1]
    refused(NotFound, place.rounds.of, place.people["dee"], SLUG, made)


def test_a_copy_is_no_change_of_the_picture(place: Place) -> None:
    made = place.make("bob", "cy")
    place.label("bob", made, op("wren", 0))
    found = place.rooms.annotations.get(place.ada, place.images[0])
    assert (found.revision, found.annotations) == (0, ())


def test_operations_on_a_copy(place: Place) -> None:
    made = place.make("bob", "cy")
    bob = place.people["bob"]
    first, second = op("wren", 0, op_id=str(uuid4())), op("owl", 20)
    copy = place.label("bob", made, first, second, submit=False)
    again = place.copies.patch(bob, copy, {"ops": [first]})
    assert (again.revision, len(again.conflicts)) == (1, 0)
    change = {"op": "update", "id": first["id"], "rev": 1, "label": "owl"}
    assert place.copies.patch(bob, copy, {"ops": [change]}).revision == 2
    stale = place.copies.patch(bob, copy, {"ops": [change | {"label": "wren"}]})
    assert [str(each.id) for each in stale.conflicts] == [first["id"]]
    place.copies.patch(
        bob, copy, {"ops": [{"op": "order", "ids": [second["id"], first["id"]]}]}
    )
    found = place.copies.get(bob, copy)
    assert [str(each.id) for each in found.annotations] == [second["id"], first["id"]]
    assert [each.label for each in found.annotations] == ["owl", "owl"]
    refused(InvalidInput, place.copies.patch, bob, copy, {"ops": [{"op": "dance"}]})
    gone = {"op": "delete", "id": first["id"], "rev": 2}
    place.copies.patch(bob, copy, {"ops": [gone]})
    assert len(place.copies.get(bob, copy).annotations) == 1


def test_what_was_moved_on_a_copy_can_be_deleted_in_the_same_breath(place: Place) -> None:
    made = place.make("bob", "cy")
    first, second = op("wren", 0), op("owl", 20)
    copy = place.label("bob", made, first, second, submit=False)
    order = {"op": "order", "ids": [second["id"], first["id"]]}
    gone = {"op": "delete", "id": first["id"], "rev": 1}
    place.copies.patch(place.people["bob"], copy, {"ops": [order, gone]})
    (left,) = place.copies.get(place.people["bob"], copy).annotations
    assert str(left.id) == second["id"]


def test_a_submitted_copy_is_read_only_and_taken_back_only_alone(place: Place) -> None:
    made = place.make("bob", "cy")
    bob = place.people["bob"]
    copy = place.label("bob", made, op("wren", 0))
    refused(PictureSubmitted, place.copies.patch, bob, copy, {"ops": [op("owl", 5)]})
    assert place.copies.task(bob, copy).can == ("reopen",)
    place.copies.reopen(bob, copy)
    place.copies.patch(bob, copy, {"ops": [op("owl", 50)]})
    place.copies.submit(bob, copy)
    place.label("cy", made)
    assert place.copies.task(bob, copy).can == ()
    refused(PictureSubmitted, place.copies.reopen, bob, copy)


def test_three_people_are_three_pairs(place: Place) -> None:
    made = place.make("bob", "cy", "dee", iou=0.6)
    place.label("bob", made, op("wren", 0), op("owl", 100))
    place.label("cy", made, op("wren", 1))
    place.label("dee", made, op("owl", 0), op("owl", 104))
    pairs = place.rounds.of(place.people["rae"], SLUG, made).pairs
    found = {frozenset((pair.a.name, pair.b.name)): pair.tally for pair in pairs}
    assert found[frozenset(("Bob", "Cy"))].matched == 1
    assert found[frozenset(("Bob", "Dee"))].matched == 1  # 104 overlaps by 6/14 only
    assert found[frozenset(("Cy", "Dee"))].kappa == 0
    assert [line.done for line in place.rounds.list(place.ada, SLUG)] == [3]


def test_drawn_by_a_seed(place: Place) -> None:
    place.images += [place.rooms.picture(place.ada, SLUG) for _ in range(20)]
    drawn = []
    for _ in range(2):
        made = place.make("bob", "cy", images=(), count=5, seed=7)
        drawn.append([line.card.id for line in place.rounds.of(place.ada, SLUG, made).pictures])
    assert (drawn[0], len(drawn[0])) == (drawn[1], 5)
    other = place.make("bob", "cy", images=(), count=500)
    assert len(place.rounds.of(place.ada, SLUG, other).pictures) == 23
    assert place.rounds.of(place.ada, SLUG, other).seed is not None
    first = place.rounds.next(place.people["bob"], SLUG, other)
    assert first is not None


@pytest.mark.parametrize(
    ("names", "more"),
    [
        (("bob",), {}),
        (("bob", "bob"), {}),
        (("bob", "cy"), {"iou": 0}),
        (("bob", "cy"), {"iou": 1.5}),
        (("bob", "cy"), {"images": (), "count": 0}),
        (("bob", "cy"), {"images": (UUID(int=5),)}),
    ],
)
def test_bad_rounds(place: Place, names: tuple[str, ...], more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        place.make(*names, **more)
    assert place.rounds.list(place.ada, SLUG) == ()


def test_who_makes_rounds(place: Place) -> None:
    draw = Draw("Mine", place.ids("bob", "cy"), count=1)
    refused(NotPermitted, place.rounds.make, place.people["bob"], SLUG, draw)
    refused(NotFound, place.rounds.make, place.rooms.person("eve"), SLUG, draw)
    assert place.rounds.make(place.people["rae"], SLUG, draw)


def test_adjudication_is_a_save_like_any_other(place: Place) -> None:
    made = place.make("bob", "cy")
    place.label("bob", made, op("wren", 0), op("owl", 100), op("tit", 200))
    place.label("cy", made, op("wren", 1), op("robin", 101), op("jay", 300))
    rae, image = place.people["rae"], place.images[0]
    old = {"label": "old", "box": {"x": 0, "y": 0, "w": 1, "h": 1}}
    place.rooms.annotations.put(place.ada, image, {"annotations": [old]}, 0)
    view = place.adjudication.of(rae, SLUG, made, image)
    pair = (view.a.id, view.b.id)
    assert [(each.a is not None, each.b is not None) for each in view.found] == [
        (True, True),
        (True, True),
        (True, False),
        (False, True),
    ]
    decide = place.adjudication.decide
    refused(InvalidInput, decide, rae, SLUG, made, image, pair, {0: "a", 1: "b"})
    refused(NotPermitted, decide, place.people["bob"], SLUG, made, image, pair, {})
    choices = {0: "a", 1: "both", 2: "none", 3: "b"}
    decide(rae, SLUG, made, image, pair, choices)
    found = place.rooms.annotations.get(rae, image)
    assert found.state.value == "accepted"
    assert len(found.annotations) == 4
    assert {"owl", "robin"} <= {each.label for each in found.annotations}
    assert "old" not in {each.label for each in found.annotations}
    assert place.rooms.actions()[-1] == "annotations.adjudicate"
    (line,) = place.rounds.of(rae, SLUG, made).pictures
    assert line.adjudicated_at == place.rooms.clock.now
    refused(Conflict, decide, rae, SLUG, made, image, pair, choices)


def test_a_picture_that_was_moved_has_left_its_rounds(place: Place) -> None:
    """Its people and its classes are others there: nothing is shown, and no box is lost."""
    rooms, moved = place.rooms, place.images[0]
    made = place.make("bob", "cy")
    mine = place.label("bob", made, op("wren", 0))
    place.label("cy", made, op("wren", 1))
    rooms.collections.create(place.ada, name="Elsewhere", slug="elsewhere")
    there = rooms.collections.access(place.ada, "elsewhere").id
    with rooms.uow.write() as session:
        session.execute(update(Image).where(Image.id == moved).values(collection_id=there))
    box = {"x": 0, "y": 0, "w": 5, "h": 5}
    document = {"annotations": [{"label": "owl", "box": box}]}
    rooms.annotations.put(place.ada, moved, document, ANY)

    assert place.rounds.of(place.people["rae"], SLUG, made).pictures == ()
    refused(NotFound, place.rounds.of, place.people["bob"], SLUG, made)
    assert place.rounds.next(place.people["bob"], SLUG, made) is None
    assert [line.copies for line in place.rounds.list(place.ada, SLUG)] == [0]
    refused(NotFound, place.copies.get, place.ada, mine)
    refused(NotFound, place.adjudication.of, place.ada, SLUG, made, moved)
    pair = place.ids("bob", "cy")
    refused(NotFound, place.adjudication.decide, place.ada, SLUG, made, moved, pair, {0: "a"})
    left = rooms.annotations.get(place.ada, moved)
    assert [each.label for each in left.annotations] == ["owl"]


def test_a_copy_is_held_against_the_attributes_of_its_labels(place: Place) -> None:
    age = {"name": "age", "kind": "number", "min": 0, "required": True}
    place.rooms.labels.create(place.ada, SLUG, LabelEdit(name="wren", attributes=[age]))
    made, bob = place.make("bob", "cy"), place.people["bob"]
    with pytest.raises(InvalidInput) as caught:
        place.label("bob", made, op("wren", 0, attributes={"age": "old"}))
    assert caught.value.mistakes[0].path == "$.ops[0].attributes.age"
    copy = place.label("bob", made, drawn := op("wren", 0), submit=False)
    with pytest.raises(InvalidInput) as caught:
        place.copies.submit(bob, copy)
    assert caught.value.mistakes[0].path == "annotations[0].attributes.age"
    change = {"op": "update", "id": drawn["id"], "rev": 1, "attributes": {"age": 3}}
    place.copies.patch(bob, copy, {"ops": [change]})
    assert place.copies.submit(bob, copy).can == ("reopen",)
