"""One file under its lease: rotated, finished after a crash, or looked at only."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from app import metrics
from app.crypto.context import Role
from app.domain.access import ANONYMOUS
from app.errors import BlobNotFound, DarkroomError, KeyLeaseLost, StoreUnavailable
from app.services.image_access import image_by_id
from app.services.rotation.files import KeyedFile, KeyedFiles
from app.services.rotation.lease import Lease
from app.services.rotation.old_keys import OldKeys
from app.services.rotation.one_file import DAMAGE, FileRotation, Parts
from app.storage.marker import read_marker
from app.storage.replacing import FilePlace, blobs_of, remove_temporaries

if TYPE_CHECKING:
    from app.services.quarantine import Quarantine

log = logging.getLogger("darkroom.rotation")
Tick = Callable[[int], None]


class OneAtATime:
    """Takes the lease of a file and does with it what is to be done."""

    def __init__(
        self, parts: Parts, files: KeyedFiles, old_keys: OldKeys, quarantine: Quarantine
    ) -> None:
        self._parts = parts
        self._files = files
        self._old_keys = old_keys
        self._quarantine = quarantine

    def rotate(self, file_id: UUID, tick: Tick, since: datetime) -> bool:
        """Give the file a new key unless it got one after ``since``; False where it did,
        where another worker is at it, or it is gone.

        Raises an error of `DAMAGE` for a damaged original, which is set aside and keeps its
        key, and what vault, store and database raise: then all stays readable, and the next
        try goes on from there.
        """
        file = self._files.find(file_id)
        active = file.keys.active if file is not None else None
        if file is None or active is None or active.created_at >= since:
            return False
        with self._leased(file) as lease:
            if lease is None:
                return False
            began = time.perf_counter()
            with self._counted(), self._damage_set_aside(file.place):
                FileRotation(self._parts, file.place, lease, tick).run(file.content_rev)
            metrics.rotation_seconds.observe(time.perf_counter() - began)
            return True

    def recover(self, file_id: UUID, tick: Tick) -> bool:
        """Finish what a killed worker left: forward if any blob has the new key, else back.

        True if the file has a new key now.
        """
        file = self._files.find(file_id)
        if file is None or file.keys.active is None:
            return False
        pending = file.keys.pending
        with self._leased(file) as lease:
            if lease is None:
                return False
            work = FileRotation(self._parts, file.place, lease, tick)
            if pending is None:
                work.settle()
            elif work.has_begun(pending):
                with self._counted(), self._damage_set_aside(file.place):
                    work.run(file.content_rev)
                return True
            else:
                self._old_keys.abort(file, pending, lease)
                lease.release()
        return False

    def rehearse(self, file_id: UUID) -> bool:
        """Open all that would be sealed again, header and length; False for what is gone."""
        file = self._files.find(file_id)
        if file is None:
            return False
        found = blobs_of(self._parts.store.blobs, file.place)
        for blob in found:
            if not blob.is_derivative:
                self._look(file, blob.key, blob.role, blob.variant)
        if not any(blob.key == file.place.lead for blob in found):
            raise BlobNotFound("There is no such blob.", operation="rotation.rehearse")
        return True

    def _look(self, file: KeyedFile, key: str, role: Role, variant: int) -> None:
        floor = file.keys.floor(file.content_rev)
        with self._parts.store.open(key, file.place.file_id, role, variant, floor) as blob:
            _ = blob.reader.plain_size

    @contextmanager
    def _leased(self, file: KeyedFile) -> Iterator[Lease | None]:
        """The lease, given up again after a failure so that nobody has to wait for its end."""
        row = file.keys.leased or file.keys.active
        now = self._parts.clock()
        if row is None or (row.lease_until is not None and row.lease_until > now):
            yield None
            return
        if row.lease_token is not None:
            remove_temporaries(self._parts.store.blobs, file.place, row.lease_token)
        lease = Lease.take(self._parts.uow, self._parts.clock, row)
        try:
            yield lease
        except BaseException:
            if lease is not None:
                lease.give_up()
            raise

    @contextmanager
    def _counted(self) -> Iterator[None]:
        result = "ok"
        try:
            yield
        except KeyLeaseLost:
            result = "lost"
            raise
        except DarkroomError:
            result = "failed"
            raise
        finally:
            metrics.rotations.labels(result).inc()

    @contextmanager
    def _damage_set_aside(self, place: FilePlace) -> Iterator[None]:
        """A damaged original is served no more; a lost mount is no lost picture."""
        try:
            yield
        except DAMAGE as damage:
            if (
                isinstance(damage, BlobNotFound)
                and read_marker(self._parts.store.blobs) is None
            ):
                raise StoreUnavailable(
                    "The store is not there: its marker file is missing. Is its file system"
                    " mounted?",
                    operation="rotation.open",
                ) from None
            self._set_aside(place, damage)
            raise

    def _set_aside(self, place: FilePlace, damage: DarkroomError) -> None:
        if place.image is None:
            log.error("the record of the directory is damaged", exc_info=damage)
            return
        with self._parts.uow.read() as session:
            image = image_by_id(session, ANONYMOUS, place.file_id)
        if image is not None:
            self._quarantine.set_aside(image, Role.ORIGINAL, 0, damage)
