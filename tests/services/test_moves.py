"""A picture in another collection: its address, tags, boxes and counters, on real blobs."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest

from app.errors import Conflict, InvalidInput, NotFound, NotPermitted
from app.services.collections import CollectionEdit
from tests.fixtures.uploads import PictureRoom, picture

BOX = {"x": 1.0, "y": 2.0, "w": 3.0, "h": 4.0}


@dataclass
class Place:
    """``image`` lies in ``here``; ``there`` is empty; both are the same person's."""

    room: PictureRoom
    here: str
    there: str
    image: UUID

    def move(self, slug: str | None = None) -> None:
        self.room.services.moves.move(self.room.actor, self.image, slug or self.there)

    def label(self, *names: str) -> None:
        boxes = [{"label": name, "box": BOX} for name in names]
        self.room.services.annotations.put(
            self.room.actor, self.image, {"annotations": boxes}, "*"
        )

    def labels(self) -> list[str]:
        found = self.room.services.annotations.get(self.room.actor, self.image)
        return sorted(box.label for box in found.annotations)

    def tags(self) -> tuple[str, ...]:
        return self.room.services.library.detail(self.room.actor, self.image).tags

    def known_tags(self, slug: str) -> tuple[str, ...]:
        return self.room.services.library.tag_names(self.room.actor, slug)

    def total(self, slug: str) -> int:
        return self.room.services.library.total(self.room.actor, slug)


@pytest.fixture
def place(room: PictureRoom) -> Place:
    make = room.services.collections.create
    here, there = (make(room.actor, name=name).slug for name in ("Here", "There"))
    stored = room.upload(picture(), collection=here, tags=("sea", "dog"))
    return Place(room, here, there, stored.id)


def test_the_blobs_stay_and_the_row_goes(place: Place) -> None:
    room, path = place.room, place.room.path(place.image)
    before = room.left()
    place.move()
    after = room.left()
    assert room.path(place.image) == path
    assert (after.files, after.keys, after.quota) == (before.files, before.keys, before.quota)
    assert (place.total(place.here), place.total(place.there)) == (0, 1)
    assert room.original(place.image) == picture()
    assert room.audited("image.move") == 1
    place.move()
    assert room.audited("image.move") == 1, "where it is already, nothing is done"


def test_the_old_address_leads_to_the_new_one(place: Place) -> None:
    room = place.room
    client = room.installation.api("ann")
    old = room.access(place.image).url
    place.move()
    new = room.access(place.image).url
    assert new != old
    answer = client.get(old)
    assert (answer.status_code, answer.headers["Location"]) == (308, new)
    assert client.get(new, buffered=True).data == picture()
    answer = client.get(old + "?download=1")
    assert answer.headers["Location"] == new + "?download=1"


def test_every_former_address_leads_on(place: Place) -> None:
    """Also those of collections in which the picture was neither at first nor is now."""
    room = place.room
    make = room.services.collections.create
    addresses = [room.access(place.image).url]
    for name in ("Second", "Third", "Fourth"):
        place.move(make(room.actor, name=name).slug)
        addresses.append(room.access(place.image).url)
    *former, now = addresses
    assert len(set(addresses)) == 4
    client, stranger = room.installation.api("ann"), room.installation.api("eve")
    for old in former:
        answer = client.get(old)
        assert (answer.status_code, answer.headers["Location"]) == (308, now)
        assert stranger.get(old).status_code == 404
    assert stranger.get(now).status_code == 404
    assert client.get(now, buffered=True).data == picture()
    room.services.trash.trash(room.actor, place.image)
    email = room.installation.person("bob").email
    slug = room.access(place.image).slug
    room.services.members.add(room.actor, slug, email=email, role="viewer")
    assert room.installation.api("bob").get(former[1]).status_code == 404


def test_no_browser_remembers_where_it_was_led(place: Place) -> None:
    """There and back again: a remembered 308 would lead in circles for ever."""
    room = place.room
    old = room.access(place.image).url
    place.move()
    answer = room.installation.api("ann").get(old)
    assert answer.status_code == 308
    assert "no-store" in answer.headers["Cache-Control"]


def test_tags_go_along_by_name(place: Place) -> None:
    place.room.upload(picture(1), collection=place.here, tags=("sea",))
    place.room.upload(picture(2), collection=place.there, tags=("DOG",))
    place.move()
    assert place.tags() == ("DOG", "sea"), "the spelling of the place"
    assert place.known_tags(place.here) == ("sea",)
    assert place.known_tags(place.there) == ("DOG", "sea")


def test_labels_go_along_by_name(place: Place) -> None:
    place.label("cat", "cat", "bird")
    place.move()
    assert place.labels() == ["bird", "cat", "cat"]
    names = {one.name for one in place.room.services.labels.list(place.room.actor, place.there)}
    assert names == {"bird", "cat"}
    assert [one for one in place.room.services.verification.columns() if one.problem] == []


def test_a_closed_label_set_takes_nothing_unknown(place: Place) -> None:
    room = place.room
    place.label("cat")
    room.services.collections.edit(room.actor, place.there, CollectionEdit(labels_closed=True))
    before = room.left()
    with pytest.raises(InvalidInput):
        place.move()
    assert room.left() == before
    assert (place.total(place.here), place.total(place.there)) == (1, 0)
    assert place.tags() == ("dog", "sea")
    assert place.labels() == ["cat"]
    room.services.collections.edit(room.actor, place.there, CollectionEdit(labels_closed=False))
    place.move()
    assert place.labels() == ["cat"]


@pytest.mark.parametrize("trashed", [False, True])
def test_the_same_file_is_there_already(place: Place, trashed: bool) -> None:
    room = place.room
    twin = room.upload(picture(), collection=place.there)
    if trashed:
        room.services.trash.trash(room.actor, twin.id)
    before = room.left()
    with pytest.raises(Conflict, match="already"):
        place.move()
    assert room.left() == before
    room.services.trash.destroy(room.actor, twin.id)
    place.move()
    assert room.upload(picture(), collection=place.there).duplicate
    assert not room.upload(picture(), collection=place.here).duplicate


def test_there_and_back_again(place: Place) -> None:
    room = place.room
    first = room.access(place.image).url
    before = room.left()
    place.move()
    place.move(place.here)
    assert room.left() == before
    assert room.access(place.image).url == first
    assert room.installation.api("ann").get(first, buffered=True).data == picture()


def test_who_may_not(place: Place) -> None:
    room, members = place.room, place.room.services.members
    bob = room.installation.person("bob")
    move = room.services.moves.move
    with pytest.raises(NotFound):
        move(bob.actor, place.image, place.there)
    members.add(room.actor, place.here, email=bob.email, role="editor")
    with pytest.raises(NotFound):
        move(bob.actor, place.image, place.there)
    members.add(room.actor, place.there, email=bob.email, role="viewer")
    with pytest.raises(NotPermitted):
        move(bob.actor, place.image, place.there)
    with pytest.raises(NotFound):
        place.move("c-nowhere000")
    room.services.trash.trash(room.actor, place.image)
    with pytest.raises((NotFound, NotPermitted)):
        place.move()


def test_nobody_of_the_former_collection_keeps_it(place: Place) -> None:
    room, members = place.room, place.room.services.members
    bob, eve = (room.installation.person(name) for name in ("bob", "eve"))
    members.add(room.actor, place.here, email=bob.email, role="annotator")
    members.add(room.actor, place.there, email=eve.email, role="annotator")
    room.services.tasks.assign(room.actor, place.image, bob.id)
    assert room.services.tasks.next(bob.actor, place.here) is not None
    place.move()
    found = room.services.tasks.next(eve.actor, place.there)
    assert found is not None
    assert (found.image_id, found.assignee) == (place.image, None)
