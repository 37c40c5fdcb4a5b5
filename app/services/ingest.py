"""Taking in a picture: looked at, decoded, sealed, and only then known to the database.

Order: blob, sidecar, derivatives, row. Until the row is committed nothing points at the
blobs, and after a failure everything that was made is taken away again, the key first. A
crash leaves at most sealed orphans that `reconcile` reports.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.crypto.stream import SealedFacts
from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.filenames import clean_filename
from app.domain.media_kinds import MediaKind
from app.domain.states import ImageStatus
from app.errors import Conflict, DarkroomError, NotFound
from app.services.collection_access import CollectionAccess, find_collection, find_personal
from app.services.derivatives import derivative_of
from app.services.examination import ACCEPTED_TYPES, Examination, Offer, Source
from app.services.image_rows import ImageRows
from app.services.keys import FileKeyService, NewFileKey
from app.services.new_image import NewImage, Wishes
from app.services.trash import Trash
from app.storage.encrypted_store import EncryptedStore
from app.storage.object_paths import ObjectPath, new_stored_name

log = logging.getLogger("darkroom.ingest")
TRIES = 3
"""How often the same bytes may be on their way out when they come in, one twin a try."""


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


class IngestService:
    """Accepts one file after another; usable by several threads."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        store: EncryptedStore,
        keys: FileKeyService,
        examination: Examination,
        rows: ImageRows,
        trash: Trash,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._store = store
        self._keys = keys
        self._examination = examination
        self._rows = rows
        self._trash = trash
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

    def try_out(self, actor: Actor, offer: Offer, wishes: Wishes) -> bool:
        """Look at a file as `accept` would and store nothing; tell whether it is known."""
        target, uploader = self._target(actor, wishes.collection)
        return isinstance(self._examination.examine(target, uploader, offer), UUID)

    def look_at(self, actor: Actor, offer: Offer, wishes: Wishes) -> UUID | tuple[int, int]:
        """As `try_out`: the picture that the file is, or the width and height that it would
        be shown with."""
        target, uploader = self._target(actor, wishes.collection)
        found = self._examination.examine(target, uploader, offer)
        if isinstance(found, UUID):
            return found
        return found.rendered.width, found.rendered.height

    def accept(self, actor: Actor, offer: Offer, wishes: Wishes) -> Stored:
        """Store one file, or raise a RefusedError and leave nothing behind."""
        target, uploader = self._target(actor, wishes.collection)
        for _ in range(TRIES):
            stored = self._accept(actor, target, uploader, offer, wishes)
            if stored is not None:
                return stored
        raise Conflict(
            "The same file is being destroyed at this moment. Upload it again.",
            operation="ingest.twin",
        )

    def _accept(
        self,
        actor: Actor,
        target: CollectionAccess,
        uploader: UUID,
        offer: Offer,
        wishes: Wishes,
    ) -> Stored | None:
        """None where the collection had the file until a moment ago."""
        found = self._examination.examine(target, uploader, offer)
        if isinstance(found, UUID):
            return self._welcome_back(actor, found, wishes)
        image = NewImage(
            id=uuid4(),
            target=target,
            uploader_id=uploader,
            name=clean_filename(offer.filename),
            size=offer.size,
            sha256=found.digests.sha256,
            md5=found.digests.md5,
            rendered=found.rendered,
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

    def _keep(self, actor: Actor, image: NewImage, source: Source) -> Stored | None:
        now_ms = int(image.at.timestamp() * 1000)
        name = new_stored_name(MediaKind.IMAGE, image.rendered.extension, now_ms)
        path = ObjectPath(image.target.slug, image.id, name)
        try:
            key = self._keys.new(image.id)
            facts = self._seal(image, path, key, source)
            with self._uow.write() as session:
                _require_still(session, actor, image.target)
                self._rows.add(session, actor, image, path, key, facts)
        except Conflict as conflict:
            self._take_away(path)
            return self._welcome_twin(actor, image, conflict)
        except BaseException:
            # A commit may fail after it took effect: then the picture is there, and stays.
            if not self._rows.is_recorded(self._uow, image.id):
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
            replace(image.public, mode=key.mode),
            image.private,
            wrapped_dek=key.wrapped_dek,
        )
        for side, data in image.rendered.derivatives.items():
            role, variant = derivative_of(side)
            self._store.seal_derivative(
                path, image.id, key.dek, key.version, role, variant, data
            )
        return facts

    def _take_away(self, path: ObjectPath) -> None:
        """Undo after a failure; what cannot be undone is sealed and found by reconcile."""
        with _only_noted():
            self._keys.destroy(path.image_id)
        with _only_noted():
            self._store.discard(path)

    def _welcome_twin(self, actor: Actor, image: NewImage, conflict: Conflict) -> Stored | None:
        """Another upload of the same bytes was quicker: theirs is the picture."""
        with self._uow.read() as session:
            known = self._rows.duplicate(session, image.target.id, image.sha256)
        if known is None:
            if "dedupe" not in str(conflict.details.get("constraint")):
                raise conflict
            return None  # and theirs was destroyed since
        return self._welcome_back(actor, known, image.wishes)

    def _welcome_back(self, actor: Actor, image_id: UUID, wishes: Wishes) -> Stored | None:
        """A picture that the collection has already, taken out of the trash if it lay there.

        None where it was destroyed after it was found: nothing is left to bring back.
        """
        try:
            card = self._trash.bring_back(actor, image_id, wishes.expires_at)
        except NotFound:
            return None
        if card.status == ImageStatus.QUARANTINED.value:
            raise Conflict(
                "The collection has this file already, but damaged. Destroy the damaged"
                " picture, then upload the file again.",
                operation="ingest.damaged",
            )
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


@contextmanager
def _only_noted() -> Iterator[None]:
    try:
        yield
    except DarkroomError as error:
        log.warning("an upload could not be taken back whole", exc_info=error)


def _require_still(session: Session, actor: Actor, target: CollectionAccess) -> None:
    """Decoding takes seconds, in which a member may go and a collection be deleted."""
    now = find_collection(session, actor, target.slug)
    require(actor, Action.UPLOAD, now.facts if now is not None else None)


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
