"""Blind rounds against members who look for what is not theirs, and against odd moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from app.domain.points import MAX_SET_POINTS
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted
from app.models import Image
from tests.fixtures.rooms import Rooms
from tests.fixtures.rounds import SLUG, RoundPlace, op


@pytest.fixture
def place(rooms: Rooms) -> RoundPlace:
    return RoundPlace(rooms)


def changed(place: RoundPlace, number: int, **values: Any) -> None:
    with place.rooms.uow.write() as session:
        chosen = Image.id == place.images[number]
        session.execute(update(Image).where(chosen).values(**values))


def test_what_the_others_submitted_is_not_told_to_who_labels(place: RoundPlace) -> None:
    made = place.make("bob", "cy", images=tuple(place.images))
    (before,) = place.rounds.list(place.people["bob"], SLUG)
    seen = place.rounds.of(place.people["bob"], SLUG, made)
    place.label("cy", made, op("wren", 0))
    place.label("cy", made, op("wren", 0), image=1)
    (after,) = place.rounds.list(place.people["bob"], SLUG)
    assert after == before
    assert (after.done, after.copies, after.mine) == (0, 3, (0, 3))
    assert place.rounds.of(place.people["bob"], SLUG, made) == seen
    (led,) = place.rounds.list(place.ada, SLUG)
    assert (led.done, led.copies) == (2, 6)


@pytest.mark.parametrize("what", ["past its time", "quarantined", "in the trash"])
def test_next_passes_over_pictures_that_nobody_can_open(place: RoundPlace, what: str) -> None:
    made = place.make("bob", "cy", images=tuple(place.images[:2]))
    now = place.rooms.clock()
    values: dict[str, Any] = {
        "past its time": {"expires_at": now - timedelta(seconds=1)},
        "quarantined": {"status": "quarantined"},
        "in the trash": {"trashed_at": now},
    }[what]
    changed(place, 0, **values)
    bob = place.people["bob"]
    found = place.rounds.next(bob, SLUG, made)
    assert found is not None
    assert found[0] == place.images[1]
    if what != "quarantined":
        with pytest.raises((NotFound, NotPermitted)):
            place.copies.get(bob, place.rounds.mine(bob, SLUG, made, place.images[0]))


def test_copies_of_pictures_that_are_gone_wait_for_nobody(place: RoundPlace) -> None:
    made = place.make("bob", "cy", images=tuple(place.images[:2]))
    place.rooms.members.remove(place.ada, SLUG, place.ids("bob")[0])
    changed(place, 0, trashed_at=place.rooms.clock())
    (line,) = place.rounds.list(place.ada, SLUG)
    view = place.rounds.of(place.ada, SLUG, made)
    assert line.stuck == sum(one.copies for one in view.waiting if not one.able) == 1
    changed(place, 1, trashed_at=place.rooms.clock())
    (line,) = place.rounds.list(place.ada, SLUG)
    assert line.stuck == 0
    for to in ("dee", None):
        with pytest.raises(InvalidInput):
            place.hand(made, "bob", to)


def test_figures_are_of_the_pictures_that_are_listed(place: RoundPlace) -> None:
    made = place.make("bob", "cy", images=tuple(place.images[:2]))
    for name, x in (("bob", 0), ("cy", 1)):
        place.label(name, made, op("wren", x))
        place.label(name, made, op("owl", 500 * x), image=1)
    (before,) = place.rounds.of(place.ada, SLUG, made).pairs
    assert (before.tally.matched, before.tally.in_a, before.tally.in_b) == (1, 2, 2)
    changed(place, 1, trashed_at=place.rooms.clock())
    seen = place.rounds.of(place.ada, SLUG, made)
    assert [(one.tally.matched, one.tally.in_a, one.tally.in_b) for one in seen.pairs] == [
        (1, 1, 1)
    ]
    assert len(seen.pictures) == 1
    changed(place, 1, trashed_at=None)
    assert place.rounds.of(place.ada, SLUG, made).pairs == (before,)
    for number in (0, 1):
        changed(place, number, trashed_at=place.rooms.clock())
    assert place.rounds.of(place.ada, SLUG, made).pairs == ()
    assert place.rounds.of(place.people["bob"], SLUG, made).pictures == ()


def test_a_copy_holds_as_many_points_as_a_picture_may(place: RoundPlace) -> None:
    """However many documents they come in: a record that is too large could not be read."""
    made = place.make("bob", "cy")
    bob = place.people["bob"]
    copy = place.rounds.mine(bob, SLUG, made, place.images[0])
    points = [[n, n % 7] for n in range(2000)]

    def outline() -> dict[str, Any]:
        told = {k: v for k, v in op("wren", 0).items() if k != "box"}
        return told | {"shape": {"type": "polygon", "points": points}}

    most = MAX_SET_POINTS // len(points)
    place.copies.patch(bob, copy, {"ops": [outline() for _ in range(most)]})
    before = place.copies.get(bob, copy)
    with pytest.raises(InvalidInput):
        place.copies.patch(bob, copy, {"ops": [outline()]})
    assert place.copies.get(bob, copy) == replace(before)


def test_operations_give_a_picture_no_more_points_than_it_may_have(place: RoundPlace) -> None:
    bob, image, ops = place.people["bob"], place.images[0], place.rooms.annotation_ops
    points = [[0, n % 7] for n in range(5000)]

    def outlines(count: int) -> dict[str, Any]:
        shape = {"type": "points", "points": points}
        told = [op("wren", 0) | {"shape": shape} for _ in range(count)]
        return {"ops": [{k: v for k, v in one.items() if k != "box"} for one in told]}

    for _ in range(2):
        ops.patch(bob, image, outlines(MAX_SET_POINTS // len(points) // 2))
    before = place.rooms.annotations.get(bob, image)
    with pytest.raises(InvalidInput):
        ops.patch(bob, image, outlines(1))
    assert place.rooms.annotations.get(bob, image) == before
    gone = before.annotations[0]
    free = {"op": "delete", "id": str(gone.id), "rev": gone.rev}
    ops.patch(bob, image, {"ops": [free, *outlines(1)["ops"]]})


def test_who_became_a_viewer_is_not_offered_to_submit(place: RoundPlace) -> None:
    made = place.make("bob", "cy")
    cy, (cy_id,) = place.people["cy"], place.ids("cy")
    copy = place.rounds.mine(cy, SLUG, made, place.images[0])
    assert place.copies.task(cy, copy).can == ("submit",)
    place.rooms.members.change(place.ada, SLUG, cy_id, "viewer")
    assert place.copies.task(cy, copy).can == ()
    for call in (place.copies.submit, place.copies.reopen):
        with pytest.raises(NotPermitted):
            call(cy, copy)


@pytest.mark.parametrize("way", ["patch", "put"])
def test_a_save_submits_no_picture_that_another_has(place: RoundPlace, way: str) -> None:
    """As the call for it does not; its boxes may be written beside whoever has it."""
    rooms, image = place.rooms, place.images[0]
    bob, cy, rae = (place.people[name] for name in ("bob", "cy", "rae"))
    rooms.tasks.take(bob, image)
    drawn = {k: v for k, v in op("wren", 0).items() if k not in ("op", "id")}

    def save(who: Any, **state: str) -> str:
        if way == "patch":
            return rooms.annotation_ops.patch(
                who, image, {"ops": [op("wren", 0)], **state}
            ).state
        return rooms.annotations.put(who, image, {"annotations": [drawn], **state}, "*").state

    with pytest.raises(Conflict):
        save(cy, state="done")
    assert rooms.annotations.get(cy, image).annotations == ()
    assert save(cy) == "in_progress"
    assert rooms.tasks.of(bob, image).can
    if way == "put":
        assert save(rae, state="done") == "done"  # a reviewer may come between
    else:
        assert save(bob, state="done") == "done"
