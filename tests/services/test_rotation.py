"""A new key for every file: what is sealed with it, what stays, and what is told."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.crypto.blob_header import BlobHeader
from app.db.times import utc_now
from app.jobs.watch import Unwatched
from app.models import FileKey
from app.services.rotation import Rotation, RotationReport, Scope
from app.storage.replacing import FilePlace, blobs_of, header_at
from app.storage.sidecar import PrivateFacts
from app.wiring_rotation import build_rotation
from tests.fixtures.uploads import PictureRoom, picture

ALL = Scope("all")


def rotation_of(room: PictureRoom, clock=utc_now) -> Rotation:
    """The service as it is wired, at another time."""
    house = room.installation.house
    return build_rotation(house, house.audit, clock)


def rotate(room: PictureRoom, scope: Scope = ALL, **more) -> RotationReport:
    return room.services.rotation.run(Unwatched(), scope, **more)


def headers(room: PictureRoom, image_id: UUID) -> dict[str, BlobHeader]:
    blobs = room.installation.house.blobs
    place = FilePlace.of_image(room.path(image_id))
    found = {blob.key: header_at(blobs, blob.key) for blob in blobs_of(blobs, place)}
    return {key: header for key, header in found.items() if header is not None}


def states(room: PictureRoom, image_id: UUID) -> dict[int, str]:
    with room.installation.house.uow.read() as session:
        rows = session.execute(
            select(FileKey.generation, FileKey.state).where(FileKey.file_id == image_id)
        )
        return {row.generation: row.state for row in rows}


def private_facts(room: PictureRoom, image_id: UUID) -> PrivateFacts:
    store, path = room.installation.house.store, room.path(image_id)
    sidecar = store.read_sidecar(path)
    header = header_at(store.blobs, path.original)
    assert header is not None
    return sidecar.open_private(sidecar.entry_of(header), store.key_of(header), header)


def problems(room: PictureRoom) -> list[object]:
    return [found for found in room.services.verification.images() if found.problem]


class TestOneFile:
    def test_every_blob_gets_the_next_generation_and_nothing_else_changes(
        self, room: PictureRoom
    ) -> None:
        content = picture(7)
        stored = room.upload(content)
        small = room.thumbnail(stored.id, 320)
        etag = room.services.delivery.original(room.actor, stored.id).etag
        before, facts = headers(room, stored.id), private_facts(room, stored.id)
        report = rotate(room)
        after = headers(room, stored.id)
        assert (report.found, report.rotated, report.failed, report.remaining) == (1, 1, 0, 0)
        assert report.waiting == 1
        assert after.keys() == before.keys()
        assert {header.generation for header in after.values()} == {2}
        assert len({header.key_version_id for header in after.values()}) == 1
        for key, header in after.items():
            assert header.key_version_id != before[key].key_version_id
            assert header.salt != before[key].salt
            assert header.content_rev == before[key].content_rev
        assert room.original(stored.id) == content
        assert room.thumbnail(stored.id, 320) == small
        assert room.services.delivery.original(room.actor, stored.id).etag == etag
        assert private_facts(room, stored.id) == facts
        sidecar = room.installation.house.store.read_sidecar(room.path(stored.id))
        assert [entry.generation for entry in sidecar.entries] == [2]
        assert states(room, stored.id) == {1: "retiring", 2: "active"}
        assert problems(room) == []
        assert not [key for key in room.blobs() if ".tmp-" in key]

    def test_again_and_again(self, room: PictureRoom) -> None:
        stored = room.upload(picture(1))
        for generation in (2, 3, 4):
            assert rotate(room).rotated == 1
            assert {h.generation for h in headers(room, stored.id).values()} == {generation}
        assert room.original(stored.id) == picture(1)
