"""Out of sight, back again, and gone for good, on a whole installation."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.db.times import utc_now
from app.errors import KeyVaultUnavailable, NotFound, NotPermitted, StoreUnavailable
from app.services.listing import ListQuery
from tests.fixtures.upkeep import tidy_up
from tests.fixtures.uploads import PictureRoom, picture


def test_trash_and_restore_change_one_row(room: PictureRoom) -> None:
    stored = room.upload(picture(), tags=("sea",))
    before = room.left()
    removal = room.services.trash.trash(room.actor, stored.id)
    again = room.services.trash.trash(room.actor, stored.id)
    assert removal == again
    assert timedelta(days=29) < removal.destroyed_at - utc_now() <= timedelta(days=30)
    assert room.left().months == before.months - 1
    assert room.original(stored.id) == picture(), "who may restore it may look at it"
    listed = room.services.library.page(room.actor, ListQuery(trashed=True)).cards
    assert [card.id for card in listed] == [stored.id]
    room.services.trash.restore(room.actor, stored.id)
    assert room.left() == before
    with pytest.raises(NotPermitted):
        room.services.trash.restore(room.actor, stored.id)
    assert (room.audited("image.trash"), room.audited("image.restore")) == (1, 1)


@pytest.mark.parametrize("first_to_trash", [False, True])
def test_nothing_is_left_of_a_destroyed_picture(
    room: PictureRoom, first_to_trash: bool
) -> None:
    room.upload(picture(1), tags=("both",))
    before = room.left()
    stored = room.upload(picture(2), tags=("both", "only here"))
    room.thumbnail(stored.id, 160)
    if first_to_trash:
        room.services.trash.trash(room.actor, stored.id)
    removal = room.services.trash.destroy(room.actor, stored.id)
    assert (removal.id, removal.status) == (stored.id, "destroyed")
    assert room.left() == before
    assert room.audited("image.destroy") == 1
    with pytest.raises(NotFound):
        room.services.trash.destroy(room.actor, stored.id)
    fresh = room.upload(picture(2))
    assert not fresh.duplicate


def test_the_key_goes_first(room: PictureRoom, monkeypatch) -> None:
    """With the store down, the key is gone all the same, and so is the picture from sight."""
    stored = room.upload(picture())
    store = room.services.trash._store
    monkeypatch.setattr(
        store, "discard", lambda _: _raise(StoreUnavailable("The disk is away."))
    )
    with pytest.raises(StoreUnavailable):
        room.services.trash.destroy(room.actor, stored.id)
    left = room.left()
    assert left.keys == frozenset()
    assert left.months == 0
    assert len(left.files) == 5
    assert room.services.library.page(room.actor, ListQuery()).cards == ()
    monkeypatch.undo()
    assert room.services.trash.finish_destructions() == 1
    after = room.left()
    assert (after.files, after.rows["images"], after.quota) == (frozenset(), 0, 0)


def test_an_unfinished_destruction_is_seen_by_nobody(room: PictureRoom, monkeypatch) -> None:
    first, stored = room.upload(picture(1)), room.upload(picture(2), tags=("x",))
    card = room.services.library.detail(room.actor, first.id).card
    vault = room.installation.house.vault
    monkeypatch.setattr(
        vault, "delete", lambda _: _raise(KeyVaultUnavailable("The vault is away."))
    )
    with pytest.raises(KeyVaultUnavailable):
        room.services.trash.destroy(room.actor, stored.id)
    library = room.services.library
    assert [c.id for c in library.page(room.actor, ListQuery()).cards] == [first.id]
    assert library.page(room.actor, ListQuery(), tag="x").cards == ()
    assert library.page(room.actor, ListQuery(trashed=True)).cards == ()
    assert library.neighbours(room.actor, card).newer is None
    assert library.total(room.actor) == 1
    with pytest.raises(NotFound):
        library.detail(room.actor, stored.id)
    again = room.upload(picture(2))
    assert not again.duplicate, "the same bytes may come back while the old ones go"
    monkeypatch.undo()
    tidy_up(room.installation.house)
    assert room.left().rows["images"] == 2
    assert room.original(again.id) == picture(2)


def test_what_is_due_is_destroyed_and_nothing_else(room: PictureRoom) -> None:
    ids = [room.upload(picture(n)).id for n in range(3)]
    room.services.trash.trash(room.actor, ids[0])
    room.services.trash.trash(room.actor, ids[1])
    assert room.services.trash.destroy_due() == 0
    with room.installation.house.uow.write() as session:
        session.execute(
            text("UPDATE images SET destroy_at = :past WHERE id = :id"),
            {"past": "2020-01-01 00:00:00.000000", "id": ids[0].hex},
        )
    assert room.services.trash.destroy_due() == 1
    assert room.row(ids[0]) is None
    assert room.row(ids[1]).trashed_at is not None
    assert room.row(ids[2]).trashed_at is None
    assert room.left().keys == {f"file-{ids[1]}.json", f"file-{ids[2]}.json"}


def test_a_picture_whose_card_is_damaged_can_be_destroyed(room: PictureRoom) -> None:
    stored = room.upload(picture())
    bend_card(room, stored.id)
    room.services.trash.trash(room.actor, stored.id)
    room.services.trash.restore(room.actor, stored.id)
    room.services.trash.destroy(room.actor, stored.id)
    assert room.left().rows["images"] == 0


def test_who_may_not_destroy(room: PictureRoom) -> None:
    shared = room.services.collections.create(room.actor, name="Shared")
    stored = room.upload(picture(), collection=shared.slug)
    bob = PictureRoom(room.installation, "bob")
    with pytest.raises(NotFound):
        bob.services.trash.destroy(bob.actor, stored.id)
    email = room.installation.person("bob").email
    room.services.members.add(room.actor, shared.slug, email=email, role="editor")
    with pytest.raises(NotPermitted):
        bob.services.trash.destroy(bob.actor, stored.id)
    bob.services.trash.trash(bob.actor, stored.id)
    own = bob.upload(picture(5), collection=shared.slug)
    bob.services.trash.destroy(bob.actor, own.id)
    assert bob.left().quota == 0


def bend_card(room: PictureRoom, image_id) -> None:
    database = room.installation.instance / "darkroom.db"
    with sqlite3.connect(database) as direct:
        (token,) = direct.execute(
            "SELECT card FROM images WHERE id = ?", (image_id.hex,)
        ).fetchone()
        bent = token[:-1] + bytes([token[-1] ^ 1])
        direct.execute("UPDATE images SET card = ? WHERE id = ?", (bent, image_id.hex))
    direct.close()


def _raise(error: BaseException) -> None:
    raise error
