"""From its time on a picture is in the trash for everybody, before anybody moves it there."""

from __future__ import annotations

import time
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from app.db.times import utc_now
from app.errors import NotFound, NotPermitted
from app.models import Job
from app.services.cursor import decode_cursor
from app.services.listing import ListQuery
from tests.fixtures.uploads import PictureRoom, picture


@pytest.fixture
def shared(room: PictureRoom) -> str:
    """A collection of ann's in which bob is a viewer."""
    slug = room.services.collections.create(room.actor, name="Shared").slug
    email = room.installation.person("bob").email
    room.services.members.add(room.actor, slug, email=email, role="viewer")
    return slug


@pytest.fixture(params=[False, True], ids=["before the sweep", "after it"])
def gone(request, room: PictureRoom, shared: str) -> UUID:
    """A picture whose time has run out; everything must be alike before and after the sweep."""
    later = utc_now() + timedelta(days=1)
    image_id = room.upload(picture(9), collection=shared, expires_at=later, tags=("sea",)).id
    assert room.services.delivery.original(room.actor, image_id)
    room.run_out(image_id)
    if request.param:
        assert room.services.trash.expire() == 1
    return image_id


def listed(room: PictureRoom, actor, **query: object) -> list[UUID]:
    tag = query.pop("tag", None)
    page = room.services.library.page(actor, ListQuery(**query), tag=tag)
    return [card.id for card in page.cards]


def test_a_viewer_finds_nothing(room: PictureRoom, gone: UUID) -> None:
    bob, services = room.installation.person("bob").actor, room.services
    for ask in (
        services.library.detail,
        services.delivery.original,
        services.delivery.preview,
        services.annotations.get,
    ):
        with pytest.raises(NotFound):
            ask(bob, gone)
    stored_name = str(room.path(gone).stored_name)
    with pytest.raises(NotFound):
        services.delivery.stored(bob, room.access(gone).slug, stored_name)
    token = services.delivery.sign_view(gone, 0, int(time.time()) + 60)
    with pytest.raises(NotFound):
        services.delivery.signed(token, int(time.time()))


def test_it_is_in_the_trash_and_in_no_other_list(room: PictureRoom, gone: UUID) -> None:
    beside = room.upload(picture(1), collection=room.access(gone).slug)
    assert listed(room, room.actor) == [beside.id]
    assert listed(room, room.actor, tag="sea") == []
    assert listed(room, room.actor, trashed=True) == [gone]
    assert listed(room, room.actor, trashed=True, tag="sea") == [gone]
    card = room.services.library.detail(room.actor, beside.id).card
    assert room.services.library.neighbours(room.actor, card).older is None
    assert room.services.library.total(room.actor) == 1
    progress = room.services.collections.progress(room.actor, room.access(gone).slug)
    assert sum(progress.values()) == 1


def test_who_may_restore_it_sees_it_there(room: PictureRoom, gone: UUID) -> None:
    card = room.services.library.detail(room.actor, gone).card
    assert (card.status, card.trashed_at) == ("trashed", card.expires_at)
    assert room.original(gone) == picture(9)
    with pytest.raises(NotPermitted):
        room.services.tags.replace(room.actor, gone, ["new"])


def test_restored_it_stays(room: PictureRoom, gone: UUID) -> None:
    card = room.services.trash.restore(room.actor, gone)
    assert (card.status, card.expires_at, card.trashed_at) == ("ready", None, None)
    assert room.services.trash.expire() == 0
    assert listed(room, room.actor) == [gone]
    assert room.services.library.total(room.actor) == room.left().months == 1
    assert (room.audited("image.expire"), room.audited("image.restore")) == (1, 1)


@pytest.mark.parametrize("days", [None, 3])
def test_uploaded_again_it_is_kept_as_long_as_is_said_now(
    room: PictureRoom, gone: UUID, days: int | None
) -> None:
    until = None if days is None else utc_now() + timedelta(days=days)
    slug = room.access(gone).slug
    again = room.upload(picture(9), collection=slug, expires_at=until)
    assert (again.id, again.duplicate) == (gone, True)
    assert room.row(gone).expires_at == until
    assert listed(room, room.actor) == [gone]
    assert room.left().months == 1


def test_put_into_the_trash_again_or_destroyed(room: PictureRoom, gone: UUID) -> None:
    removal = room.services.trash.trash(room.actor, gone)
    assert removal.status == "trashed"
    assert removal.destroyed_at > utc_now() + timedelta(days=29)
    assert room.left().months == 0
    assert room.audited("image.trash") == 0
    room.services.trash.destroy(room.actor, gone)
    left = room.left()
    assert (left.rows["images"], left.months, left.quota) == (0, 0, 0)


def test_destroyed_before_the_sweep_it_is_counted_once(room: PictureRoom) -> None:
    stored = room.upload(picture())
    room.run_out(stored.id)
    room.services.trash.destroy(room.actor, stored.id)
    assert (room.left().months, room.left().rows["images"]) == (0, 0)
    assert room.services.trash.expire() == 0


def test_the_sweep_moves_what_is_due_and_nothing_else(room: PictureRoom) -> None:
    ids = [room.upload(picture(n)).id for n in range(4)]
    due = [room.run_out(ids[0], ago=40 * 86400), room.run_out(ids[1])]
    room.run_out(ids[2], ago=-3600)
    before = utc_now()
    assert (room.services.trash.expire(), room.services.trash.expire()) == (2, 0)
    rows = [room.row(one) for one in ids]
    assert [row.trashed_at for row in rows] == [*due, None, None]
    assert all(row.destroy_at >= before + timedelta(days=30) for row in rows[:2])
    assert room.services.trash.destroy_due() == 0, "a long standstill destroys nothing"
    assert (room.left().months, room.audited("image.expire")) == (2, 2)
    event = room.last_audited("image.expire")
    assert (event.actor_id, event.subject_id) == (None, str(ids[1]))


def test_a_sweep_of_nothing_writes_nothing(room: PictureRoom, monkeypatch) -> None:
    room.upload(picture())
    monkeypatch.setattr(room.installation.house.uow, "write", None)
    assert room.services.trash.expire() == 0


def test_a_trashed_picture_keeps_the_time_that_is_to_come(room: PictureRoom) -> None:
    stored = room.upload(picture())
    until = room.run_out(stored.id, ago=-3600)
    room.services.trash.trash(room.actor, stored.id)
    assert room.services.trash.restore(room.actor, stored.id).expires_at == until


def test_the_trash_pages_through_both_kinds(room: PictureRoom) -> None:
    """What was put there and what ran out are one list, by the moment they came there."""
    ids = [room.upload(picture(n)).id for n in range(6)]
    for n, image_id in enumerate(ids):
        room.run_out(image_id, ago=10 * (6 - n))
    with room.installation.house.uow.write() as session:
        for image_id in ids[::2]:
            assert room.services.trash._take_in(session, image_id, utc_now())
    found, cursor = [], None
    for _ in range(6):
        query = ListQuery(trashed=True, limit=1, cursor=cursor)
        page = room.services.library.page(room.actor, query)
        found += [card.id for card in page.cards]
        cursor = decode_cursor(page.next_cursor)
    assert found == ids[::-1]
    assert cursor is None


def test_the_periodic_job_moves_it_within_its_minute(room: PictureRoom) -> None:
    house = room.installation.house
    first, second = (room.upload(picture(n)).id for n in range(2))
    room.run_out(first)
    house.jobs.queue.run_due()
    assert room.row(first).trashed_at is not None
    room.run_out(second)
    house.jobs.queue.run_due()
    assert room.row(second).trashed_at is None, "once a minute is enough"
    with house.uow.write() as session:
        session.execute(update(Job).values(created_at=utc_now() - timedelta(minutes=1)))
    house.jobs.queue.run_due()
    assert room.row(second).trashed_at is not None
