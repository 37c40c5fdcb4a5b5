"""One's own copy in two tabs: news, merging, conflicts, and what comes after submission."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from app.errors import InvalidInput, NotFound, PictureSubmitted
from app.services.agreement import copies as copies_module
from tests.fixtures.rooms import Rooms
from tests.fixtures.rounds import SLUG, RoundPlace, op


@pytest.fixture
def place(rooms: Rooms) -> RoundPlace:
    return RoundPlace(rooms)


def news(place: RoundPlace, copy: UUID, since: int | None) -> Any:
    return place.copies.since(place.people["bob"], copy, since)


def test_another_tab_is_told_what_changed(place: RoundPlace) -> None:
    made, bob = place.make("bob", "cy"), place.people["bob"]
    first, second = op("wren", 0), op("owl", 20)
    copy = place.label("bob", made, first, second, submit=False)
    assert news(place, copy, 1).changes == ()
    change = {"op": "update", "id": first["id"], "rev": 1, "label": "owl"}
    gone = {"op": "delete", "id": second["id"], "rev": 1}
    place.copies.patch(bob, copy, {"ops": [change]})
    place.copies.patch(bob, copy, {"ops": [gone, third := op("tit", 40)]})
    found = news(place, copy, 1)
    assert (found.revision, found.state.value, found.order, found.there) == (
        3,
        "in_progress",
        None,
        (),
    )
    told = {str(each.id): each.annotation and each.annotation.label for each in found.changes}
    assert told == {first["id"]: "owl", second["id"]: None, third["id"]: "tit"}
    assert [each.seq for each in found.changes] == [2, 3, 3]
    assert {each.person.is_you for each in found.changes} == {True}
    order = {"op": "order", "ids": [third["id"], first["id"]]}
    place.copies.patch(bob, copy, {"ops": [order]})
    assert [str(id_) for id_ in news(place, copy, 3).order] == [third["id"], first["id"]]
    assert [news(place, copy, since).changes for since in (None, 9)] == [(), None]
    for who in (place.ada, place.people["cy"], place.people["rae"]):
        with pytest.raises(NotFound):
            place.copies.since(who, copy, 0)


def test_what_is_older_than_the_copy_remembers_is_read_whole(
    place: RoundPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies_module, "KEPT_OPS", 2)
    made, bob = place.make("bob", "cy"), place.people["bob"]
    copy = place.label("bob", made, op("wren", 0), submit=False)
    for n in (1, 2):
        place.copies.patch(bob, copy, {"ops": [op("wren", n * 20)]})
    assert news(place, copy, 0).changes is None
    assert len(news(place, copy, 1).changes) == 2


def test_two_tabs_merge_and_are_told_of_the_one_box_that_both_changed(
    place: RoundPlace,
) -> None:
    made, bob = place.make("bob", "cy"), place.people["bob"]
    both, other = op("wren", 0), op("wren", 20)
    copy = place.label("bob", made, both, other, submit=False)
    box = {"x": 5, "y": 5, "w": 9, "h": 9}
    one = {"op": "update", "rev": 1}
    place.copies.patch(bob, copy, {"ops": [one | {"id": both["id"], "label": "owl"}]})
    stale = [one | {"id": both["id"], "box": box}, one | {"id": other["id"], "box": box}]
    found = place.copies.patch(bob, copy, {"ops": [*stale, third := op("tit", 40)]})
    (conflict,) = found.conflicts
    assert (str(conflict.id), conflict.theirs and conflict.theirs.label) == (both["id"], "owl")
    assert conflict.mine is not None
    assert conflict.mine.box.x == 5
    kept = {str(e.id): (e.label, e.box.x) for e in place.copies.get(bob, copy).annotations}
    assert kept == {both["id"]: ("owl", 0), other["id"]: ("wren", 5), third["id"]: ("tit", 40)}
    mine = one | {"id": both["id"], "rev": 2, "box": box}  # chosen: the place of this tab
    assert place.copies.patch(bob, copy, {"ops": [mine]}).conflicts == ()


def test_a_stale_tab_on_ones_copy_loses_nothing(place: RoundPlace) -> None:
    """Submitted in one tab, drawn on in another: told, and taken back by saying so."""
    made, bob = place.make("bob", "cy"), place.people["bob"]
    first = op("wren", 0, op_id=str(uuid4()))
    copy = place.label("bob", made, first)
    again = place.copies.patch(bob, copy, {"ops": [first]})  # an answer that was lost
    assert (again.revision, again.state.value, len(again.done)) == (1, "done", 1)
    late = op("owl", 50)
    with pytest.raises(PictureSubmitted) as refusal:
        place.copies.patch(bob, copy, {"ops": [late]})
    assert refusal.value.details["may_reopen"] is True
    with pytest.raises(InvalidInput):
        place.copies.patch(bob, copy, {"ops": [], "state": "done"})
    taken = place.copies.patch(bob, copy, {"ops": [late], "state": "in_progress"})
    assert (taken.revision, taken.state.value) == (2, "in_progress")
    place.label("cy", made, op("wren", 1))
    (line,) = place.rounds.of(place.ada, SLUG, made).pictures
    assert line.tally is None
    place.copies.submit(bob, copy)
    (line,) = place.rounds.of(place.ada, SLUG, made).pictures
    assert line.tally is not None
    assert news(place, copy, 2).state.value == "done"
    with pytest.raises(PictureSubmitted) as refusal:
        place.copies.patch(bob, copy, {"ops": [], "state": "in_progress"})
    assert refusal.value.details["may_reopen"] is False
