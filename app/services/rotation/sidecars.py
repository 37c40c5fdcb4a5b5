"""What the sidecar says while the blob beside it is being replaced (steps 5 and 8)."""

from __future__ import annotations

import hmac
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from app.errors import BlobNotFound, DecryptionFailed, EncryptionError, SidecarInvalid
from app.services.rotation.facts_of_row import facts_of_row
from app.storage.replacing import (
    FilePlace,
    Replacement,
    Replacing,
    SealingKey,
    header_at,
    with_both_entries,
    with_one_entry,
)
from app.storage.sidecar import PrivateFacts, Sidecar, SidecarEntry

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.storage.encrypted_store import EncryptedStore
    from app.storage.object_paths import ObjectPath

log = logging.getLogger("darkroom.rotation")
UNREADABLE = (BlobNotFound, SidecarInvalid, DecryptionFailed)


class Sidecars:
    """The sidecar of one image; the directory has none, and nothing happens to it here.

    The caller holds the file's lock.
    """

    def __init__(
        self, uow: UnitOfWork, store: EncryptedStore, place: FilePlace, replacing: Replacing
    ) -> None:
        self._uow = uow
        self._store = store
        self._path = place.image
        self._replacing = replacing

    def put_both(self, new: Replacement, key: SealingKey) -> None:
        """Step 5: an entry for the blob in place and one for the blob that is to come.

        A sidecar that is missing or damaged is written from the row. Raises EncryptionError
        where the new blob does not hold what was uploaded.
        """
        if self._path is None:
            return
        try:
            before = self._store.read_sidecar(self._path)
            old_key = self._store.key_of(new.old)
            private = before.open_private(before.entry_of(new.old), old_key, new.old)
            both = with_both_entries(before, private, new, key)
        except UNREADABLE as damage:
            both, private = self._from_row(self._path, new, key, damage)
        if not hmac.compare_digest(private.sha256, new.sha256):
            raise EncryptionError(
                "The file does not hold what was uploaded; nothing was changed",
                operation="rotation.compare",
            )
        self._replacing.write_sidecar(self._path, both)

    def settle(self) -> None:
        """Step 8: one entry, of the blob that is in place.

        One that does not speak of that blob is left to `store heal`: nothing is read by it.
        """
        if self._path is None:
            return
        header = header_at(self._store.blobs, self._path.original)
        if header is None:
            raise BlobNotFound("There is no such blob.", operation="rotation.settle")
        try:
            before = self._store.read_sidecar(self._path)
            after = with_one_entry(before, header)
        except UNREADABLE as damage:
            log.warning(
                "a sidecar is missing or damaged",
                exc_info=damage,
                extra={"image_id": self._path.image_id},
            )
            return
        if after != before:
            self._replacing.write_sidecar(self._path, after)

    def _from_row(
        self, path: ObjectPath, new: Replacement, key: SealingKey, damage: Exception
    ) -> tuple[Sidecar, PrivateFacts]:
        log.warning(
            "a sidecar is written again from the row",
            exc_info=damage,
            extra={"image_id": path.image_id},
        )
        with self._uow.read() as session:
            public, private = facts_of_row(session, path.image_id)
        public = replace(public, mode="direct" if key.wrapped is None else "envelope")
        entry = SidecarEntry.of_blob(new.facts, key.wrapped)
        alone = Sidecar(path.image_id, public, ())
        return alone.with_entry(entry, private, key.dek, new.facts.header), private
