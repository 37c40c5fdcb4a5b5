"""Files of the store and keys of the vault that the database does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.crypto.stream import read_header
from app.errors import BlobNotFound, DecryptionFailed, ForeignBlob
from app.models import FileKey, Image
from app.services.audit import Subject
from app.storage.object_paths import ObjectKey, parse

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.domain.access import Actor
    from app.services.audit import AuditLog
    from app.services.keys import FileKeyService
    from app.storage.interface import BlobStore

Outcome = tuple[str | None, str]
"""What was done, or None, and why it was not or what could be."""


class Unknown:
    """Destroys what nobody knows, on request; the key before the file, as everywhere."""

    def __init__(
        self, uow: UnitOfWork, blobs: BlobStore, keys: FileKeyService, audit: AuditLog
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._keys = keys
        self._audit = audit

    def discard_file(self, actor: Actor, key: str) -> Outcome:
        """Remove a file under its image's lock, if the database still knows nothing of it.

        Its header names the key that goes with it, and may be a forgery: a key that any row
        knows stays.
        """
        known = parse(key)
        with self._blobs.lock(known.base + ".enc"):
            if self._has_row(known):
                return None, "the database knows it meanwhile"
            file_id = None if known.is_sidecar else self._file_id(key)
            if file_id is not None and not self._knows(file_id):
                self._keys.destroy(file_id)
            self._note(actor, "store.discard", key)
            self._blobs.delete(key)
        return "discarded", ""

    def discard_key(self, actor: Actor, reference: str) -> Outcome:
        """Destroy a key, if the database still knows nothing of it."""
        file_id = UUID(reference.removeprefix("file-"))
        if self._knows(file_id):
            return None, "the database knows it meanwhile"
        self._note(actor, "keys.discard", reference)
        self._keys.destroy(file_id)
        return "discarded", ""

    def _has_row(self, known: ObjectKey) -> bool:
        wanted = select(Image.id).where(
            Image.stored_name == str(known.stored_name), Image.store_slug == known.slug
        )
        with self._uow.read_rows() as connection:
            return connection.execute(wanted).first() is not None

    def _knows(self, file_id: UUID) -> bool:
        with self._uow.read_rows() as connection:
            image = connection.scalar(select(Image.id).where(Image.id == file_id))
            key = connection.scalar(select(FileKey.id).where(FileKey.file_id == file_id))
        return image is not None or key is not None

    def _file_id(self, key: str) -> UUID | None:
        try:
            with self._blobs.open(key) as handle:
                return read_header(handle).file_id
        except (BlobNotFound, ForeignBlob, DecryptionFailed):
            return None

    def _note(self, actor: Actor, action: str, where: str) -> None:
        """Before it is done: what follows cannot be taken back."""
        self._audit.record(action, actor=actor, subject=Subject("store", where[-64:]))
