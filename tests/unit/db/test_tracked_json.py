"""Every way to change a JSON value in place reaches the database."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from app.db.session import UnitOfWork
from app.db.tracked_json import TrackedList, TrackedObject
from app.models import Image
from tests.unit.db.conftest import stored_image

CARD = {"name": "a.jpg", "size": {"w": 1, "h": 2}, "list": [3, 1, {"deep": [1]}]}


def replace_slice(card: Any) -> None:
    card["list"][0:2] = [{"x": 1}]
    card["list"][0]["x"] = 2


def augment(card: Any) -> None:
    card["list"] += [9]
    card["size"] |= {"d": 3}


def adopt(card: Any) -> None:
    card["new"] = {"a": [1]}
    card["new"]["a"].append(2)


CHANGES: list[Callable[[Any], object]] = [
    lambda card: card.__setitem__("name", "b.jpg"),
    lambda card: card.__delitem__("name"),
    lambda card: card.update(name="c.jpg"),
    lambda card: card.setdefault("other", 1),
    lambda card: card.pop("name"),
    lambda card: card.popitem(),
    lambda card: card.clear(),
    lambda card: card["size"].__setitem__("w", 5),
    lambda card: card["size"].update({"w": 6}, h=7),
    lambda card: card["list"].append(1),
    lambda card: card["list"].extend([1, 2]),
    lambda card: card["list"].insert(0, 7),
    lambda card: card["list"].pop(),
    lambda card: card["list"].remove(3),
    lambda card: card["list"].reverse(),
    lambda card: card["list"].clear(),
    lambda card: card["list"].__delitem__(0),
    lambda card: card["list"].__imul__(2),
    lambda card: card["list"][2]["deep"].append(2),
    lambda card: card["list"][2]["deep"].sort(reverse=True) or card["list"][2].pop("deep"),
    replace_slice,
    augment,
    adopt,
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_in_place_is_stored(work: UnitOfWork, change: Callable[[Any], object]) -> None:
    image_id = stored_image(work, card=CARD).id
    with work.write() as session:
        image = session.get_one(Image, image_id)
        change(image.card)
        expected = copy.deepcopy(image.card)
        assert expected != CARD
    with work.read() as session:
        assert session.get_one(Image, image_id).card == expected


def test_what_is_read_only_writes_nothing(work: UnitOfWork) -> None:
    image_id = stored_image(work, card=CARD).id
    with work.write() as session:
        image = session.get_one(Image, image_id)
        assert image.card is not None
        assert image.card["list"][2]["deep"] == [1]
        assert not session.dirty


def test_a_change_after_the_first_flush_is_stored(work: UnitOfWork) -> None:
    image = stored_image(work, card=CARD)
    with work.write() as session:
        again = session.get_one(Image, image.id)
        assert again.card is not None
        again.card["size"]["w"] = 8
        session.flush()
        again.card["size"]["w"] = 9
    with work.read() as session:
        stored = session.get_one(Image, image.id).card
    assert stored is not None
    assert stored["size"]["w"] == 9


def test_copies_are_plain_and_json_takes_nodes() -> None:
    node = TrackedObject.coerce("card", CARD)
    assert isinstance(node, TrackedObject)
    assert isinstance(node["list"], TrackedList)
    assert json.loads(json.dumps(node)) == CARD
    for twin in (copy.deepcopy(node), pickle.loads(pickle.dumps(node))):
        assert twin == CARD
        assert type(twin) is dict
        assert type(twin["list"]) is list


def test_a_value_shared_by_two_rows_is_two_values(work: UnitOfWork) -> None:
    first = stored_image(work, card=CARD)
    second = stored_image(work, card=first.card)
    with work.write() as session:
        one = session.get_one(Image, first.id)
        assert one.card is not None
        one.card["size"]["w"] = 77
    with work.read() as session:
        other = session.get_one(Image, second.id).card
    assert other == CARD
