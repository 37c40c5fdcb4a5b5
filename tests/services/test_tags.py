from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.domain.access import Actor
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted
from app.services.tags import MAX_TAGS_OF_IMAGE, TagView
from tests.fixtures.rooms import Rooms


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person("ada")


@pytest.fixture
def image(rooms: Rooms, ada: Actor) -> UUID:
    return rooms.picture(ada)


def words(tags: tuple[TagView, ...]) -> list[str]:
    return [tag.name for tag in tags]


def test_replace_add_and_remove(rooms: Rooms, ada: Actor, image: UUID) -> None:
    tags = rooms.tags
    assert words(tags.replace(ada, image, ["sea", "Sand", "sea "])) == ["Sand", "sea"]
    assert words(tags.add(ada, image, ["sun", "SEA"])) == ["Sand", "sea", "sun"]
    assert words(tags.remove(ada, image, ["sand", "never"])) == ["sea", "sun"]
    assert words(tags.replace(ada, image, ["sun"])) == ["sun"]
    assert words(tags.list(ada, rooms.private(ada))) == ["sun"]
    assert tags.replace(ada, image, []) == ()
    assert tags.list(ada, rooms.private(ada)) == ()


def test_pictures_share_the_tags_of_their_collection(
    rooms: Rooms, ada: Actor, image: UUID
) -> None:
    other = rooms.picture(ada)
    (first,) = rooms.tags.add(ada, image, ["sea"])
    (second,) = rooms.tags.add(ada, other, ["SEA"])
    assert first == second
    rooms.tags.remove(ada, image, ["sea"])
    assert rooms.tags.list(ada, rooms.private(ada)) == (first,)
    elsewhere = rooms.picture(ada, rooms.collections.create(ada, name="Other").slug)
    (third,) = rooms.tags.add(ada, elsewhere, ["sea"])
    assert third.id != first.id


def test_in_the_callers_transaction(rooms: Rooms, ada: Actor, image: UUID) -> None:
    found = rooms.collections.access(ada, rooms.private(ada))
    facts = {"image_id": image, "collection_id": found.id, "sort_at": rooms.clock.now}
    with rooms.uow.write() as session:
        rooms.tags.attach(session, **facts, names=["sea", "sun"])
        assert words(rooms.tags.of_image(session, image)) == ["sea", "sun"]
    with rooms.uow.read() as session:
        assert rooms.tags.find(session, found.id, " Sun") in rooms.tags.of_image(session, image)
        assert rooms.tags.find(session, found.id, "rain") is None
    with rooms.uow.write() as session:
        assert rooms.tags.drop_all(session, image) == ("sea", "sun")
    assert rooms.tags.list(ada, found.slug) == ()


def test_refused(rooms: Rooms, ada: Actor, image: UUID) -> None:
    with pytest.raises(InvalidInput) as caught:
        rooms.tags.add(ada, image, ["ok", "a,b"])
    assert [mistake.path for mistake in caught.value.mistakes] == ["tags[1]"]
    rooms.tags.add(ada, image, [f"t{n}" for n in range(MAX_TAGS_OF_IMAGE)])
    with pytest.raises(Conflict):
        rooms.tags.add(ada, image, ["one more"])
    assert len(rooms.tags.list(ada, rooms.private(ada))) == MAX_TAGS_OF_IMAGE


def test_only_editors(rooms: Rooms, ada: Actor, image: UUID) -> None:
    bob = rooms.person("bob")
    for stranger in (bob, Actor(uuid4(), is_admin=True)):
        with pytest.raises(NotFound):
            rooms.tags.replace(stranger, image, ["x"])
    rooms.members.add(ada, rooms.private(ada), email="bob@example.org", role="reviewer")
    with pytest.raises(NotPermitted):
        rooms.tags.replace(bob, image, ["x"])
    with pytest.raises(NotFound):
        rooms.tags.replace(ada, uuid4(), ["x"])
    trashed = rooms.picture(ada, trashed_at=rooms.clock())
    with pytest.raises(NotPermitted):
        rooms.tags.replace(ada, trashed, ["x"])


def test_eight_at_once_make_one_tag(rooms: Rooms, ada: Actor) -> None:
    images = [rooms.picture(ada) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda image: rooms.tags.add(ada, image, ["sea", "sun"]), images))
    assert len(set(made)) == 1
    assert words(rooms.tags.list(ada, rooms.private(ada))) == ["sea", "sun"]


def test_sealed_and_bound_to_their_rows(
    rooms: Rooms, ada: Actor, image: UUID, database_path: Path
) -> None:
    rooms.tags.add(ada, image, ["Markierung"])
    rooms.uow.engine.dispose()
    raw = b"".join(p.read_bytes() for p in database_path.parent.iterdir() if p.is_file())
    assert b"Markierung" not in raw
