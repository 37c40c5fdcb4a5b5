"""Is what moved in really here? Source and stored original are both opened and compared."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.crypto.context import Role
from app.domain.access import Action, Actor, require
from app.domain.states import ImageStatus
from app.errors import (
    BlobNotFound,
    DecryptionFailed,
    InvalidInput,
    KeyDamaged,
    KeyNotFound,
    NotFound,
    RefusedError,
    SidecarInvalid,
)
from app.services.collection_access import CollectionAccess, find_collection, find_personal
from app.services.examination import digest
from app.services.image_access import ImageAccess, image_by_id
from app.services.migration.boxes import BoxMoves, boxes_of_file
from app.services.migration.folder_import import NO_PICTURE, refused
from app.services.migration.label_files import read_labels
from app.services.migration.opened import Opener, identity_of
from app.services.migration.outcome import Outcome, Verdict
from app.services.migration.sources import Source

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.formats.labelled_box import LabelledBox
    from app.services.image_rows import ImageRows
    from app.storage.encrypted_store import EncryptedStore

Identities = Mapping[Path, tuple[int, ...]]
NOT_HERE: Final = "It is not in the collection: import it first."
NOT_SERVED: Final = "The picture of it lies in the trash, or is set aside as damaged."
NOT_EQUAL: Final = "The stored copy is missing, damaged, or not equal to the source."
OTHER_BOXES: Final = "boxes of its labels are missing in the picture, or were changed there."


@dataclass(frozen=True, slots=True)
class Proven:
    """``identities`` of every file of the source, from before it was read."""

    outcome: Outcome
    source: Source
    identities: Identities


class Proof:
    """Reads both sides, changes neither."""

    def __init__(
        self, uow: UnitOfWork, rows: ImageRows, store: EncryptedStore, boxes: BoxMoves
    ) -> None:
        self._uow = uow
        self._rows = rows
        self._store = store
        self._boxes = boxes

    def prove(
        self, actor: Actor, slug: str | None, source: Source, opener: Opener
    ) -> Proven | Outcome:
        """Compare one source with what is stored; an `Outcome` says why it is not proven."""
        try:
            identities = {path: identity_of(path) for path in (source.path, *source.beside)}
            outcome = self._prove(actor, slug, source, opener)
        except (BlobNotFound, KeyNotFound, KeyDamaged, SidecarInvalid):
            return refused(source.name, InvalidInput(NOT_EQUAL))
        except (RefusedError, DecryptionFailed, OSError) as failure:
            return refused(source.name, failure)
        return Proven(outcome, source, identities)

    def _prove(self, actor: Actor, slug: str | None, source: Source, opener: Opener) -> Outcome:
        if source.alone:
            raise InvalidInput(NO_PICTURE)
        labels = read_labels(source)
        with opener.open(source) as opened:
            sha256, size = digest(opened.content).sha256, opened.size
        image = self._stored(actor, slug, sha256)
        self._compare(image, sha256, size)
        if labels:
            self._compare_labels(actor, image, labels)
        return Outcome(source.name, Verdict.PROVEN, image_id=image.id, boxes=len(labels))

    def _stored(self, actor: Actor, slug: str | None, sha256: bytes) -> ImageAccess:
        with self._uow.read() as session:
            target = self.target(actor, slug)
            known = self._rows.duplicate(session, target.id, sha256)
            image = image_by_id(session, actor, known) if known is not None else None
        if image is None:
            raise InvalidInput(NOT_HERE)
        if image.facts.status is not ImageStatus.READY:
            raise InvalidInput(NOT_SERVED)
        return image

    def target(self, actor: Actor, slug: str | None) -> CollectionAccess:
        """The collection that was imported into; raises ``NotFound``, ``NotPermitted``."""
        with self._uow.read() as session:
            target = (
                find_collection(session, actor, slug) if slug else find_personal(session, actor)
            )
        require(actor, Action.UPLOAD, target.facts if target is not None else None)
        if target is None:
            raise NotFound("There is no such collection.", operation="migration.target")
        return target

    def _compare(self, image: ImageAccess, sha256: bytes, size: int) -> None:
        """Every chunk of the original is verified and hashed; its sidecar opens, too."""
        stored, length = hashlib.sha256(), 0
        key = image.path.key(Role.ORIGINAL, 0)
        try:
            with self._store.open(key, image.id, Role.ORIGINAL, 0, image.floor) as blob:
                for chunk in blob.reader.chunks():
                    stored.update(chunk)
                    length += len(chunk)
                header = blob.reader.header
            sidecar = self._store.read_sidecar(image.path)
            sidecar.open_private(sidecar.entry_of(header), self._store.key_of(header), header)
        except DecryptionFailed:
            raise InvalidInput(NOT_EQUAL) from None
        if length != size or not hmac.compare_digest(stored.digest(), sha256):
            raise InvalidInput(NOT_EQUAL)

    def _compare_labels(
        self, actor: Actor, image: ImageAccess, labels: tuple[LabelledBox, ...]
    ) -> None:
        width, height = self._shown_size(image)
        boxes = boxes_of_file(image.id, labels, width, height)
        differing = self._boxes.differing(actor, image.id, boxes)
        if differing:
            raise InvalidInput(f"{differing} of {len(boxes)} {OTHER_BOXES}")

    def _shown_size(self, image: ImageAccess) -> tuple[int, int]:
        card = image.sealed_card.told(image.id, {}) if image.sealed_card is not None else {}
        return int(card.get("width") or 0), int(card.get("height") or 0)
