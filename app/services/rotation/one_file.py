"""One file from generation g to g + 1, by the steps of store-format.md, section 4.

0 lease, 1 new DEK in the vault, 2 row ``pending``, 3 to 6 each blob sealed again, verified and
put in its place, 7 the new key active, 8 the sidecar with one entry; step 9 is
``old_keys``. Until 7 both generations are valid for reading, so that readers wait for nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.crypto.context import Role
from app.errors import (
    BlobNotFound,
    DecryptionFailed,
    KeyDamaged,
    KeyManagementError,
    KeyNotFound,
    StoreUnavailable,
)
from app.models import FileKey, Image
from app.services.audit import AuditLog, Subject
from app.services.keys.wrapped_dek import Envelope
from app.services.records import mark_behind
from app.services.rotation.files import place_of
from app.services.rotation.lease import (
    FileKeys,
    KeyRow,
    Lease,
    drop_pending,
    keys_of,
    lease_lost,
)
from app.services.rotation.sidecars import Sidecars
from app.storage.replacing import (
    BlobOfFile,
    FilePlace,
    Replacement,
    Replacing,
    SealingKey,
    blobs_of,
    header_at,
)

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.keys import FileKeyService
    from app.storage.encrypted_store import EncryptedStore
    from app.storage.opening import Floor
    from app.storage.sidecar import WrappedDek

log = logging.getLogger("darkroom.rotation")
DAMAGE: Final = (DecryptionFailed, BlobNotFound, KeyNotFound, KeyDamaged)
UNUSABLE: Final = (KeyNotFound, KeyDamaged, KeyManagementError)
PASSES: Final = 10


@dataclass(frozen=True, slots=True)
class Parts:
    """What the steps are made with; ``grace``: how long the old key stays readable."""

    uow: UnitOfWork
    store: EncryptedStore
    keys: FileKeyService
    audit: AuditLog
    clock: Callable[[], datetime]
    grace: timedelta


class FileRotation:
    """The steps of one file, for the holder of its lease. Used once.

    Every method may raise KeyLeaseLost, after which nothing more is written.
    """

    def __init__(
        self, parts: Parts, place: FilePlace, lease: Lease, tick: Callable[[int], None]
    ) -> None:
        self._parts = parts
        self._place = place
        self._lease = lease
        self._pace = tick
        self._replacing = Replacing(parts.store, place, lease.token, self._tick)
        self._sidecars = Sidecars(parts.uow, parts.store, place, self._replacing)

    def run(self, content_rev: int) -> None:
        """Steps 1 to 8. What raises before step 7 leaves the file readable with both keys.

        Raises an error of `DAMAGE` where the original (or the directory) itself is damaged;
        it was not touched then.
        """
        keys = self._read_keys()
        key = self._next_key(keys.active, keys.pending)
        floor = self._read_keys().floor(content_rev)
        self._seal_all(key, floor)
        self._activate(key)
        self.settle()

    def settle(self) -> None:
        """Step 8, also of a rotation that was killed before it; then the lease is over."""
        with self._replacing.lock():
            self._lease.require()
            self._sidecars.settle()
        self._lease.release()

    def has_begun(self, pending: KeyRow) -> bool:
        """Whether any blob is sealed with the pending key: then there is only forward."""
        return names_version(self._parts.store, self._place, pending.version)

    def _read_keys(self) -> FileKeys:
        with self._parts.uow.read() as session:
            return keys_of(session, self._place.file_id)

    def _tick(self, size: int) -> None:
        self._pace(size)
        self._lease.keep()

    def _next_key(self, active: KeyRow | None, pending: KeyRow | None) -> SealingKey:
        """Steps 1 and 2, or the key of an attempt that was cut short."""
        if active is None or active.id != self._lease.key_id:
            raise lease_lost()  # another worker was through with it before we had the lease
        if pending is not None:
            taken = self._taken_over(pending)
            if taken is not None:
                return taken
        return self._made(active)

    def _taken_over(self, pending: KeyRow) -> SealingKey | None:
        """None where the vault does not give the key, and nothing was sealed with it."""
        try:
            dek = self._parts.keys.key(pending.file_id, pending.version)
        except UNUSABLE:
            with self._replacing.lock():
                if self.has_begun(pending):
                    raise
                drop_pending(self._parts.uow, self._lease, pending)
            return None
        return SealingKey(pending.generation, pending.version, dek)

    def _made(self, active: KeyRow) -> SealingKey:
        """A destruction marks the row before it shreds: without a mark after the key was
        made, the shredding is still to come; with one it may be over, and is done here."""
        keys, file_id = self._parts.keys, self._place.file_id
        new = keys.new(file_id, generation=active.generation + 1, mode=active.mode)
        row = keys.row(new)
        row.state = "pending"
        with self._parts.uow.write() as session:
            gone = place_of(session, file_id) is None
            if not gone:
                self._lease.require_in(session)
                keys.require_present_master(session)
                session.add(row)
        if gone:
            keys.destroy(file_id)
            raise lease_lost()
        return SealingKey(new.generation, new.version, new.dek)

    def _seal_all(self, key: SealingKey, floor: Floor) -> None:
        """Until nothing is left at another key.

        A derivative that was made from the old original in the meantime is sealed with the
        old key; from the original's own replacement on none is.
        """
        for _ in range(PASSES):
            blobs = blobs_of(self._parts.store.blobs, self._place)
            if not sum(self._seal_one(blob, key, floor) for blob in blobs):
                self._require_lead(blobs)
                return
        raise StoreUnavailable(
            "The blobs of this file are being replaced all the time.",
            operation="rotation.seal",
        )

    def _require_lead(self, blobs: list[BlobOfFile]) -> None:
        if not any(blob.key == self._place.lead for blob in blobs):
            raise BlobNotFound("There is no such blob.", operation="rotation.seal")

    def _seal_one(self, blob: BlobOfFile, key: SealingKey, floor: Floor) -> bool:
        """Steps 3 to 6; False if there was nothing to do."""
        try:
            with self._replacing.sealed_again(blob, key, floor) as new:
                if new is None:
                    return False
                with self._replacing.lock():
                    self._put(new, key)
        except DAMAGE:
            if blob.key == self._place.lead:
                raise
            self._drop(blob, floor)
        return True

    def _put(self, new: Replacement, key: SealingKey) -> None:
        """Steps 5 and 6, under the lock.

        What somebody has replaced or removed since it was read is looked at in the next pass.
        """
        blobs, blob = self._parts.store.blobs, new.blob
        if header_at(blobs, blob.key) != new.old:
            return
        if blob.role is Role.ORIGINAL:
            self._lease.require()
            self._sidecars.put_both(new, replace(key, wrapped=self._wrapped(key)))
        self._lease.require()
        new.staged.commit(replace=True)

    def _wrapped(self, key: SealingKey) -> WrappedDek | None:
        """What the row has now: its envelope may have been made anew since."""
        rows = self._read_keys().rows
        raw = next((row.wrapped_dek for row in rows if row.version == key.version), None)
        return Envelope.from_row(raw).to_sidecar() if raw is not None else None

    def _drop(self, blob: BlobOfFile, floor: Floor) -> None:
        """Remove a damaged derivative, or record: both are made again from what is whole."""
        with self._replacing.lock(), ExitStack() as look:
            self._lease.require()
            try:
                opened = self._parts.store.open(
                    blob.key, self._place.file_id, blob.role, blob.variant, floor
                )
                look.enter_context(opened)
                opened.reader.verify()
            except BlobNotFound:
                return
            except DAMAGE:
                if blob.role is Role.RECORD:
                    with self._parts.uow.write() as session:
                        mark_behind(session, self._place.file_id)
                self._parts.store.blobs.delete(blob.key, durable=False)
                log.warning(
                    "a damaged derivative was removed",
                    extra={"image_id": self._place.file_id, "role": blob.role.name.lower()},
                )

    def _activate(self, key: SealingKey) -> None:
        """Step 7: from its commit on the old key is only read with, and no longer counted."""
        with self._parts.store.blobs.open(self._place.lead) as lead:
            size = lead.size
        with self._parts.uow.write() as session:
            self._lease.require_in(session)
            self._swap(session, key)
            session.execute(
                update(Image)
                .where(Image.id == self._place.file_id, Image.enc_size != size)
                .values(enc_size=size)
                .execution_options(synchronize_session=False)
            )
            kind = "directory" if self._place.image is None else "image"
            self._parts.audit.append(
                session,
                "key.rotate",
                subject=Subject(kind, self._place.file_id),
                details={"generation": key.generation},
            )

    def _swap(self, session: Session, key: SealingKey) -> None:
        """The old key's ``expires_at`` is from now on the end of its grace; the new one's
        ``created_at`` is when it became what the file is sealed with."""
        now = self._parts.clock()
        session.execute(
            update(FileKey)
            .where(FileKey.id == self._lease.key_id, FileKey.state == "active")
            .values(state="retiring", expires_at=now + self._parts.grace)
            .execution_options(synchronize_session=False)
        )
        made = session.execute(
            update(FileKey)
            .where(FileKey.file_id == self._place.file_id, FileKey.state == "pending")
            .where(FileKey.version_id == key.version)
            .values(state="active", created_at=now)
            .returning(FileKey.id)
            .execution_options(synchronize_session=False)
        ).first()
        if made is None:
            raise lease_lost()


def names_version(store: EncryptedStore, place: FilePlace, version: bytes) -> bool:
    """Whether the header of any blob of the file names this key.

    A header that is none names nothing; where one cannot be read now, nobody can say.
    """
    for blob in blobs_of(store.blobs, place):
        try:
            header = header_at(store.blobs, blob.key)
        except DecryptionFailed:
            continue
        if header is not None and header.key_version_id == version:
            return True
    return False
