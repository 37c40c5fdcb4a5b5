"""Handing out pictures on a whole installation: access, derivatives made again, quarantine."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from uuid import uuid4

import pytest
from PIL import Image as Pillow

from app.crypto.context import Role
from app.errors import (
    Gone,
    KeyVaultError,
    NotFound,
    Quarantined,
    StoreUnavailable,
)
from app.services.delivery import Ticket
from app.services.signed_urls import Purpose, SignedView, sign_view
from tests.fixtures import pictures
from tests.fixtures.uploads import PictureRoom, flip, picture

NOW = 1_800_000_000


def side_of(data: bytes) -> int:
    return max(Pillow.open(BytesIO(data)).size)


def test_every_size_on_demand_and_never_larger(room: PictureRoom) -> None:
    stored = room.upload(pictures.jpeg(pictures.photograph(1700, 900)))
    for size in (160, 320, 640, 960, 1280, 1920):
        assert side_of(room.thumbnail(stored.id, size)) == min(size, 1700)
    assert side_of(room.preview(stored.id)) == 1600
    path = room.path(stored.id)
    kept = set(room.blobs())
    assert {path.thumbnail(160), path.thumbnail(1920)} <= kept
    small = room.upload(picture())
    for size in (160, 320, 640, 960, 1280, 1920):
        assert side_of(room.thumbnail(small.id, size)) == 48
    assert side_of(room.preview(small.id)) == 48


@pytest.mark.parametrize("size", [0, 1, 161, 1600, 10**9])
def test_there_is_no_other_size(room: PictureRoom, size: int) -> None:
    stored = room.upload(picture())
    with pytest.raises(NotFound):
        room.thumbnail(stored.id, size)


def test_a_lost_derivative_is_made_again_without_a_word(room: PictureRoom) -> None:
    stored = room.upload(pictures.jpeg(pictures.photograph()))
    path = room.path(stored.id)
    before = room.thumbnail(stored.id, 320)
    room.blob(path.thumbnail(320)).unlink()
    assert room.thumbnail(stored.id, 320) == before
    assert room.blob(path.thumbnail(320)).exists()
    assert room.audited("derivative.damaged") == 0


@pytest.mark.parametrize("at", [0, 9, 20, 60, 100, 130, -1])
def test_a_damaged_derivative_is_made_again_and_recorded(room: PictureRoom, at: int) -> None:
    stored = room.upload(pictures.jpeg(pictures.photograph()))
    path = room.path(stored.id)
    before = room.preview(stored.id)
    flip(room.blob(path.preview), at)
    assert room.preview(stored.id) == before
    assert room.audited("derivative.damaged") == 1
    assert room.preview(stored.id) == before
    assert room.audited("derivative.damaged") == 1, "it is in order now"
    assert room.row(stored.id).status == "ready"


def test_many_who_miss_the_same_size_all_get_it(room: PictureRoom) -> None:
    stored = room.upload(pictures.jpeg(pictures.photograph(1700, 900)))
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda _: room.thumbnail(stored.id, 960), range(8)))
    assert len(set(got)) == 1
    assert side_of(got[0]) == 960


def test_a_damaged_original_is_set_aside_and_the_others_spared(room: PictureRoom) -> None:
    content = picture(7)
    bad, good = room.upload(picture(1)), room.upload(content)
    ticket = room.services.delivery.original(room.actor, bad.id)
    flip(room.blob(room.path(bad.id).original), -1)

    with pytest.raises(Quarantined):
        room.services.delivery.open(ticket)

    assert room.row(bad.id).status == "quarantined"
    delivery = room.services.delivery
    for ask in (
        lambda: delivery.original(room.actor, bad.id),
        lambda: delivery.preview(room.actor, bad.id),
        lambda: delivery.thumbnail(room.actor, bad.id, 320),
        lambda: delivery.stored(
            room.actor, room.access(bad.id).slug, str(room.path(bad.id).stored_name)
        ),
        lambda: delivery.signed(delivery.sign_view(bad.id, 0, NOW + 1), NOW),
    ):
        with pytest.raises(Quarantined):
            ask()
    assert room.original(good.id) == content
    room.thumbnail(good.id, 320)
    assert room.row(good.id).status == "ready"
    assert room.audited("image.quarantined") == 1
    event = room.last_audited("image.quarantined")
    assert event.subject_id == str(bad.id)
    assert event.outcome == "failed"
    assert event.details == {"role": "original", "variant": 0, "code": "decryption_failed"}


def test_damage_is_recorded_once_however_many_meet_it(room: PictureRoom) -> None:
    stored = room.upload(picture())
    ticket = room.services.delivery.original(room.actor, stored.id)
    flip(room.blob(room.path(stored.id).original), 40)

    def meet(_: int) -> bool:
        try:
            room.services.delivery.open(ticket).close()
        except Quarantined:
            return True
        return False

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(meet, range(16)))
    assert room.audited("image.quarantined") == 1


def test_a_derivative_cannot_be_made_of_a_damaged_original(room: PictureRoom) -> None:
    stored = room.upload(picture())
    flip(room.blob(room.path(stored.id).original), -1)
    room.thumbnail(stored.id, 320)  # its own blob is in order
    with pytest.raises(Quarantined):
        room.thumbnail(stored.id, 160)
    assert room.row(stored.id).status == "quarantined"


def test_a_lost_mount_is_not_taken_for_lost_pictures(room: PictureRoom) -> None:
    content = picture()
    stored = room.upload(content)
    ticket = room.services.delivery.original(room.actor, stored.id)
    thumb = room.services.delivery.thumbnail(room.actor, stored.id, 320)
    store = room.installation.settings.store_path
    away = store.with_name("away")
    store.rename(away)
    for empty in (False, True):
        if empty:
            store.mkdir(mode=0o700)
        with pytest.raises(StoreUnavailable):
            room.services.delivery.open(ticket)
        with pytest.raises(StoreUnavailable):
            room.services.delivery.read(thumb)
        assert not room.services.health.report().is_ready
    shutil.rmtree(store)
    away.rename(store)
    assert room.row(stored.id).status == "ready"
    assert room.original(stored.id) == content
    assert room.services.health.report().is_ready


def test_a_lost_vault_quarantines_nothing(room: PictureRoom) -> None:
    content = picture()
    stored = room.upload(content)
    room.installation.house.keys._cache.forget(f"file-{stored.id}")
    vault = room.installation.settings.vault_path
    away = vault.with_name("away")
    vault.rename(away)
    for empty in (False, True):
        if empty:
            vault.mkdir(mode=0o700)
        with pytest.raises(KeyVaultError):
            room.original(stored.id)
        room.installation.house.keys._cache.forget(f"file-{stored.id}")
        report = room.services.health.report()
        assert set(report.problems) == {"vault"}
    vault.rmdir()
    away.rename(vault)
    assert room.row(stored.id).status == "ready"
    assert room.original(stored.id) == content


def test_nobody_else_sees_it(room: PictureRoom) -> None:
    stored = room.upload(picture())
    eve = room.installation.person("eve").actor
    delivery = room.services.delivery
    access = room.access(stored.id)
    for ask in (
        lambda: delivery.original(eve, stored.id),
        lambda: delivery.preview(eve, stored.id),
        lambda: delivery.thumbnail(eve, stored.id, 320),
        lambda: delivery.stored(eve, access.slug, str(access.path.stored_name)),
        lambda: delivery.stored(eve, "c-elsewhere1", str(access.path.stored_name)),
        lambda: delivery.original(room.actor, uuid4()),
        lambda: delivery.stored(room.actor, access.slug, "image_1_" + "0" * 32 + ".bmp"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_a_public_picture_is_seen_and_listed_to_nobody(room: PictureRoom) -> None:
    first, stored = room.upload(picture(1)), room.upload(picture(2), is_public=True)
    room.upload(picture(3))
    eve = PictureRoom(room.installation, "eve")
    assert eve.original(stored.id) == picture(2)
    assert eve.services.library.page(eve.actor, query()).cards == ()
    card = eve.services.library.detail(eve.actor, stored.id).card
    beside = eve.services.library.neighbours(eve.actor, card)
    assert (beside.newer, beside.older) == (None, None)
    assert room.services.library.neighbours(room.actor, card).older == first.id


def query():
    from app.services.listing import ListQuery

    return ListQuery()


def test_the_etag_stays_and_differs_by_role(room: PictureRoom) -> None:
    one, two = room.upload(picture(1)), room.upload(picture(2))
    delivery = room.services.delivery

    def tickets() -> list[Ticket]:
        return [
            delivery.original(room.actor, one.id),
            delivery.original(room.actor, two.id),
            delivery.preview(room.actor, one.id),
            delivery.thumbnail(room.actor, one.id, 320),
            delivery.thumbnail(room.actor, one.id, 640),
        ]

    etags = [ticket.etag for ticket in tickets()]
    assert len(set(etags)) == 5
    assert [ticket.etag for ticket in tickets()] == etags


class TestSigned:
    def test_shows_the_original_until_it_expires(self, room: PictureRoom) -> None:
        stored = room.upload(picture())
        delivery = room.services.delivery
        token = delivery.sign_view(stored.id, 0, NOW)
        ticket, view = delivery.signed(token, NOW - 1)
        assert ticket.is_original
        assert view.purpose is Purpose.VIEW
        with delivery.open(ticket) as blob:
            assert blob.reader.read_all() == picture()
        for late in (NOW, NOW + 10**6):
            with pytest.raises(Gone):
                delivery.signed(token, late)

    def test_a_new_epoch_revokes_it(self, room: PictureRoom) -> None:
        stored = room.upload(picture())
        with pytest.raises(Gone):
            room.services.delivery.signed(
                room.services.delivery.sign_view(stored.id, 1, NOW), NOW - 1
            )

    def test_every_changed_character_is_refused(self, room: PictureRoom) -> None:
        stored = room.upload(picture())
        delivery = room.services.delivery
        token = delivery.sign_view(stored.id, 0, NOW)
        for at, char in enumerate(token):
            for other in "A9_-+/=é ":
                if other != char:
                    with pytest.raises(NotFound):
                        delivery.signed(token[:at] + other + token[at + 1 :], NOW - 1)
        for bent in (token + "=", token + "A", token[:-1], "", "A" * 74, token * 2):
            with pytest.raises(NotFound):
                delivery.signed(bent, NOW - 1)

    def test_a_trashed_or_destroyed_picture_has_no_address(self, room: PictureRoom) -> None:
        stored = room.upload(picture())
        delivery = room.services.delivery
        token = delivery.sign_view(stored.id, 0, NOW)
        room.services.trash.trash(room.actor, stored.id)
        with pytest.raises(NotFound):
            delivery.signed(token, NOW - 1)
        room.services.trash.restore(room.actor, stored.id)
        delivery.signed(token, NOW - 1)
        room.services.trash.destroy(room.actor, stored.id)
        with pytest.raises(NotFound):
            delivery.signed(token, NOW - 1)

    def test_a_thumbnail_may_be_signed_too(self, room: PictureRoom) -> None:
        stored = room.upload(picture())
        view = SignedView(stored.id, Role.THUMBNAIL, 320, Purpose.DOWNLOAD, 0, NOW)
        ticket, read = room.services.delivery.signed(
            sign_view(view, room.services.roots), NOW - 1
        )
        assert read == view
        assert room.services.delivery.read(ticket) == room.thumbnail(stored.id, 320)
