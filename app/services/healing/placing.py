"""Putting verified bytes in the place of damaged ones, under the image's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.crypto.context import Role
from app.errors import BlobNotFound, Conflict, DecryptionFailed, ForeignBlob
from app.services.healing.sidecar_repair import SidecarRepair
from app.services.verification.blobs import Blob, BlobCheck, Opener, require_content
from app.services.verification.findings import Damage, Flawed
from app.services.verification.sidecars import compare, sidecar_of

if TYPE_CHECKING:
    from app.services.healing.sources import BlobSource
    from app.services.verification import Expected, ExpectedImages
    from app.storage.encrypted_store import EncryptedStore, KeySource
    from app.storage.interface import BlobHandle, StagedBlob

PIECE = 1024 * 1024


class Placing:
    """Every method takes the lock, reads the row again and looks again before it writes."""

    def __init__(
        self,
        rows: ExpectedImages,
        store: EncryptedStore,
        keys: KeySource,
        sidecars: SidecarRepair,
    ) -> None:
        self._rows = rows
        self._store = store
        self._keys = keys
        self._sidecars = sidecars

    def original(self, source: BlobSource, expected: Expected) -> None:
        """The backup's blob in the place of the damaged one, its sidecar before it.

        Raises Conflict with a sentence where the backup has none that would do.
        """
        path = expected.image.path
        with self._store.lock(path):
            fresh = self._again(expected)
            if fresh is None or self._is_sound(fresh):
                return
            blob = self._of_backup(source, fresh)
            if not self._sidecar_fits(fresh, blob):
                self._sidecars.write(fresh, blob)
            with self._store.blobs.stage(path.original) as staged:
                self._copy(source, path.original, staged)
                with staged.review() as written:
                    self._require_same(fresh, written, blob)
                staged.commit(replace=True)

    def sidecar(self, expected: Expected) -> None:
        """The sidecar anew, from the row and the blob in place, which has to be sound."""
        with self._store.lock(expected.image.path):
            fresh = self._again(expected)
            if fresh is None:
                return
            try:
                blob = self._look(self._store.blobs, fresh)
            except Flawed as flaw:
                raise _refused(
                    f"The sidecar waits for its file: {flaw.damage.words}."
                ) from None
            if not self._sidecar_fits(fresh, blob, strictly=True):
                self._sidecars.write(fresh, blob)

    def drop(self, expected: Expected, role: Role, variant: int) -> None:
        """Remove a damaged derivative or record, if it is still damaged."""
        path = expected.image.path
        with self._store.lock(path):
            fresh = self._again(expected)
            check = BlobCheck(self._store.blobs, self._keys)
            try:
                if fresh is not None:
                    check.look(fresh, role, variant, full=True)
            except Flawed:
                self._store.blobs.delete(path.key(role, variant), durable=False)

    def _again(self, expected: Expected) -> Expected | None:
        return self._rows.get(expected.id)

    def _look(self, blobs: Opener, expected: Expected) -> Blob:
        check = BlobCheck(blobs, self._keys)
        blob = check.look(expected, Role.ORIGINAL, 0, full=True)
        require_content(expected, blob)
        return blob

    def _is_sound(self, expected: Expected) -> bool:
        try:
            self._look(self._store.blobs, expected)
        except Flawed:
            return False
        return True

    def _of_backup(self, source: BlobSource, expected: Expected) -> Blob:
        try:
            return self._look(source, expected)
        except Flawed as flaw:
            raise _refused(f"The backup does not help: {flaw.damage.words}.") from None

    def _sidecar_fits(self, expected: Expected, blob: Blob, *, strictly: bool = False) -> bool:
        """``strictly``: one that opens and disagrees with the row is left to people."""
        try:
            compare(sidecar_of(self._store, expected), blob, expected)
        except Flawed as flaw:
            if strictly and flaw.damage is Damage.SIDECAR_DIFFERS:
                raise _refused("Sidecar and database disagree: which is right?") from None
            return False
        return True

    def _copy(self, source: BlobSource, key: str, staged: StagedBlob) -> None:
        try:
            with source.open(key) as handle:
                offset = 0
                while offset < handle.size:
                    piece = bytearray(min(PIECE, handle.size - offset))
                    count = handle.pread_into(memoryview(piece), offset)
                    if count <= 0:
                        raise _refused("The backup gave less than it has.")
                    staged.write(memoryview(piece)[:count])
                    offset += count
        except (BlobNotFound, ForeignBlob):
            raise _refused("The backup has lost the file meanwhile.") from None

    def _require_same(self, expected: Expected, written: BlobHandle, blob: Blob) -> None:
        """What lies on the disk now is what was verified in the backup, all of it."""
        check = BlobCheck(self._store.blobs, self._keys)
        try:
            found = check.handle(written, expected, Role.ORIGINAL, 0, full=True)
        except Flawed:
            raise DecryptionFailed(operation="heal.review") from None
        if found.header != blob.header or found.sha256 != blob.sha256:
            raise DecryptionFailed(operation="heal.review")


def _refused(message: str) -> Conflict:
    return Conflict(message, operation="heal.place")
