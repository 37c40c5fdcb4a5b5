"""Rotations against each other, against readers, destructions and makers of derivatives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.db.times import utc_now
from app.errors import KeyLeaseLost, NotFound
from app.jobs.watch import Unwatched
from app.models import FileKey, Image
from app.services.keys.file_keys import FileKeyService, NewFileKey
from app.services.rotation import Scope
from app.storage.replacing import FilePlace, blobs_of, header_at
from app.wiring import House
from app.wiring_rotation import build_rotation
from tests.fixtures.installation import Installation
from tests.fixtures.uploads import PictureRoom, picture

ALL = Scope("all", anew=True)


def generations(room: PictureRoom, image_id: UUID) -> set[int]:
    blobs, place = room.installation.house.blobs, FilePlace.of_image(room.path(image_id))
    found = [header_at(blobs, blob.key) for blob in blobs_of(blobs, place)]
    return {header.generation for header in found if header is not None}


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run them in threads that begin together; their results, or what they raised."""
    gate = threading.Barrier(len(works))

    def begin(work: Callable[[], object]) -> object:
        gate.wait()
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [future.result() for future in [pool.submit(begin, work) for work in works]]


def check_sound(room: PictureRoom) -> None:
    house = room.installation.house
    assert [found for found in room.services.verification.images() if found.problem] == []
    assert not [key for key in room.blobs() if ".tmp-" in key]
    assert room.audited("image.quarantined") == 0
    with house.uow.read() as session:
        active = session.scalars(select(FileKey.file_id).where(FileKey.state == "active")).all()
        images = session.scalars(select(Image.id)).all()
        assert len(active) == len(set(active))
        assert set(images) <= set(active)


def test_two_threads_share_the_files_and_rotate_none_twice(room: PictureRoom) -> None:
    ids = [room.upload(picture(n)).id for n in range(8)]
    since = utc_now()

    def rotate() -> int:
        return room.services.rotation.run(Unwatched(), Scope("images", tuple(ids))).rotated

    first, second = at_once(rotate, rotate)
    assert first + second == len(ids), (first, second)
    for image_id in ids:
        assert generations(room, image_id) == {2}
    assert since < utc_now()
    check_sound(room)


def test_two_processes_share_them_as_well(room: PictureRoom) -> None:
    """Two houses on one installation have nothing in common but database, vault and store."""
    ids = [room.upload(picture(n)).id for n in range(8)]
    houses = [House(room.installation.settings) for _ in range(2)]

    def rotate(house: House) -> int:
        return house.services.rotation.run(Unwatched(), Scope("images", tuple(ids))).rotated

    try:
        rotated = at_once(*[lambda house=house: rotate(house) for house in houses])
    finally:
        for house in houses:
            house.close()
    assert sum(rotated) == len(ids)
    for image_id in ids:
        assert generations(room, image_id) == {2}
    check_sound(room)


def test_a_worker_that_slept_writes_nothing(room: PictureRoom) -> None:
    stored = room.upload(picture(1))
    house = room.installation.house
    other = build_rotation(house, house.audit, lambda: utc_now() + timedelta(minutes=5))
    stolen: list[int] = []

    def sleep(_size: int) -> None:
        if not stolen:
            stolen.append(1)
            assert other.run(Unwatched(), Scope("images", (stored.id,))).rotated == 1
            stolen.append(generations(room, stored.id) == {2})

    with pytest.raises(KeyLeaseLost):
        room.services.rotation._one.rotate(stored.id, sleep, utc_now())
    assert stolen == [1, True]
    assert generations(room, stored.id) == {2}
    assert room.original(stored.id) == picture(1)
    check_sound(room)


def test_readers_never_fail_and_never_wait_for_the_end(install) -> None:
    """Without a grace an old key is disabled the moment it is replaced: the worst case."""
    room = PictureRoom(install(KEY_GRACE_HOURS="0", KEY_VAULT_CACHE_ENABLED="false"))
    ids = [room.upload(picture(n)).id for n in range(3)]
    small = {image_id: room.thumbnail(image_id, 320) for image_id in ids}
    over = threading.Event()
    reads = [0, 0, 0]

    def read(at: int) -> None:
        while not over.is_set():
            assert room.original(ids[at]) == picture(at)
            assert room.thumbnail(ids[at], 320) == small[ids[at]]
            reads[at] += 1

    def rotate() -> int:
        try:
            runs = [room.services.rotation.run(Unwatched(), ALL) for _ in range(6)]
            return sum(run.rotated for run in runs)
        finally:
            over.set()

    *_, rotated = at_once(*[lambda at=at: read(at) for at in range(3)], rotate)
    assert rotated == 6 * len(ids)
    assert all(count > 0 for count in reads), reads
    check_sound(room)


def test_derivatives_that_are_made_meanwhile_are_not_left_behind(room: PictureRoom) -> None:
    stored = room.upload(picture(1, 200, 200))

    def make() -> None:
        for size in (160, 960, 1280, 1920):
            assert room.thumbnail(stored.id, size)
            room.installation.house.blobs.delete(room.path(stored.id).thumbnail(size))

    def rotate() -> int:
        return sum(room.services.rotation.run(Unwatched(), ALL).rotated for _ in range(4))

    _, rotated = at_once(make, rotate)
    assert rotated == 4
    assert generations(room, stored.id) == {5}
    check_sound(room)


@pytest.mark.parametrize("step", ["shredded", "gone"])
def test_a_key_that_is_made_for_a_destroyed_picture_is_shredded(
    room: PictureRoom, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """It is destroyed, as far as to its key or to the end, after the rotation has begun."""
    before = room.left()
    image_id = room.upload(picture(1)).id
    new = FileKeyService.new

    def late(keys: FileKeyService, file_id: UUID, **how: Any) -> NewFileKey:
        if step == "gone":
            room.services.trash.destroy(room.actor, image_id)
        else:
            with room.installation.house.uow.write() as session:
                session.execute(update(Image).values(status="destroyed"))
            keys.destroy(file_id)
        return new(keys, file_id, **how)

    monkeypatch.setattr(FileKeyService, "new", late)
    scope = Scope("images", (image_id,), anew=True)
    assert room.services.rotation.run(Unwatched(), scope).rotated == 0
    assert room.left().keys == before.keys
    room.services.trash.finish_destructions()
    left = room.left()
    assert (left.files, left.rows) == (before.files, before.rows)


@pytest.mark.parametrize("head_start", [0.0, 0.005, 0.02])
def test_a_picture_that_is_destroyed_meanwhile_is_gone(
    installation: Installation, head_start: float
) -> None:
    room = PictureRoom(installation)
    before = room.left()
    ids = [room.upload(picture(n)).id for n in range(4)]

    def destroy() -> None:
        threading.Event().wait(head_start)
        for image_id in ids:
            room.services.trash.destroy(room.actor, image_id)

    at_once(destroy, lambda: room.services.rotation.run(Unwatched(), ALL))
    room.services.trash.finish_destructions()
    for image_id in ids:
        with pytest.raises(NotFound):
            room.original(image_id)
    left = room.left()
    assert left.files == before.files
    assert left.keys == before.keys
    assert left.rows == before.rows
