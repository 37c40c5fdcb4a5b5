from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from app.domain.access import Actor
from app.domain.attribute_types import AttributeKind, AttributeType
from app.domain.labels import COLOURS
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted
from app.services.labels import LabelEdit
from tests.fixtures.rooms import Rooms

SEX = {"name": "sex", "kind": "select", "options": ["f", "m"]}


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person("ada")


@pytest.fixture
def slug(rooms: Rooms, ada: Actor) -> str:
    return rooms.collections.create(ada, name="Birds", slug="birds").slug


def make(rooms: Rooms, ada: Actor, slug: str, *names: str) -> list[UUID]:
    return [rooms.labels.create(ada, slug, LabelEdit(name=name)).id for name in names]


def names(rooms: Rooms, ada: Actor, slug: str) -> list[str]:
    return [label.name for label in rooms.labels.list(ada, slug)]


def test_classes_get_colours_keys_and_places(rooms: Rooms, ada: Actor, slug: str) -> None:
    make(rooms, ada, slug, "wren", "owl")
    wren, owl = rooms.labels.list(ada, slug)
    assert (wren.name, wren.colour, wren.hotkey, wren.position) == ("wren", COLOURS[0], "1", 0)
    assert (owl.name, owl.colour, owl.hotkey, owl.position) == ("owl", COLOURS[1], "2", 1)


def test_what_is_told_is_taken(rooms: Rooms, ada: Actor, slug: str) -> None:
    edit = LabelEdit(name="wren", colour="#ABCDEF", hotkey="7", attributes=[SEX])
    made = rooms.labels.create(ada, slug, edit)
    assert (made.colour, made.hotkey) == ("#abcdef", "7")
    assert made.attributes == (AttributeType("sex", AttributeKind.SELECT, options=("f", "m")),)
    assert rooms.labels.list(ada, slug) == (made,)


def test_edit_keeps_the_id_and_what_is_not_told(rooms: Rooms, ada: Actor, slug: str) -> None:
    (id_,) = make(rooms, ada, slug, "wren")
    changed = rooms.labels.edit(ada, slug, id_, LabelEdit(name="robin"))
    assert (changed.id, changed.name, changed.hotkey) == (id_, "robin", "1")
    assert rooms.labels.edit(ada, slug, id_, LabelEdit(hotkey="")).hotkey is None
    assert rooms.labels.edit(ada, slug, id_, LabelEdit(colour="#000000")).name == "robin"


def test_names_and_keys_are_each_ones_own(rooms: Rooms, ada: Actor, slug: str) -> None:
    _, owl = make(rooms, ada, slug, "wren", "owl")
    for edit in (LabelEdit(name="wren"), LabelEdit(hotkey="1")):
        with pytest.raises(Conflict):
            rooms.labels.edit(ada, slug, owl, edit)
    for edit in (LabelEdit(name="wren"), LabelEdit(name="kite", hotkey="2")):
        with pytest.raises(Conflict):
            rooms.labels.create(ada, slug, edit)
    assert names(rooms, ada, slug) == ["wren", "owl"]
    rooms.labels.edit(ada, slug, owl, LabelEdit(name="owl", hotkey="2"))


@pytest.mark.parametrize(
    "bad",
    [
        LabelEdit(),
        LabelEdit(name=""),
        LabelEdit(name="a", colour="red"),
        LabelEdit(name="a", hotkey="x"),
        LabelEdit(name="a", attributes={"deep": {"er": 1}}),
        LabelEdit(name="a", attributes=[{"name": "sex", "kind": "select"}]),
        LabelEdit(name="a", aliases=["b", ""]),
    ],
)
def test_refused(rooms: Rooms, ada: Actor, slug: str, bad: LabelEdit) -> None:
    with pytest.raises(InvalidInput):
        rooms.labels.create(ada, slug, bad)
    assert names(rooms, ada, slug) == []


def test_reorder(rooms: Rooms, ada: Actor, slug: str) -> None:
    wren, owl, kite = make(rooms, ada, slug, "wren", "owl", "kite")
    rooms.labels.reorder(ada, slug, [kite, wren, owl])
    assert names(rooms, ada, slug) == ["kite", "wren", "owl"]
    for bad in ([wren, owl], [wren, owl, owl], [wren, owl, uuid4()], []):
        with pytest.raises(InvalidInput):
            rooms.labels.reorder(ada, slug, bad)


def test_a_removed_class_comes_back_with_its_id(rooms: Rooms, ada: Actor, slug: str) -> None:
    wren, _ = make(rooms, ada, slug, "wren", "owl")
    rooms.labels.edit(ada, slug, wren, LabelEdit(colour="#123456"))
    rooms.labels.remove(ada, slug, wren)
    assert names(rooms, ada, slug) == ["owl"]
    with pytest.raises(NotFound):
        rooms.labels.edit(ada, slug, wren, LabelEdit(name="x"))
    with pytest.raises(NotFound):
        rooms.labels.remove(ada, slug, wren)
    again = rooms.labels.create(ada, slug, LabelEdit(name="wren"))
    assert (again.id, again.colour, again.hotkey) == (wren, "#123456", "1")
    assert names(rooms, ada, slug) == ["owl", "wren"]


def test_every_collection_has_its_own(rooms: Rooms, ada: Actor, slug: str) -> None:
    other = rooms.collections.create(ada, name="Fish").slug
    (wren,) = make(rooms, ada, slug, "wren")
    make(rooms, ada, other, "wren")
    with pytest.raises(NotFound):
        rooms.labels.edit(ada, other, wren, LabelEdit(name="x"))


def test_editors_change_and_others_look(rooms: Rooms, ada: Actor, slug: str) -> None:
    (wren,) = make(rooms, ada, slug, "wren")
    bob = rooms.person("bob")
    rooms.members.add(ada, slug, email="bob@example.org", role="reviewer")
    assert names(rooms, bob, slug) == ["wren"]
    for attempt in (
        lambda: rooms.labels.create(bob, slug, LabelEdit(name="owl")),
        lambda: rooms.labels.edit(bob, slug, wren, LabelEdit(name="owl")),
        lambda: rooms.labels.reorder(bob, slug, [wren]),
        lambda: rooms.labels.remove(bob, slug, wren),
    ):
        with pytest.raises(NotPermitted):
            attempt()
    assert bob.user_id is not None
    rooms.members.change(ada, slug, bob.user_id, "editor")
    make(rooms, bob, slug, "owl")
    assert rooms.actions()[-1] == "label.create"


def test_a_former_name_stays_whatever_other_names_are_told(
    rooms: Rooms, ada: Actor, slug: str
) -> None:
    (wren,) = make(rooms, ada, slug, "wren")
    changed = rooms.labels.edit(ada, slug, wren, LabelEdit(name="robin", aliases=["redbreast"]))
    assert changed.aliases == ("redbreast", "wren")
    again = rooms.labels.edit(ada, slug, wren, LabelEdit(name="robin", aliases=["robin"]))
    assert again.aliases == ()
