"""Step 9: old keys are disabled when their grace is over and nothing names them any more.

So are the keys of attempts that were cut short and not taken up again for a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import update

from app.crypto.stream import BlobReader, read_header
from app.errors import KeyManagementError
from app.models import FileKey
from app.services.rotation.files import KeyedFile, KeyedFiles, retiring
from app.services.rotation.lease import KeyRow, Lease, drop_pending
from app.services.rotation.one_file import Parts, names_version
from app.storage.replacing import FilePlace, blobs_of, header_at

if TYPE_CHECKING:
    from app.services.keys import FileKeyService
    from app.storage.encrypted_store import EncryptedStore

ABORTED_AFTER: Final = timedelta(days=1)


class OldKeys:
    """Disables keys that are over, each under the lock of its file."""

    def __init__(self, parts: Parts, files: KeyedFiles) -> None:
        self._parts = parts
        self._files = files

    def waiting(self) -> int:
        """How many old keys are still kept, for readers that began with them and to undo."""
        return self._files.count(retiring())

    def retire(self, file_id: UUID) -> int:
        """Disable what is due of one file; return how many keys went.

        Raises KeyManagementError where a blob still needs one of them, or the present key
        does not open the file: then all stay as they are.
        """
        file = self._files.find(file_id)
        now = self._parts.clock()
        due = [row for row in file.keys.rows if _is_over(row, now)] if file else []
        if file is None or not due:
            return 0
        with self._parts.store.blobs.lock(file.place.lead):
            self._require_unused(file, due)
            for row in due:
                self._disable(row)
            self._disable_unknown(file, now)
        return len(due)

    def abort(self, file: KeyedFile, pending: KeyRow, lease: Lease) -> bool:
        """Give up an attempt of which nothing was sealed, once it is a day old."""
        if self._parts.clock() - pending.created_at < ABORTED_AFTER:
            return False
        with self._parts.store.blobs.lock(file.place.lead):
            lease.require()
            if names_version(self._parts.store, file.place, pending.version):
                return False
            drop_pending(self._parts.uow, lease, pending)
            self._parts.keys.disable(pending.file_id, pending.version)
        return True

    def _require_unused(self, file: KeyedFile, due: list[KeyRow]) -> None:
        store, place = self._parts.store, file.place
        _drop_stragglers(store, place, {row.version for row in due})
        if any(names_version(store, place, row.version) for row in due):
            raise KeyManagementError(
                "The file is still sealed with its old key, which stays",
                operation="rotation.retire",
            )
        _require_opens(store, self._parts.keys, place)

    def _disable(self, row: KeyRow) -> None:
        self._parts.keys.disable(row.file_id, row.version)
        with self._parts.uow.write() as session:
            session.execute(
                update(FileKey)
                .where(FileKey.id == row.id, FileKey.state == "retiring")
                .values(state="retired", wrapped_dek=None, lease_until=None, lease_token=None)
                .execution_options(synchronize_session=False)
            )

    def _disable_unknown(self, file: KeyedFile, now: datetime) -> None:
        """Keys that a worker made and was killed before it could write them down."""
        known = {row.version for row in file.keys.rows}
        for version in self._parts.keys.versions(file.place.file_id, now - ABORTED_AFTER):
            if version in known or names_version(self._parts.store, file.place, version):
                continue
            self._parts.keys.disable(file.place.file_id, version)


def _is_over(row: KeyRow, now: datetime) -> bool:
    return row.state == "retiring" and row.expires_at is not None and row.expires_at <= now


def _drop_stragglers(store: EncryptedStore, place: FilePlace, versions: set[bytes]) -> None:
    """Derivatives that still name an old key are made again from the original."""
    for blob in blobs_of(store.blobs, place):
        if blob.is_derivative:
            header = header_at(store.blobs, blob.key)
            if header is not None and header.key_version_id in versions:
                store.blobs.delete(blob.key, durable=False)


def _require_opens(store: EncryptedStore, keys: FileKeyService, place: FilePlace) -> None:
    """The key that stays is in the vault, not only in memory, and is the file's."""
    with store.blobs.open(place.lead) as handle:
        header = read_header(handle)
        dek = keys.from_vault(place.file_id, header.key_version_id)
        BlobReader(handle, header, dek, file_id=place.file_id, role=header.role)
