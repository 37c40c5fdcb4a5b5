"""Sidecars follow the rows: how the keys of a file are kept, and what is in the envelopes.

The row is changed first and says what is so; its sidecar says the same as soon as somebody
has looked. Until then both open the file, since a key leaves its old place last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

from app.crypto.stream import read_header
from app.db.session import UnitOfWork
from app.errors import BlobNotFound, KeyManagementError
from app.models import FileKey, Image
from app.models.image import NOT_DESTROYED
from app.services.keys.file_keys import FileKeyService
from app.services.keys.wrapped_dek import Envelope
from app.storage.encrypted_store import EncryptedStore
from app.storage.object_paths import IMAGES, ObjectPath, StoredName, parse
from app.storage.sidecar import Sidecar, SidecarEntry, WrappedDek

_PAGE = 500


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """How the keys of a file are kept: ``mode``, and each version's envelope, if any."""

    mode: str
    envelopes: Mapping[bytes, WrappedDek]

    def says_same(self, sidecar: Sidecar) -> bool:
        return sidecar.public.mode == self.mode and all(
            entry.wrapped_dek == self.envelopes.get(entry.key_version)
            for entry in sidecar.entries
        )


class SidecarKeys:
    """Writes into sidecars what the rows say of the keys."""

    def __init__(
        self, uow: UnitOfWork, store: EncryptedStore, keys: Callable[[], FileKeyService]
    ) -> None:
        self._uow = uow
        self._store = store
        self._keys = keys

    def paths(self, *where: object) -> Iterator[ObjectPath]:
        """Every image that is not destroyed and has a key of which ``where`` is true."""
        after = UUID(int=0)
        chosen = (
            select(Image.id, Image.store_slug, Image.stored_name)
            .where(NOT_DESTROYED, Image.id.in_(select(FileKey.file_id).where(*where)))  # type: ignore[arg-type]
            .order_by(Image.id)
            .limit(_PAGE)
        )
        while True:
            with self._uow.read_rows() as connection:
                rows = connection.execute(chosen.where(Image.id > after)).all()
            for row in rows:
                yield ObjectPath(row.store_slug, row.id, StoredName.parse(row.stored_name))
            if len(rows) < _PAGE:
                return
            after = rows[-1].id

    def keys(self) -> Iterator[str]:
        """Every sidecar of the store, of pictures without a row too."""
        for key in self._store.blobs.keys(IMAGES):
            with suppress(BlobNotFound):
                if parse(key).is_sidecar:
                    yield key

    def keks_at(self, key: str) -> set[tuple[str, str]]:
        """The KEKs, and the versions of them, that a sidecar names.

        Raises BlobNotFound and SidecarInvalid.
        """
        wrapped = (one.wrapped_dek for one in self._store.sidecar_at_key(key).entries)
        return {(one.kek, one.version) for one in wrapped if one is not None}

    def follow(self, path: ObjectPath) -> bool:
        """Let the sidecar say what the rows say; False if it did, or the image is gone.

        Raises BlobNotFound and SidecarInvalid for a sidecar that is missing or damaged,
        KeyManagementError while a rotation is at work on it, and what opening the key raises.
        """
        kept = self._kept(path.image_id)
        if kept is None or kept.says_same(self._store.read_sidecar(path)):
            return False
        with self._store.lock(path):
            kept = self._kept(path.image_id)
            sidecar = self._store.read_sidecar(path)
            if kept is None or kept.says_same(sidecar):
                return False
            self._store.write_sidecar(path, self._following(path, sidecar, kept))
        return True

    def _kept(self, image_id: UUID) -> KeptKeys | None:
        """None for an image that is gone or on its way out."""
        chosen = select(FileKey.version_id, FileKey.mode, FileKey.wrapped_dek).where(
            FileKey.file_id == image_id, FileKey.state != "destroyed"
        )
        with self._uow.read_rows() as connection:
            rows = connection.execute(chosen).all()
        if not rows:
            return None
        envelopes = {
            row.version_id: Envelope.from_row(row.wrapped_dek).to_sidecar()
            for row in rows
            if row.mode == "envelope" and row.wrapped_dek is not None
        }
        return KeptKeys("envelope" if envelopes else "direct", envelopes)

    def _following(self, path: ObjectPath, sidecar: Sidecar, kept: KeptKeys) -> Sidecar:
        if sidecar.public.mode != kept.mode:
            return self._sealed_again(path, sidecar, kept)
        entries = (_of(entry, kept) for entry in sidecar.entries)
        return replace(sidecar, entries=tuple(entries))

    def _sealed_again(self, path: ObjectPath, sidecar: Sidecar, kept: KeptKeys) -> Sidecar:
        """The mode is authenticated by the private part, which is therefore sealed anew."""
        if len(sidecar.entries) > 1:
            raise KeyManagementError(
                "This file's key is being rotated; try again", operation="keys.sidecar"
            )
        (entry,) = sidecar.entries
        with self._store.blobs.open(path.original) as handle:
            header = read_header(handle)
        dek = self._keys().key(path.image_id, entry.key_version)
        facts = sidecar.open_private(sidecar.entry_of(header), dek, header)
        public = replace(sidecar.public, mode=kept.mode)
        bare = Sidecar(sidecar.file_id, public, ())
        return bare.with_entry(replace(_of(entry, kept), private=b""), facts, dek, header)


def _of(entry: SidecarEntry, kept: KeptKeys) -> SidecarEntry:
    return replace(entry, wrapped_dek=kept.envelopes.get(entry.key_version))
