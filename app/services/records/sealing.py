"""Seals one record: read, seal and put in its place, all of it under the image's lock.

Under one lock, since of two writers the one that read later has to write later. The key is
the newest that may be read, a pending one too: a rotation that goes on never puts an older
blob back, and one that looks for headers of its new key before it gives up finds this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, select

from app.crypto.context import BlobContext, Role
from app.domain import directory_record
from app.errors import KeyNotFound
from app.models import FileKey, Image, Installation
from app.services.image_access import READABLE
from app.services.records.rows import directory_entries, image_record
from app.storage.object_paths import DIRECTORY_RECORD, ObjectPath, StoredName

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.keys import FileKeyService
    from app.storage.encrypted_store import EncryptedStore


@dataclass(frozen=True, slots=True)
class _Key:
    version: bytes
    generation: int


class RecordSealing:
    """Writes single records; may be shared by threads."""

    def __init__(self, uow: UnitOfWork, store: EncryptedStore, keys: FileKeyService) -> None:
        self._uow = uow
        self._store = store
        self._keys = keys

    def write(self, file_id: UUID) -> None:
        """Write the record of an image, or, for the id of the store, the directory's.

        An image that is gone has none, which is no error. Raises ``StoreError``,
        ``KeyVaultError``, ``DatabaseUnavailable`` and ``DecryptionFailed``.
        """
        with self._uow.read_rows() as connection:
            is_store = connection.scalar(select(Installation.store_id)) == file_id
            path = None if is_store else _path_of(connection, file_id)
        if is_store:
            self._write_directory(file_id)
        elif path is not None:
            self._write_image(path)

    def _write_image(self, path: ObjectPath) -> None:
        with self._store.lock(path):
            with self._uow.read_rows() as connection:
                record = image_record(connection, path.image_id)
                key = _newest_key(connection, path.image_id)
                content_rev = _content_rev(connection, path.image_id)
            if record is None:
                return
            if key is None:
                raise KeyNotFound("This image has no key.", operation="record.seal")
            pieces = (record.encode(),)
            self._seal(path.record, path.image_id, key, pieces, content_rev)

    def _write_directory(self, store_id: UUID) -> None:
        with self._store.blobs.lock(DIRECTORY_RECORD):
            with self._uow.read_rows() as connection:
                key = _newest_key(connection, store_id)
            key = key or self._new_key(store_id)
            with self._uow.read_rows() as connection:
                pieces = directory_record.encode(directory_entries(connection))
                self._seal(DIRECTORY_RECORD, store_id, key, pieces)

    def _new_key(self, store_id: UUID) -> _Key:
        """The directory's key. If its row cannot be committed the next try makes another
        version: the vault keeps one that nobody names, which opens nothing."""
        new = self._keys.new(store_id, mode="direct")  # there is no sidecar to keep it
        with self._uow.write() as session:
            self._keys.require_present_master(session)
            session.add(self._keys.row(new))
        return _Key(new.version, new.generation)

    def _seal(
        self,
        name: str,
        file_id: UUID,
        key: _Key,
        pieces: Iterable[bytes],
        content_rev: int = 0,
    ) -> None:
        context = BlobContext(
            file_id=file_id,
            role=Role.RECORD,
            generation=key.generation,
            key_version_id=key.version,
            content_rev=content_rev,
        )
        self._store.seal_record(name, context, self._keys.key(file_id, key.version), pieces)


def _path_of(connection: Connection, image_id: UUID) -> ObjectPath | None:
    row = connection.execute(
        select(Image.store_slug, Image.stored_name).where(Image.id == image_id)
    ).first()
    if row is None:
        return None
    return ObjectPath(row.store_slug, image_id, StoredName.parse(row.stored_name))


def _content_rev(connection: Connection, image_id: UUID) -> int:
    wanted = select(Image.content_rev).where(Image.id == image_id)
    return connection.scalar(wanted) or 0


def _newest_key(connection: Connection, file_id: UUID) -> _Key | None:
    row = connection.execute(
        select(FileKey.version_id, FileKey.generation)
        .where(FileKey.file_id == file_id, FileKey.state.in_(READABLE))
        .order_by(FileKey.generation.desc())
        .limit(1)
    ).first()
    return None if row is None else _Key(row.version_id, row.generation)
