"""Who has seen a picture: recorded when its page is opened, told to whom it concerns."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import event

from app.domain.access import Actor
from app.errors import StoreFull
from app.services.image_access import image_by_id
from app.services.views import MOST, Views
from tests.fixtures.database import Clock
from tests.fixtures.uploads import PictureRoom, picture


@pytest.fixture
def shared(room: PictureRoom) -> str:
    return room.services.collections.create(room.actor, name="Shared").slug


def member(room: PictureRoom, slug: str, name: str, role: str) -> Actor:
    account = room.installation.person(name)
    room.services.members.add(room.actor, slug, email=account.email, role=role)
    return account.actor


def seen_by(room: PictureRoom, actor: Actor, image_id: UUID) -> list[str | None]:
    with room.installation.house.uow.read() as session:
        found = image_by_id(session, actor, image_id)
    assert found is not None
    return [view.name for view in room.services.views.of(actor, image_id, found.facts)]


def test_the_latest_first_and_everybody_once(room: PictureRoom, shared: str) -> None:
    stored = room.upload(picture(), collection=shared)
    for name in ("bob", "eve"):
        room.services.views.note(member(room, shared, name, "viewer"), stored.id)
    assert seen_by(room, room.actor, stored.id) == ["Eve", "Bob"]
    assert room.services.audit.verify().broken_at is None


def test_looking_again_within_a_day_writes_nothing(room: PictureRoom) -> None:
    house, stored = room.installation.house, room.upload(picture())
    clock = Clock()
    views = Views(house.uow, house.audit, clock)
    house.audit._clock = clock
    for hours, expected in ((0, 1), (23, 1), (2, 2), (1, 2)):
        clock.advance(hours=hours)
        views.note(room.actor, stored.id)
        assert room.audited("image.view") == expected
    views.note(room.actor, room.upload(picture(1)).id)
    assert room.audited("image.view") == 3
    (view,) = views.of(room.actor, stored.id, room.access(stored.id).facts)
    assert view.at == clock.now - timedelta(hours=1)


def test_whom_it_does_not_concern_learns_nothing(room: PictureRoom, shared: str) -> None:
    stored = room.upload(picture(), collection=shared)
    room.services.views.note(room.actor, stored.id)
    for role in ("viewer", "annotator", "reviewer", "editor"):
        assert seen_by(room, member(room, shared, role, role), stored.id) == []
    editor = PictureRoom(room.installation, "editor")
    own = editor.upload(picture(1), collection=shared)
    room.services.views.note(room.actor, own.id)
    assert seen_by(room, editor.actor, own.id) == ["Ann"]
    assert seen_by(room, room.actor, own.id) == ["Ann"]
    admin = Actor(room.installation.person("zoe").id, is_admin=True)
    assert seen_by(room, admin, stored.id) == []


def test_many_viewers_are_one_query(room: PictureRoom, shared: str) -> None:
    stored = room.upload(picture(), collection=shared)
    names = [f"v{n}" for n in range(MOST + 2)]
    for name in names:
        room.services.views.note(member(room, shared, name, "viewer"), stored.id)
    facts = room.access(stored.id).facts
    statements: list[str] = []
    engine = room.installation.house.engine
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    found = room.services.views.of(room.actor, stored.id, facts)
    assert [view.name for view in found] == [name.title() for name in names[::-1][:MOST]]
    assert len(statements) == 1


def test_a_name_that_is_damaged_hides_nobody(room: PictureRoom, shared: str) -> None:
    stored = room.upload(picture(), collection=shared)
    bob = member(room, shared, "bob", "viewer")
    room.services.views.note(bob, stored.id)
    with sqlite3.connect(room.installation.instance / "darkroom.db") as direct:
        (token,) = direct.execute(
            "SELECT name FROM users WHERE id = ?", (bob.user_id.hex,)
        ).fetchone()
        bent = token[:-1] + bytes([token[-1] ^ 1])
        direct.execute("UPDATE users SET name = ? WHERE id = ?", (bent, bob.user_id.hex))
    direct.close()
    assert seen_by(room, room.actor, stored.id) == [None]


def test_a_full_disk_keeps_nobody_from_looking(room: PictureRoom, monkeypatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreFull("The disk is full.")

    stored = room.upload(picture())
    browser = room.installation.browser()
    monkeypatch.setattr(room.services.audit, "append", full)
    assert browser.get(f"/images/{stored.id}").status_code == 200


def test_pages_record_and_show_it(room: PictureRoom, shared: str) -> None:
    stored = room.upload(picture(), collection=shared)
    first, second = (room.upload(picture(n), collection=shared).id for n in (1, 2))
    member(room, shared, "bob", "viewer")
    bob = room.installation.browser("bob")
    for path in ("thumb/320", "preview", "original"):
        assert bob.get(f"/images/{stored.id}/{path}").status_code == 200
    assert room.audited("image.view") == 0, "media requests write nothing"
    assert "Seen by" not in bob.get(f"/images/{first}").text
    assert bob.get(f"/images/{second}/annotate").status_code == 200
    assert room.installation.browser("eve").get(f"/images/{first}").status_code == 404
    ann = room.installation.browser("ann")
    for image_id in (first, second):
        page = ann.get(f"/images/{image_id}").text
        assert "<dt>Seen by</dt><dd>Ann, " in page
        assert "Bob, <time" in page
        assert "Eve" not in page
    assert "Bob" not in ann.get(f"/images/{stored.id}").text
