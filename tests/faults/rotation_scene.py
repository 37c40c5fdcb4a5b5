"""One picture with all its blobs, whose key is rotated, and what must hold at any moment."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select

from app.crypto.blob_header import BlobHeader
from app.db.times import utc_now
from app.jobs.watch import Unwatched
from app.models import FileKey
from app.services.image_access import image_by_id
from app.services.rotation import Rotation, RotationReport, Scope
from app.storage.object_paths import ObjectPath
from app.storage.replacing import FilePlace, blobs_of, header_at
from app.wiring import House
from app.wiring_rotation import build_rotation
from tests.faults.scene import Scene

LEASE_OVER = timedelta(minutes=5)
GRACE_OVER = timedelta(hours=25)
ABORTED = timedelta(days=2)
BLOBS = 5
"""Original, two thumbnails, preview, record."""


class RotationScene(Scene):
    """The resident picture, its derivatives and its record; ``etag`` must never change."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with self.opened() as house:
            house.services.records.run()
            self.small = self.thumbnail(house, self.resident_id, 320)
            self.etag = self._etag(house)
            self.path = self._path(house)
            assert len(self.headers(house)) == BLOBS
        self.keep()

    def rotation(self, house: House, later: timedelta = timedelta(0)) -> Rotation:
        """The service at another time."""
        return build_rotation(house, house.audit, lambda: utc_now() + later)

    def rotate(self, house: House, later: timedelta = timedelta(0)) -> RotationReport:
        """Rotate the picture: what the fault loops fail and kill."""
        scope = Scope("images", (self.resident_id,))
        return self.rotation(house, later).run(Unwatched(), scope)

    def recover(self, house: House, later: timedelta = LEASE_OVER) -> RotationReport:
        """What every run begins with, here with nothing else to do."""
        return self.rotation(house, later).run(Unwatched(), Scope("images", ()))

    def headers(self, house: House) -> dict[str, BlobHeader]:
        place = FilePlace.of_image(self.path)
        found = {
            blob.key: header_at(house.blobs, blob.key) for blob in blobs_of(house.blobs, place)
        }
        return {key: header for key, header in found.items() if header is not None}

    def generations(self, house: House) -> set[int]:
        return {header.generation for header in self.headers(house).values()}

    def states(self, house: House) -> dict[int, str]:
        chosen = select(FileKey.generation, FileKey.state).where(
            FileKey.file_id == self.resident_id
        )
        with house.uow.read_rows() as rows:
            return {row.generation: row.state for row in rows.execute(chosen)}

    def check_readable(self, house: House, point: str) -> None:
        """What holds at any moment, before anything was recovered."""
        self.check_nothing_readable()
        assert self.original(house, self.resident_id) == self.resident, point
        assert self.thumbnail(house, self.resident_id, 320) == self.small, point
        assert self._etag(house) == self.etag, point
        self.check_keys(house, point)

    def check_keys(self, house: House, point: str) -> None:
        """No key is disabled, or gone, that a header names."""
        infos = house.vault.versions(f"file-{self.resident_id}")
        enabled = {bytes.fromhex(info.version) for info in infos if info.enabled}
        named = {header.key_version_id for header in self.headers(house).values()}
        assert named <= enabled, point

    def check_recovered(self, house: House, point: str) -> None:
        """What holds after the next run: nothing half-done is left."""
        self.check_readable(house, point)
        assert not [name for name in self.strays(house) if ".tmp-" in name], point
        header = self.headers(house)[self.path.original]
        sidecar = house.store.read_sidecar(self.path)
        assert [entry.header_tag for entry in sidecar.entries] == [header.header_tag], point
        private = sidecar.open_private(sidecar.entries[0], house.store.key_of(header), header)
        assert private.filename == "PLAIN-NAME-9c1e.bmp", point
        states = self.states(house)
        active = [generation for generation, state in states.items() if state == "active"]
        assert active == [header.generation], point
        assert self.generations(house) == set(active), point
        assert self.problems(house) == [], point
        assert house.services.audit.verify().broken_at is None, point

    def problems(self, house: House) -> list[object]:
        return [found for found in house.services.verification.images() if found.problem]

    def _path(self, house: House) -> ObjectPath:
        with house.uow.read() as session:
            found = image_by_id(session, self.actor, self.resident_id)
        assert found is not None
        return found.path

    def _etag(self, house: House) -> str:
        return house.services.delivery.original(self.actor, self.resident_id).etag
