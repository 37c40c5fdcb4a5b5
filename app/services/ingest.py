"""Taking in a picture: looked at, decoded, sealed, and only then known to the database.

Order: blob, sidecar, derivatives, row. Until the row is committed nothing points at the
blobs, and after a failure everything that was made is taken away again, the key first. A
crash leaves at most sealed orphans that `reconcile` reports.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader, BytesIO
from typing import BinaryIO, Protocol
from uuid import UUID, uuid4

from app.crypto.stream import SealedFacts
from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.filenames import clean_filename
from app.domain.media_kinds import MediaKind
from app.errors import (
    Conflict,
    DarkroomError,
    FileTooLarge,
    InvalidInput,
    NotFound,
    UnsupportedType,
)
from app.media.formats import CLIPS_REFUSED, FORMATS, FileType
from app.media.probe import HEAD_BYTES, probe
from app.media.rendered import Rendered
from app.services.collection_access import CollectionAccess, find_collection, find_personal
from app.services.derivatives import derivative_of
from app.services.image_rows import ImageRows
from app.services.keys import FileKeyService, NewFileKey
from app.services.new_image import NewImage, Wishes
from app.services.trash import Trash
from app.storage.encrypted_store import EncryptedStore
from app.storage.object_paths import ObjectPath, new_stored_name
from app.storage.spool import SealedSpool

log = logging.getLogger("darkroom.ingest")

BLOCK = 1 << 20
ACCEPTED_TYPES = tuple(
    row.file_type.mime_type for row in FORMATS if row.file_type.kind == "image"
)
Source = SealedSpool | BufferedReader | BytesIO


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that somebody offers; ``source`` is rewound before each reading."""

    filename: str
    source: Source
    size: int
    overflowed: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of an accepted file; ``width`` and ``height`` as the picture is shown."""

    id: UUID
    name: str
    size: int
    mime_type: str
    width: int
    height: int
    duplicate: bool
    link_epoch: int = 0


@dataclass(frozen=True, slots=True)
class Digests:
    """Of the plaintext."""

    sha256: bytes
    md5: bytes


class Renderer(Protocol):
    """The decoder: plaintext in, metadata and derivatives out."""

    def render(self, source: BinaryIO, size: int, file_type: FileType) -> Rendered: ...


class IngestService:
    """Accepts one file after another; usable by several threads."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        store: EncryptedStore,
        keys: FileKeyService,
        decoder: Renderer,
        rows: ImageRows,
        trash: Trash,
        max_size: int,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._store = store
        self._keys = keys
        self._decoder = decoder
        self._rows = rows
        self._trash = trash
        self._max_size = max_size
        self._clock = clock

    def room_left(self, actor: Actor) -> int | None:
        """Return how many bytes the caller may still store; None: no limit."""
        if actor.user_id is None:
            return 0
        with self._uow.read() as session:
            return self._rows.room_left(session, actor.user_id)

    def accepted_types(self) -> tuple[str, ...]:
        """Return the MIME types that are taken in."""
        return ACCEPTED_TYPES

    def accept(self, actor: Actor, offer: Offer, wishes: Wishes) -> Stored:
        """Store one file, or raise a RefusedError and leave nothing behind."""
        target, uploader = self._target(actor, wishes.collection)
        self._check_size(offer)
        file_type = _type_of(offer)
        digests = _digest(offer.source)
        with self._uow.read() as session:
            known = self._rows.duplicate(session, target.id, digests.sha256)
            if known is None:
                self._rows.require_room(session, uploader, offer.size)
        if known is not None:
            return self._welcome_back(actor, known)
        offer.source.seek(0)
        rendered = self._decoder.render(offer.source, offer.size, file_type)
        image = NewImage(
            id=uuid4(),
            target=target,
            uploader_id=uploader,
            name=clean_filename(offer.filename),
            size=offer.size,
            sha256=digests.sha256,
            md5=digests.md5,
            rendered=rendered,
            wishes=wishes,
            at=self._clock(),
        )
        return self._keep(actor, image, offer.source)

    def _target(self, actor: Actor, slug: str | None) -> tuple[CollectionAccess, UUID]:
        with self._uow.read() as session:
            target = (
                find_collection(session, actor, slug) if slug else find_personal(session, actor)
            )
        require(actor, Action.UPLOAD, target.facts if target is not None else None)
        if target is None or actor.user_id is None:
            raise NotFound("There is no such collection.", operation="ingest.target")
        return target, actor.user_id

    def _check_size(self, offer: Offer) -> None:
        if offer.overflowed or offer.size > self._max_size:
            raise FileTooLarge(
                f"The file is larger than {self._max_size >> 20} MiB, the limit for one file.",
                operation="ingest.size",
            )
        if offer.size == 0:
            raise InvalidInput("The file is empty.", operation="ingest.size")

    def _keep(self, actor: Actor, image: NewImage, source: Source) -> Stored:
        now_ms = int(image.at.timestamp() * 1000)
        name = new_stored_name(MediaKind.IMAGE, image.rendered.extension, now_ms)
        path = ObjectPath(image.target.slug, image.id, name)
        key = self._keys.new(image.id)
        try:
            facts = self._seal(image, path, key, source)
            with self._uow.write() as session:
                self._rows.add(session, actor, image, path, key, facts)
        except Conflict:
            self._take_away(path)
            return self._welcome_twin(actor, image)
        except BaseException:
            self._take_away(path)
            raise
        return _stored(image)

    def _seal(
        self, image: NewImage, path: ObjectPath, key: NewFileKey, source: Source
    ) -> SealedFacts:
        """Original and sidecar first: derivatives can be made again, these cannot."""
        source.seek(0)
        facts = self._store.seal_original(
            path,
            image.id,
            key.dek,
            key.version,
            source,
            image.size,
            image.public,
            image.private,
        )
        for side, data in image.rendered.derivatives.items():
            role, variant = derivative_of(side)
            self._store.seal_derivative(
                path, image.id, key.dek, key.version, role, variant, data
            )
        return facts

    def _take_away(self, path: ObjectPath) -> None:
        """Undo after a failure; what cannot be undone is sealed and found by reconcile."""
        try:
            self._keys.destroy(path.image_id)
            self._store.discard(path)
        except DarkroomError as error:
            log.warning("an upload could not be taken back whole", exc_info=error)

    def _welcome_twin(self, actor: Actor, image: NewImage) -> Stored:
        """Another upload of the same bytes was quicker: theirs is the picture."""
        with self._uow.read() as session:
            known = self._rows.duplicate(session, image.target.id, image.sha256)
        if known is None:
            raise Conflict(
                "The file could not be stored beside another. Try again.",
                operation="ingest.twin",
            )
        return self._welcome_back(actor, known)

    def _welcome_back(self, actor: Actor, image_id: UUID) -> Stored:
        """A picture that the collection has already, taken out of the trash if it lay there."""
        card = self._trash.bring_back(actor, image_id)
        return Stored(
            id=card.id,
            name=card.name or "",
            size=card.size,
            mime_type=card.mime_type,
            width=card.width,
            height=card.height,
            duplicate=True,
            link_epoch=card.link_epoch,
        )


def _stored(image: NewImage) -> Stored:
    return Stored(
        id=image.id,
        name=image.name,
        size=image.size,
        mime_type=image.rendered.mime_type,
        width=image.rendered.width,
        height=image.rendered.height,
        duplicate=False,
    )


def _type_of(offer: Offer) -> FileType:
    offer.source.seek(0)
    file_type = probe(offer.source.read(HEAD_BYTES), offer.size)
    if file_type.kind != "image":
        raise UnsupportedType(CLIPS_REFUSED, operation="ingest.kind")
    return file_type


def _digest(source: Source) -> Digests:
    """Hash the plaintext in one pass; MD5 is told to clients and protects nothing."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    source.seek(0)
    while block := source.read(BLOCK):
        sha256.update(block)
        md5.update(block)
    return Digests(sha256.digest(), md5.digest())
