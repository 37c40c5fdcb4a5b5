"""A new key for every file: what is sealed with it, what stays, and what is told."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from unittest import mock
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.crypto.blob_header import BlobHeader
from app.db.times import utc_now
from app.domain.access import OPERATOR
from app.errors import KeyVaultUnavailable, NotPermitted, WorkStopped
from app.jobs.watch import Unwatched
from app.models import FileKey, Job
from app.services.rotation import Noticed, Rotation, RotationReport, Scope
from app.storage.replacing import FilePlace, blobs_of, header_at
from app.storage.sidecar import PrivateFacts
from app.vault.local import LocalVault
from app.wiring_rotation import build_rotation
from tests.fixtures.uploads import PictureRoom, flip, picture

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

    def test_the_directory_and_what_lies_in_the_trash_go_with_the_others(
        self, room: PictureRoom
    ) -> None:
        kept, trashed = room.upload(picture(1)), room.upload(picture(2))
        room.services.trash.trash(room.actor, trashed.id)
        room.services.records.run()
        before = generations(room)
        assert len(before) == 2 * BLOBS + 1
        report = rotate(room)
        assert (report.rotated, report.remaining) == (3, 0)
        assert generations(room) == dict.fromkeys(before, 2)
        assert room.original(kept.id) == picture(1)

    def test_a_damaged_derivative_is_dropped_and_made_again(self, room: PictureRoom) -> None:
        stored = room.upload(picture(3))
        flip(room.blob(room.path(stored.id).thumbnail(320)), -1)
        assert rotate(room).rotated == 1
        assert room.path(stored.id).thumbnail(320) not in headers(room, stored.id)
        assert room.thumbnail(stored.id, 320)
        assert {h.generation for h in headers(room, stored.id).values()} == {2}

    def test_a_damaged_record_is_dropped_and_written_again(self, room: PictureRoom) -> None:
        stored = room.upload(picture(3))
        room.services.records.run()
        record = room.path(stored.id).record
        flip(room.blob(record), -1)
        assert rotate(room).failed == 0
        assert record not in headers(room, stored.id)
        room.services.records.run()
        assert headers(room, stored.id)[record].generation == 2

    def test_a_damaged_original_is_set_aside_and_keeps_its_key(self, room: PictureRoom) -> None:
        good, bad = room.upload(picture(4)), room.upload(picture(5))
        path = room.blob(room.path(bad.id).original)
        flip(path, -1)
        raw = path.read_bytes()
        report = rotate(room)
        assert (report.rotated, report.failed, report.remaining) == (1, 1, 0)
        assert not report.is_complete
        assert [failure.file_id for failure in report.failures] == [bad.id]
        assert path.read_bytes() == raw
        row = room.row(bad.id)
        assert row is not None
        assert row.status == "quarantined"
        assert states(room, bad.id)[1] == "active"
        assert room.original(good.id) == picture(4)
        sweep = rotate(room, Scope("all", anew=True, spare_damaged=True))
        assert (sweep.rotated, sweep.failed) == (1, 0)

    @pytest.mark.parametrize("lost", ["missing", "damaged"])
    def test_a_lost_sidecar_is_written_again_from_the_row(
        self, room: PictureRoom, lost: str
    ) -> None:
        stored = room.upload(picture(6))
        facts, sidecar = private_facts(room, stored.id), room.blob(room.path(stored.id).sidecar)
        if lost == "missing":
            sidecar.unlink()
        else:
            flip(sidecar, 40)
        assert rotate(room).rotated == 1
        assert private_facts(room, stored.id) == facts
        assert problems(room) == []

    def test_a_key_in_an_envelope_stays_in_one(self, install) -> None:
        room = PictureRoom(install(KEY_VAULT_KEYING="envelope"))
        stored = room.upload(picture(8))
        facts = private_facts(room, stored.id)
        assert rotate(room).rotated == 1
        entry = room.installation.house.store.read_sidecar(room.path(stored.id)).entries[0]
        assert entry.wrapped_dek is not None
        assert (entry.generation, private_facts(room, stored.id)) == (2, facts)
        later(room, hours=25).run(Unwatched(), NOTHING)
        assert states(room, stored.id) == {1: "retired", 2: "active"}
        room.installation.house.keys._cache.forget(f"file-{stored.id}")
        assert room.original(stored.id) == picture(8)
        assert problems(room) == []


class TestMany:
    def test_only_what_is_due(self, room: PictureRoom) -> None:
        old, fresh = room.upload(picture(1)), room.upload(picture(2))
        age(room, old.id)
        report = rotate(room, Scope())
        assert (report.found, report.rotated) == (1, 1)
        assert (len(states(room, old.id)), len(states(room, fresh.id))) == (2, 1)
        assert rotate(room, Scope()).found == 0

    def test_a_key_from_before_there_was_an_end_falls_due_as_well(
        self, room: PictureRoom
    ) -> None:
        stored = room.upload(picture(1))
        endless(room, stored.id)
        assert later(room, days=20).run(Unwatched(), Scope()).found == 0
        assert later(room, days=40).run(Unwatched(), Scope()).rotated == 1

    def test_what_an_interrupted_run_has_done_is_not_done_again(
        self, room: PictureRoom
    ) -> None:
        ids = [room.upload(picture(n)).id for n in range(6)]
        stopped = room.services.rotation.run(StopsAt(4), ALL)
        assert (stopped.stopped, stopped.rotated, stopped.remaining) == (True, 4, 2)
        assert not stopped.is_complete
        last = room.services.runs.last("rotation", state="stopped")
        assert last is not None
        assert (last.found, last.done) == (6, 4)
        again = rotate(room)
        assert (again.resumed, again.rotated, again.remaining) == (True, 2, 0)
        for image_id in ids:
            assert {h.generation for h in headers(room, image_id).values()} == {2}
        third = rotate(room)
        assert (third.resumed, third.rotated) == (False, 6)

    def test_a_budget_ends_it_between_two_files(self, room: PictureRoom) -> None:
        for n in range(3):
            room.upload(picture(n))
        report = rotate(room, budget=timedelta(0))
        assert (report.rotated, report.remaining, report.is_complete) == (0, 3, False)
        assert rotate(room, ALL).rotated == 3

    def test_a_vault_that_is_away_ends_it_and_changes_nothing(self, room: PictureRoom) -> None:
        ids = [room.upload(picture(n)).id for n in range(5)]
        with mock.patch.object(LocalVault, "put", side_effect=KeyVaultUnavailable("away")):
            report = rotate(room)
        assert (report.rotated, report.failed, report.remaining) == (0, 0, 5)
        assert (report.problem, report.is_complete) == ("away", False)
        assert all(states(room, image_id) == {1: "active"} for image_id in ids)
        assert rotate(room).rotated == 5

    def test_a_rehearsal_says_what_would_fail_and_changes_nothing(
        self, room: PictureRoom
    ) -> None:
        room.upload(picture(1))
        bad = room.upload(picture(2))
        flip(room.blob(room.path(bad.id).original), 100)
        before = room.left()
        report = room.services.rotation.rehearse(Unwatched(), ALL)
        assert (report.found, report.failed, report.rotated) == (2, 1, 0)
        assert room.left() == before
        row = room.row(bad.id)
        assert row is not None
        assert row.status == "ready"
        assert room.services.runs.last("rotation", state=None) is None


class TestOldKeys:
    def test_the_old_key_is_disabled_when_its_grace_is_over(self, room: PictureRoom) -> None:
        stored = room.upload(picture(1))
        rotate(room)
        assert later(room, hours=23).run(Unwatched(), NOTHING).retired == 0
        report = later(room, hours=25).run(Unwatched(), NOTHING)
        assert (report.retired, report.waiting) == (1, 0)
        infos = room.installation.house.vault.versions(f"file-{stored.id}")
        assert [info.enabled for info in infos] == [False, True]
        room.installation.house.keys._cache.forget(f"file-{stored.id}")
        assert room.original(stored.id) == picture(1)

    def test_a_key_that_a_header_names_stays(self, room: PictureRoom) -> None:
        stored = room.upload(picture(1))
        path = room.blob(room.path(stored.id).original)
        before = path.read_bytes()
        rotate(room)
        path.write_bytes(before)  # somebody put the old file back
        report = later(room, hours=25).run(Unwatched(), NOTHING)
        assert (report.retired, report.failed) == (0, 1)
        infos = room.installation.house.vault.versions(f"file-{stored.id}")
        assert [info.enabled for info in infos] == [True, True]
        assert room.original(stored.id) == picture(1)

    def test_without_a_grace_it_goes_at_the_end_of_the_run(self, install) -> None:
        room = PictureRoom(install(KEY_GRACE_HOURS="0"))
        stored = room.upload(picture(1))
        report = rotate(room)
        assert (report.rotated, report.retired, report.waiting) == (1, 1, 0)
        assert states(room, stored.id) == {1: "retired", 2: "active"}


class TestByItself:
    def test_what_is_read_while_it_is_due_is_rotated_by_a_job(self, room: PictureRoom) -> None:
        due, idle = room.upload(picture(1)), room.upload(picture(2))
        age(room, due.id)
        age(room, idle.id)
        told: list[UUID] = []
        gathers = Noticed(lambda files: told.extend(files), gather=0.01)
        delivery = room.services.delivery
        with mock.patch.object(delivery, "_overdue", gathers.note):
            for _ in range(3):
                room.original(due.id)
                room.thumbnail(due.id, 320)
            deadline = time.monotonic() + 10
            while not told and time.monotonic() < deadline:
                time.sleep(0.01)
        assert told == [due.id]
        room.services.rotation_requests.noticed(told)
        work_open_jobs(room)
        assert states(room, due.id) == {1: "retiring", 2: "active"}
        assert states(room, idle.id) == {1: "active"}

    def test_the_hourly_job_rotates_what_is_due(self, room: PictureRoom) -> None:
        stored = room.upload(picture(1))
        age(room, stored.id)
        parts = room.installation.house.jobs
        for placed in parts.timetable.queue_due():
            parts.worker.work(placed.id)
        assert states(room, stored.id) == {1: "retiring", 2: "active"}

    def test_only_an_administrator_may_ask_for_it(self, room: PictureRoom) -> None:
        room.upload(picture(1))
        with pytest.raises(NotPermitted):
            room.services.rotation_requests.ask(room.actor, ALL)
        job = room.services.rotation_requests.ask(OPERATOR, ALL)
        assert room.services.rotation_requests.ask(OPERATOR, ALL) == job
        work_open_jobs(room)
        assert room.audited("key.rotate") == 1


class TestUploadsMeanwhile:
    def test_one_that_was_on_its_way_as_the_run_began_is_not_left(
        self, room: PictureRoom
    ) -> None:
        """Its key is older than the run, its row is not."""
        first, more = [room.upload(picture(n)).id for n in range(2)], []

        class Uploads:
            def advance(self, done: int, total: int | None = None) -> None:
                if done == 1 and not more:
                    more.extend(room.upload(picture(n)).id for n in range(2, 9))
                    long_ago(room, more)

        report = room.services.rotation.run(Uploads(), ALL)
        assert (report.rotated, report.remaining) == (len(first) + len(more), 0)
        for image_id in (*first, *more):
            assert {h.generation for h in headers(room, image_id).values()} == {2}


def long_ago(room: PictureRoom, ids: list[UUID]) -> None:
    with room.installation.house.uow.write() as session:
        session.execute(
            update(FileKey)
            .where(FileKey.file_id.in_(ids))
            .values(created_at=utc_now() - timedelta(hours=1))
        )


BLOBS = 5
"""Original, two thumbnails, preview, record."""
NOTHING = Scope("images")


class StopsAt:
    """A Watch that is told to stop after so many steps."""

    def __init__(self, steps: int) -> None:
        self._steps = steps

    def advance(self, done: int, total: int | None = None) -> None:
        del total
        if done >= self._steps:
            raise WorkStopped("enough")


def later(room: PictureRoom, **span: float) -> Rotation:
    return rotation_of(room, lambda: utc_now() + timedelta(**span))


def age(room: PictureRoom, image_id: UUID) -> None:
    """Let the key of a picture be past its time."""
    set_expiry(room, image_id, utc_now() - timedelta(days=1))


def endless(room: PictureRoom, image_id: UUID) -> None:
    set_expiry(room, image_id, None)


def set_expiry(room: PictureRoom, image_id: UUID, moment: datetime | None) -> None:
    with room.installation.house.uow.write() as session:
        session.execute(
            update(FileKey).where(FileKey.file_id == image_id).values(expires_at=moment)
        )


def generations(room: PictureRoom) -> dict[str, int]:
    """The generation of every ``.enc`` below ``dam/``."""
    blobs = room.installation.house.blobs
    keys = [key for key in blobs.keys("dam/") if key.endswith(".enc")]
    found = {key: header_at(blobs, key) for key in keys}
    return {key: header.generation for key, header in found.items() if header is not None}


def work_open_jobs(room: PictureRoom) -> None:
    parts = room.installation.house.jobs
    with room.installation.house.uow.read_rows() as rows:
        waiting = rows.scalars(select(Job.id).where(Job.state == "waiting")).all()
    for job_id in waiting:
        parts.worker.work(job_id)
