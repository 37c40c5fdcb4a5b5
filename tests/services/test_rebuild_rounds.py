"""Rounds of double annotation in a database that was made anew: nobody's boxes are lost."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from app.services.agreement.rounds import Draw
from app.storage.object_paths import DIRECTORY_RECORD
from app.wiring import House
from tests.fixtures.uploads import PictureRoom, picture
from tests.services.test_rebuild import BOX, fresh, lose, rebuild

Open = tuple[PictureRoom, str, UUID, UUID]


@pytest.fixture
def labelled(room: PictureRoom) -> Open:
    """Two people have a copy of one picture: one submitted it, one is in the middle of it."""
    site, services, ann = room.installation, room.services, room.actor
    slug = services.collections.create(ann, name="Cars").slug
    bob = site.person("bob")
    services.members.add(ann, slug, email=bob.email, role="annotator")
    image = room.upload(picture(1), collection=slug).id
    people = (ann.user_id, bob.id)
    started = services.rounds.make(ann, slug, Draw("both", people, images=(image,)))
    for who, label in ((ann, "car"), (bob.actor, "bus")):
        copy = services.rounds.mine(who, slug, started, image)
        op = {"op": "add", "id": str(uuid4()), "label": label, "box": BOX}
        services.copies.patch(who, copy, {"ops": [op]})
    services.copies.submit(ann, services.rounds.mine(ann, slug, started, image))
    services.records.run()
    return room, slug, started, image


def on_copy(house: House, who: str, opened: Open) -> tuple[str, list[str]]:
    """The state of one's own copy, and the classes on it."""
    room, slug, started, image = opened
    actor = room.installation.person(who).actor
    copy = house.services.rounds.mine(actor, slug, started, image)
    found = house.services.copies.get(actor, copy)
    return found.state.value, [each.label for each in found.annotations]


def test_both_go_on_where_they_were(labelled: Open) -> None:
    room = labelled[0]
    before = [on_copy(room.installation.house, who, labelled) for who in ("ann", "bob")]
    assert before == [("done", ["car"]), ("in_progress", ["bus"])]
    lose(room.installation)
    report = rebuild(room.installation)
    assert report.is_whole
    assert (report.rows["round"], report.rows["copy"]) == (1, 2)
    house = fresh(room.installation)
    assert [on_copy(house, who, labelled) for who in ("ann", "bob")] == before
    _, slug, started, image = labelled
    bob = room.installation.person("bob").actor
    house.services.copies.submit(bob, house.services.rounds.mine(bob, slug, started, image))
    view = house.services.rounds.of(room.actor, slug, started)
    assert (view.name, view.iou) == ("both", 0.5)


def test_without_the_directory_copies_find_a_round(labelled: Open) -> None:
    room = labelled[0]
    room.blob(DIRECTORY_RECORD).unlink()
    lose(room.installation)
    report = rebuild(room.installation)
    assert (report.directory, report.failed) == ("missing", 0)
    assert report.stand_ins == {"account": 2, "collection": 1, "label": 2, "round": 1}
    assert report.rows["copy"] == 2
