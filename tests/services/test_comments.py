"""Comments: who says, changes, resolves and deletes them."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.domain.access import Actor
from app.domain.scopes import Scope
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted
from app.services import comments
from app.services.annotations import ANY
from tests.fixtures.rooms import Rooms

BOX = {"x": 0, "y": 0, "w": 1, "h": 1}


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person("ada")


@pytest.fixture
def slug(rooms: Rooms, ada: Actor) -> str:
    return rooms.collections.create(ada, name="Birds", slug="birds").slug


@pytest.fixture
def image(rooms: Rooms, ada: Actor, slug: str) -> UUID:
    return rooms.picture(ada, slug)


def member(rooms: Rooms, ada: Actor, slug: str, name: str, role: str) -> Actor:
    actor = rooms.person(name)
    rooms.members.add(ada, slug, email=f"{name}@example.org", role=role)
    return actor


def test_from_the_first_word_to_the_last(
    rooms: Rooms, ada: Actor, slug: str, image: UUID
) -> None:
    bob = member(rooms, ada, slug, "bob", "annotator")
    drawn = {"annotations": [{"label": "wren", "box": BOX}]}
    (box,) = rooms.annotations.put(ada, image, drawn, ANY).annotations
    said = rooms.comments.add(bob, image, "  Is it\r\none? ", annotation_id=box.id)
    assert (said.text, said.annotation_id, said.point) == ("Is it\none?", box.id, None)
    assert said.author is not None
    assert (said.author.name, said.author.is_you, said.rejection) == ("Bob", True, False)
    rooms.clock.advance(minutes=1)
    placed = rooms.comments.add(ada, image, "Here too", point=(1.5, -2))
    assert rooms.comments.list(ada, image)[1] == placed
    changed = rooms.comments.change(bob, said.id, text="Two.")
    assert (changed.text, changed.updated_at) == ("Two.", rooms.clock.now)
    resolved = rooms.comments.change(ada, said.id, resolved=True)
    assert resolved.resolver is not None
    assert (resolved.resolver.name, resolved.resolved_at) == ("Ada", rooms.clock.now)
    assert rooms.comments.change(bob, said.id, resolved=False).resolved_at is None
    rooms.annotations.put(ada, image, {"annotations": []}, ANY)
    assert rooms.comments.list(ada, image)[0].annotation_id == box.id
    rooms.comments.remove(bob, said.id)
    assert [one.id for one in rooms.comments.list(ada, image)] == [placed.id]
    assert [word for word in rooms.actions() if word.startswith("comment")] == [
        "comment.add", "comment.add", "comment.change", "comment.change", "comment.change",
        "comment.remove",
    ]  # fmt: skip


def test_a_rejection_is_among_them(rooms: Rooms, ada: Actor, image: UUID) -> None:
    body = {"text": "no", "point": None, "of": "rejected"}
    row = comments.comment_row(image, ada.user_id, rooms.clock.now, body)
    with rooms.uow.write() as session:
        session.execute(comments.insert(comments.Comment), [row])
    assert [one.rejection for one in rooms.comments.list(ada, image)] == [True]


def test_who_may(rooms: Rooms, ada: Actor, slug: str, image: UUID) -> None:
    vera = member(rooms, ada, slug, "vera", "viewer")
    bob = member(rooms, ada, slug, "bob", "annotator")
    rita = member(rooms, ada, slug, "rita", "reviewer")
    eve = rooms.person("eve")
    said = rooms.comments.add(ada, image, "Look")
    assert len(rooms.comments.list(vera, image)) == 1
    for who, refusal in ((eve, NotFound), (vera, NotPermitted)):
        with pytest.raises(refusal):
            rooms.comments.add(who, image, "x")
        with pytest.raises(refusal):
            rooms.comments.change(who, said.id, resolved=True)
        with pytest.raises(refusal):
            rooms.comments.remove(who, said.id)
    for who in (bob, rita):
        with pytest.raises(NotPermitted):
            rooms.comments.change(who, said.id, text="mine")
    with pytest.raises(NotPermitted):
        rooms.comments.remove(bob, said.id)
    cy = member(rooms, ada, slug, "cy", "annotator")
    assert rooms.comments.change(bob, said.id, resolved=True).can == ("reopen",)
    with pytest.raises(NotPermitted):
        rooms.comments.change(cy, said.id, resolved=False)
    told = {who: rooms.comments.list(who, image)[0].can for who in (vera, cy, rita, ada)}
    assert told == {
        vera: (),
        cy: (),
        rita: ("reopen", "delete"),
        ada: ("edit", "reopen", "delete"),
    }
    for who in (bob, rita, ada):
        assert rooms.comments.change(who, said.id, resolved=False).resolved_at is None
        rooms.comments.change(bob, said.id, resolved=True)
    rooms.comments.remove(rita, said.id)
    with pytest.raises(NotFound):
        rooms.comments.remove(rita, said.id)


@pytest.mark.parametrize("text", ["", "  \n ", "a\0", "x" * 2001, None, 7])
def test_what_is_no_comment(rooms: Rooms, ada: Actor, image: UUID, text: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        rooms.comments.add(ada, image, text)
    assert [mistake.path for mistake in caught.value.mistakes] == ["$.text"]
    assert rooms.comments.list(ada, image) == ()


def test_an_annotation_of_another_picture(
    rooms: Rooms, ada: Actor, slug: str, image: UUID
) -> None:
    drawn = {"annotations": [{"label": "wren", "box": BOX}]}
    (box,) = rooms.annotations.put(ada, rooms.picture(ada, slug), drawn, ANY).annotations
    for foreign in (box.id, uuid4()):
        with pytest.raises(InvalidInput):
            rooms.comments.add(ada, image, "x", annotation_id=foreign)


def test_too_many(
    rooms: Rooms, ada: Actor, image: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comments, "MOST", 2)
    for _ in range(2):
        rooms.comments.add(ada, image, "x")
    with pytest.raises(Conflict):
        rooms.comments.add(ada, image, "x")


def test_sealed(rooms: Rooms, ada: Actor, image: UUID, database_path: Path) -> None:
    rooms.comments.add(ada, image, "Geheimnis")
    rooms.uow.engine.dispose()
    raw = b"".join(p.read_bytes() for p in database_path.parent.iterdir() if p.is_file())
    assert b"Geheimnis" not in raw


def test_a_key_without_the_scope_is_told_the_same_of_every_comment(
    rooms: Rooms, ada: Actor, image: UUID
) -> None:
    said = rooms.comments.add(ada, image, "Here")
    reader = Actor(rooms.person("eve").user_id, scopes=frozenset({Scope.IMAGES_READ}))
    for id_ in (said.id, uuid4()):
        with pytest.raises(NotPermitted):
            rooms.comments.change(reader, id_, text="mine")
        with pytest.raises(NotPermitted):
            rooms.comments.remove(reader, id_)
