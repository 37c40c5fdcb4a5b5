"""Uploads on a whole installation: what is stored, in what order, what a refusal leaves."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO

import pytest

from app.crypto.context import Role
from app.domain.access import ANONYMOUS
from app.errors import (
    AuthenticationFailed,
    Conflict,
    DarkroomError,
    DatabaseUnavailable,
    FileTooLarge,
    InvalidInput,
    KeyVaultUnavailable,
    NotFound,
    NotPermitted,
    QuotaExceeded,
    StoreFull,
    UndecodableMedia,
    UnsupportedType,
)
from app.services.collections import CollectionEdit
from app.services.examination import Offer
from app.services.new_image import Wishes
from tests.fixtures import pictures
from tests.fixtures.uploads import PictureRoom, picture


def test_a_picture_is_stored_whole(room: PictureRoom) -> None:
    content = pictures.camera_jpeg(pictures.photograph(), orientation=6)
    before = room.left()

    stored = room.upload(content, "Urlaub am Meer.jpg", tags=("sea", "Sea", "summer"))

    assert (stored.duplicate, stored.size, stored.mime_type) == (
        False,
        len(content),
        "image/jpeg",
    )
    assert (stored.width, stored.height) == (400, 300)
    assert room.original(stored.id) == content
    after = room.left()
    assert after.rows == {
        "images": 1,
        "file_keys": 1,
        "image_tags": 2,
        "tags": 2,
        "annotations": 0,
    }
    path = room.path(stored.id)
    assert after.files - before.files == {
        path.original,
        path.sidecar,
        path.thumbnail(320),
        path.thumbnail(640),
        path.preview,
    }
    assert after.keys == {f"file-{stored.id}.json"}
    assert after.quota - before.quota == len(content)
    assert after.months - before.months == 1
    detail = room.services.library.detail(room.actor, stored.id)
    assert detail.tags == ("sea", "summer")
    assert detail.meta["sha256"] == hashlib.sha256(content).hexdigest()
    assert detail.meta["taken_at"] == pictures.TAKEN_AT
    assert detail.card.name == "Urlaub am Meer.jpg"
    assert room.audited("image.upload") == 1


def test_the_private_collection_is_the_default(room: PictureRoom) -> None:
    stored = room.upload(picture())
    (place,) = room.services.library.places(room.actor)
    assert room.row(stored.id).collection_id == place.id


def test_sidecar_and_blob_come_before_the_row(room: PictureRoom, monkeypatch) -> None:
    """When the row is about to be committed, everything that it points at is on the disk."""
    seen: list[set[str]] = []
    rows = room.services.ingest._rows
    add = rows.add

    def look(session, actor, image, path, key, facts):
        seen.append({name.rpartition(".bmp")[2] for name in room.blobs()})
        assert f"file-{image.id}.json" in set(room.file_keys())
        add(session, actor, image, path, key, facts)

    monkeypatch.setattr(rows, "add", look)
    room.upload(picture())
    assert seen == [{".enc", ".enc.meta", ".thumb-320.enc", ".thumb-640.enc", ".preview.enc"}]


REFUSED = [
    pytest.param(b"", {}, InvalidInput, id="empty"),
    pytest.param(b"%PDF-1.7 and more than enough", {}, UnsupportedType, id="no picture"),
    pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'/>", {}, UnsupportedType, id="svg"),
    pytest.param(b"\0\0\0\x18ftypmp42" + bytes(100), {}, UnsupportedType, id="clip"),
    pytest.param(pictures.png()[:90], {}, UndecodableMedia, id="cut"),
    pytest.param(pictures.png_of_claimed_size(60000, 60000), {}, UndecodableMedia, id="bomb"),
    pytest.param(picture(), {"tags": ("a\0b",)}, InvalidInput, id="a tag with NUL"),
    pytest.param(
        picture(), {"tags": tuple(f"t{n}" for n in range(65))}, Conflict, id="65 tags"
    ),
    pytest.param(picture(), {"collection": "c-nowhere000"}, NotFound, id="no collection"),
]


@pytest.mark.parametrize(("content", "wishes", "kind"), REFUSED)
def test_nothing_is_left_of_what_is_refused(
    room: PictureRoom, content: bytes, wishes: dict, kind: type[DarkroomError]
) -> None:
    room.upload(picture(9))
    before = room.left()
    with pytest.raises(kind) as refusal:
        room.upload(content, "secret-name.png", **wishes)
    assert refusal.value.message.endswith(".")
    assert "secret-name" not in refusal.value.message
    assert room.left() == before


def test_too_many_tags_are_told_as_such(room: PictureRoom) -> None:
    with pytest.raises(Conflict, match="64 tags"):
        room.upload(picture(), tags=tuple(f"t{n}" for n in range(65)))


def test_a_file_over_the_limit_is_refused(install) -> None:
    room = PictureRoom(install(UPLOAD_MAX_SIZE="1000"))
    before = room.left()
    large = pictures.png(pictures.photograph(64, 64))
    with pytest.raises(FileTooLarge):
        room.upload(large)
    with pytest.raises(FileTooLarge):
        room.services.ingest.accept(
            room.actor, Offer("a.png", BytesIO(b"x"), 1, overflowed=True), Wishes()
        )
    assert room.left() == before


def test_the_quota_is_exact(install) -> None:
    content = picture(1)
    room = PictureRoom(install(QUOTA_DEFAULT=str(2 * len(content) - 1)))
    first = room.upload(content)
    before = room.left()
    assert room.services.ingest.room_left(room.actor) == len(content) - 1
    other = picture(2)
    with pytest.raises(QuotaExceeded):
        room.upload(other)
    assert room.left() == before
    assert room.upload(content).duplicate, "a known file needs no room"
    room.services.trash.destroy(room.actor, first.id)
    assert room.left().quota == 0
    room.upload(other)


def test_uploads_at_once_never_pass_the_quota(install) -> None:
    contents = [picture(n << 4) for n in range(8)]
    size = max(map(len, contents))
    room = PictureRoom(install(QUOTA_DEFAULT=str(3 * size)))
    room.left()  # makes the account

    def attempt(content: bytes) -> bool:
        try:
            room.upload(content)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        stored = sum(pool.map(attempt, contents))
    left = room.left()
    assert stored == left.rows["images"] == len(left.keys) == left.rows["file_keys"]
    assert 3 <= stored < 8
    assert left.quota <= 3 * size
    assert len(left.files) == 5 * stored


def test_twins_at_the_same_time_are_one_picture(room: PictureRoom) -> None:
    content = pictures.jpeg(pictures.photograph(120, 90))
    room.left()  # makes the account
    start = threading.Barrier(8)

    def upload(number: int):
        start.wait()
        return room.upload(content, f"copy-{number}.jpg", tags=("twin",))

    with ThreadPoolExecutor(8) as pool:
        stored = list(pool.map(upload, range(8)))
    assert len({one.id for one in stored}) == 1
    assert [one.duplicate for one in stored].count(False) == 1
    left = room.left()
    assert left.rows["images"] == left.rows["file_keys"] == len(left.keys) == 1
    assert len(left.files) == 5
    assert left.quota == len(content)
    assert left.months == 1
    assert room.original(stored[0].id) == content


def test_a_twin_brings_the_picture_back_from_the_trash(room: PictureRoom) -> None:
    content = picture()
    first = room.upload(content)
    room.services.trash.trash(room.actor, first.id)
    again = room.upload(content, "other.png")
    assert (again.id, again.duplicate, again.name) == (first.id, True, "holiday.png")
    assert room.row(first.id).trashed_at is None
    assert room.left().months == 1
    assert room.audited("image.restore") == 1


def test_a_twin_of_what_is_being_destroyed_is_stored_anew(
    room: PictureRoom, monkeypatch
) -> None:
    content = picture()
    first = room.upload(content)
    trash = room.services.trash
    back = trash.bring_back

    def too_late(actor, image_id, keep_until=None):
        trash.destroy(room.actor, image_id)
        return back(actor, image_id, keep_until)

    monkeypatch.setattr(trash, "bring_back", too_late)
    again = room.upload(content, "other.png")
    assert again.id != first.id
    assert (again.duplicate, again.name) == (False, "other.png")
    assert room.original(again.id) == content
    left = room.left()
    assert left.rows["images"] == left.rows["file_keys"] == len(left.keys) == 1
    assert left.quota == len(content)


def test_a_twin_that_went_after_it_was_quicker_is_stored_anew(
    room: PictureRoom, monkeypatch
) -> None:
    """Neither found before the upload nor, after the conflict with it, any more."""
    content = picture()
    first = room.upload(content)
    rows = room.services.ingest._rows
    real, unseen = rows.duplicate, [None, None]

    def find(*asked):
        if unseen:
            if len(unseen) == 1:
                room.services.trash.destroy(room.actor, first.id)
            return unseen.pop()
        return real(*asked)

    monkeypatch.setattr(rows, "duplicate", find)
    again = room.upload(content)
    assert (again.duplicate, again.id != first.id) == (False, True)
    assert room.left().rows["images"] == len(room.left().keys) == 1


def test_a_twin_that_keeps_going_is_a_conflict_to_try_again(
    room: PictureRoom, monkeypatch
) -> None:
    stored = room.upload(picture())
    before = room.left()
    monkeypatch.setattr(
        room.services.trash, "bring_back", lambda *_: _raise(NotFound("There is nothing here."))
    )
    with pytest.raises(Conflict, match="Upload it again"):
        room.upload(picture())
    assert room.left() == before
    assert room.row(stored.id).status == "ready"


def test_twins_and_destructions_at_the_same_time(room: PictureRoom) -> None:
    """Whoever uploads while others destroy has a picture or a conflict, never a 404."""
    content = picture()
    room.upload(content)

    def come_and_go(number: int) -> bool:
        try:
            stored = room.upload(content, f"{number}.bmp")
        except Conflict:
            return False
        with suppress(NotFound):
            room.services.trash.destroy(room.actor, stored.id)
        return True

    with ThreadPoolExecutor(6) as pool:
        assert any(pool.map(come_and_go, range(24)))
    left = room.left()
    assert left.rows["images"] == left.rows["file_keys"] == len(left.keys)
    assert len(left.files) == 5 * left.rows["images"]


def test_the_same_bytes_in_two_collections_are_two_pictures(room: PictureRoom) -> None:
    other = room.services.collections.create(room.actor, name="Other")
    first, second = room.upload(picture()), room.upload(picture(), collection=other.slug)
    assert first.id != second.id
    assert not second.duplicate
    one, two = room.row(first.id), room.row(second.id)
    assert one.dedupe != two.dedupe, "equal files do not show across collections"


def test_a_damaged_twin_is_not_passed_off_as_stored(room: PictureRoom) -> None:
    content = picture()
    stored = room.upload(content)
    room.blob(room.path(stored.id).original).write_bytes(b"")
    with pytest.raises(Conflict):
        room.original(stored.id)
    with pytest.raises(Conflict, match="damaged"):
        room.upload(content)
    room.services.trash.destroy(room.actor, stored.id)
    fresh = room.upload(content)
    assert not fresh.duplicate
    assert room.original(fresh.id) == content


def test_a_try_out_stores_nothing(room: PictureRoom) -> None:
    before = room.left()
    content = picture()
    offer = Offer("a.png", BytesIO(content), len(content))
    assert room.services.ingest.try_out(room.actor, offer, Wishes()) is False
    assert room.left() == before
    room.upload(content)
    assert room.services.ingest.try_out(room.actor, offer, Wishes()) is True


def test_nobody_and_viewers_store_nothing(room: PictureRoom) -> None:
    offer = Offer("a.png", BytesIO(picture()), len(picture()))
    with pytest.raises(AuthenticationFailed):
        room.services.ingest.accept(ANONYMOUS, offer, Wishes())
    shared = room.services.collections.create(room.actor, name="Shared")
    eve = room.installation.person("eve")
    wishes = Wishes(collection=shared.slug)
    with pytest.raises(NotFound):
        room.services.ingest.accept(eve.actor, offer, wishes)
    room.services.members.add(room.actor, shared.slug, email=eve.email, role="viewer")
    with pytest.raises(NotPermitted):
        room.services.ingest.accept(eve.actor, offer, wishes)
    assert room.left().rows["images"] == 0


def test_a_collection_that_goes_while_the_file_is_decoded_takes_nothing(
    room: PictureRoom, monkeypatch
) -> None:
    shared = room.services.collections.create(room.actor, name="Shared")
    examination = room.services.ingest._examination
    examine = examination.examine

    def slowly(*args):
        found = examine(*args)
        room.services.collections.remove(room.actor, shared.slug)
        return found

    monkeypatch.setattr(examination, "examine", slowly)
    before = room.left()
    with pytest.raises(NotFound):
        room.upload(picture(), collection=shared.slug)
    assert room.left() == before


@pytest.mark.parametrize("what", ["thumbnail", "sidecar", "commit", "vault"])
def test_a_failure_on_the_way_takes_everything_back(
    room: PictureRoom, monkeypatch, what: str
) -> None:
    before = room.left()
    ingest = room.services.ingest
    if what == "thumbnail":
        real = ingest._store.seal_derivative

        def fail(path, image_id, dek, version, role, variant, data):
            if role is Role.PREVIEW:
                raise StoreFull("No space left.")
            return real(path, image_id, dek, version, role, variant, data)

        monkeypatch.setattr(ingest._store, "seal_derivative", fail)
        kind = StoreFull
    elif what == "sidecar":
        monkeypatch.setattr(
            ingest._store, "write_sidecar", lambda *_, **__: _raise(StoreFull("No space left."))
        )
        kind = StoreFull
    elif what == "commit":
        monkeypatch.setattr(
            ingest._rows._audit, "append", lambda *_, **__: _raise(DatabaseUnavailable("Down."))
        )
        kind = DatabaseUnavailable
    else:
        monkeypatch.setattr(
            ingest._keys._vaulting.vault,
            "put",
            lambda *_, **__: _raise(KeyVaultUnavailable("Down.")),
        )
        kind = KeyVaultUnavailable
    with pytest.raises(kind):
        room.upload(picture(), tags=("a",))
    monkeypatch.undo()
    assert room.left() == before
    assert room.upload(picture()).duplicate is False


def test_what_cannot_be_taken_back_is_unreadable_or_reported(
    room: PictureRoom, monkeypatch
) -> None:
    """The vault fails when the key is taken away: the blobs go all the same."""
    ingest = room.services.ingest
    monkeypatch.setattr(ingest._rows, "add", lambda *_: _raise(DatabaseUnavailable("Down.")))
    monkeypatch.setattr(
        ingest._keys._vaulting.vault, "delete", lambda *_: _raise(KeyVaultUnavailable("Down."))
    )
    before = room.left()
    with pytest.raises(DatabaseUnavailable):
        room.upload(picture())
    assert room.left().files == before.files


def test_a_capture_time_orders_where_the_collection_says_so(room: PictureRoom) -> None:
    shared = room.services.collections.create(room.actor, name="By day")
    room.services.collections.edit(room.actor, shared.slug, CollectionEdit(timeline="taken"))
    stored = room.upload(pictures.camera_jpeg(), collection=shared.slug)
    assert room.row(stored.id).sort_at.isoformat() == pictures.TAKEN_AT + "+00:00"
    (month,) = room.services.library.months(room.actor, shared.slug)
    assert (month.month, month.count) == ("2021-05", 1)


def test_ids_are_random(room: PictureRoom) -> None:
    stored = room.upload(picture())
    assert stored.id.version == 4
    assert room.path(stored.id).original.split("/")[2] == stored.id.hex[:2]


def _raise(error: BaseException) -> None:
    raise error
