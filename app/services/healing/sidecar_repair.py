"""Writing a sidecar again from the row and the blob that it belongs to."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.crypto.stream import SealedFacts
from app.models import Collection
from app.services.keys import Envelope
from app.services.verification.blobs import Blob
from app.services.verification.rows import Expected
from app.storage.sidecar import PrivateFacts, PublicFacts, Sidecar, SidecarEntry

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.storage.encrypted_store import EncryptedStore


class SidecarRepair:
    """The caller holds the image's lock and has verified blob and row."""

    def __init__(self, uow: UnitOfWork, store: EncryptedStore) -> None:
        self._uow = uow
        self._store = store

    def write(self, expected: Expected, blob: Blob) -> None:
        """Put a sidecar with one entry in the place of whatever is there; durable."""
        public = PublicFacts(
            file_type=expected.image.kind,
            mime_type=expected.image.mime_type,
            mode="envelope" if expected.wrapped else "direct",
        )
        envelope = expected.envelopes.get(blob.header.key_version_id)
        facts = SealedFacts(
            header=blob.header,
            enc_size=blob.enc_size,
            plain_size=blob.plain_size,
            header_tag=blob.header.header_tag,
            final_tag=blob.final_tag,
        )
        entry = SidecarEntry.of_blob(
            facts, Envelope.from_row(envelope).to_sidecar() if envelope is not None else None
        )
        sidecar = Sidecar(expected.id, public, ()).with_entry(
            entry, self._private(expected), blob.key, blob.header
        )
        self._store.write_sidecar(expected.image.path, sidecar)

    def _private(self, expected: Expected) -> PrivateFacts:
        """What ingest wrote; the collection is the one of now, and so is its owner where
        the account of who uploaded it is gone."""
        image, card, meta = expected.image, expected.card or {}, expected.meta or {}
        return PrivateFacts(
            filename=str(card.get("name") or image.path.stored_name),
            owner_id=image.uploader_id or self._owner(image.collection_id),
            collection_id=image.collection_id,
            uploaded_at=expected.created_at.isoformat(),
            sha256=str(meta["sha256"]),
            md5=str(meta["md5"]),
            taken_at=meta.get("taken_at"),
            width=card.get("width"),
            height=card.get("height"),
            uploaded_from=meta.get("uploaded_from"),
            provenance=expected.provenance,
        )

    def _owner(self, collection_id: UUID) -> UUID:
        with self._uow.read_rows() as connection:
            wanted = select(Collection.owner_id).where(Collection.id == collection_id)
            return connection.execute(wanted).scalar_one()
