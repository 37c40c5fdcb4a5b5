"""Handing out pictures: authorise, compare the ETag, then open, verify and stream.

`ticket` is one SELECT and touches neither store nor vault, so that a 304 costs nothing.
`open` verifies the header and the length; the first chunk is verified by the first read.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from app.crypto.context import Role
from app.crypto.mac import blob_etag
from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import ANONYMOUS as NOBODY
from app.domain.access import Action, Actor, allows, require
from app.domain.states import ImageStatus
from app.errors import (
    BlobNotFound,
    DarkroomError,
    DecryptionFailed,
    Gone,
    KeyDamaged,
    KeyManagementError,
    KeyNotFound,
    NotFound,
    Quarantined,
    RolledBack,
    StoreUnavailable,
)
from app.media.formats import shows_inline
from app.services.derivatives import THUMBNAIL_SIZES, Derivatives
from app.services.image_access import ImageAccess, image_by_id, image_by_stored_name
from app.services.keys import RootKeys
from app.services.quarantine import Quarantine
from app.services.signed_urls import Purpose, SignedView, read_token, sign_view
from app.storage.encrypted_store import EncryptedStore, OpenBlob
from app.storage.marker import read_marker

log = logging.getLogger("darkroom.delivery")
DAMAGE = (DecryptionFailed, BlobNotFound, KeyNotFound, KeyDamaged)
"""What sets a picture aside. The keys' service has made sure of the vault before it says that
a key is missing or damaged."""
OVERTAKEN = (RolledBack, KeyManagementError)
"""What also a reader meets whose floor is older than a rotation: an unknown key, or one whose
grace was over before the reader had it."""
ASKED_AGAIN = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ticket:
    """A decision to hand out one blob; ``etag`` without quotes, ``size`` in bytes."""

    image: ImageAccess
    role: Role
    variant: int
    etag: str
    actor: Actor | None

    @property
    def is_original(self) -> bool:
        return self.role is Role.ORIGINAL

    @property
    def shows_inline(self) -> bool:
        """Whether browsers show the original, and run nothing that it may hold."""
        return shows_inline(self.image.mime_type)


class DeliveryService:
    """Usable by several threads; keeps no state of its own."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        store: EncryptedStore,
        roots: RootKeys,
        derivatives: Derivatives,
        quarantine: Quarantine,
        overdue: Callable[[UUID], None] | None = None,
    ) -> None:
        """``overdue`` is told of every picture that is read with a key past its time."""
        self._uow = uow
        self._store = store
        self._roots = roots
        self._derivatives = derivatives
        self._quarantine = quarantine
        self._overdue = overdue

    def original(self, actor: Actor, image_id: UUID) -> Ticket:
        """Decide about the file as it was uploaded."""
        return self._decide(actor, self._by_id(actor, image_id), Role.ORIGINAL, 0)

    def preview(self, actor: Actor, image_id: UUID) -> Ticket:
        """Decide about the picture at no more than 1600 pixels."""
        return self._decide(actor, self._by_id(actor, image_id), Role.PREVIEW, 0)

    def thumbnail(self, actor: Actor, image_id: UUID, size: int) -> Ticket:
        """Decide about a thumbnail; NotFound for a size that is not made."""
        if size not in THUMBNAIL_SIZES:
            raise NotFound("There is no thumbnail of this size.", operation="delivery.size")
        return self._decide(actor, self._by_id(actor, image_id), Role.THUMBNAIL, size)

    def stored(self, actor: Actor, slug: str, stored_name: str) -> tuple[Ticket, str | None]:
        """Decide about the original at the address that the store uses.

        The second value is where the picture's address is now, if it is another (308). A
        stored name is one of a kind and drawn at random: it finds the picture from any
        collection that it has ever been in, and the decision is about the picture alone.
        """
        with self._uow.read_rows() as connection:
            image = image_by_stored_name(connection, actor, stored_name)
        if image is not None and slug != image.slug:
            image = image if allows(actor, Action.SEE_PLACE, image.facts) else None
        ticket = self._decide(actor, image, Role.ORIGINAL, 0)
        return ticket, None if ticket.image.slug == slug else ticket.image.url

    def sign_view(self, image_id: UUID, link_epoch: int, expires: int) -> str:
        """Return the token of an address that shows the original until Unix time ``expires``.

        The caller has decided that whoever gets it may see the image.
        """
        view = SignedView(image_id, Role.ORIGINAL, 0, Purpose.VIEW, link_epoch, expires)
        return sign_view(view, self._roots)

    def signed(self, token: str, now: int) -> tuple[Ticket, SignedView]:
        """Decide about a signed address at Unix time ``now``; Gone when it ran out."""
        view = read_token(token, self._roots)
        with self._uow.read_rows() as connection:
            image = image_by_id(connection, NOBODY, view.image_id)
        if image is None or image.facts.status in {ImageStatus.TRASHED, ImageStatus.DESTROYED}:
            raise NotFound("There is nothing at this address.", operation="url.open")
        if view.expires <= now or view.link_epoch != image.link_epoch:
            raise Gone("This address has expired. Ask for a new one.", operation="url.open")
        return self._ticket(image, view.role, view.variant, None), view

    def open(self, ticket: Ticket) -> OpenBlob:
        """Open an original with its length verified; a damaged one is set aside: Quarantined.

        The first chunk is verified by the first read, which belongs before the status line.
        """
        try:
            return self._asking_again(ticket, self._open)
        except DAMAGE as damage:
            raise self._set_aside(ticket, damage) from None

    def read(self, ticket: Ticket) -> bytes:
        """Return a derivative whole; one that is missing or damaged is made again."""
        with suppress(*DAMAGE):
            return self._asking_again(ticket, self._read)
        try:
            return self._asking_again(self._refreshed(ticket), self._read_or_make)
        except DAMAGE as damage:
            raise self._set_aside(ticket, damage) from None

    def _asking_again(self, ticket: Ticket, act: Callable[[Ticket], T]) -> T:
        """What the database said may be overtaken by a rotation before the blob is open, and
        on a busy machine by the next one too. What is refused after that was rolled back."""
        for _ in range(ASKED_AGAIN):
            try:
                return self._noting_age(ticket, act(ticket))
            except OVERTAKEN:
                ticket = self._refreshed(ticket)
        return act(ticket)

    def _noting_age(self, ticket: Ticket, result: T) -> T:
        due = ticket.image.key_due_at
        if self._overdue is not None and due is not None and due <= utc_now():
            self._overdue(ticket.image.id)
        return result

    def _read_or_make(self, ticket: Ticket) -> bytes:
        """Once more, since another request may have made it in the meantime; else make it."""
        found = self._read_noting(ticket)
        if found is not None:
            return found
        self._derivatives.make(ticket.image, ticket.role, ticket.variant)
        return self._read(ticket)

    def _read_noting(self, ticket: Ticket) -> bytes | None:
        """None for one that is missing or damaged, of which the latter is recorded."""
        with suppress(BlobNotFound):  # not made at the upload, or lost with the power
            try:
                return self._read(ticket)
            except DecryptionFailed:
                self._quarantine.note_derivative(ticket.image, ticket.role, ticket.variant)
        return None

    def damaged(self, ticket: Ticket, damage: DecryptionFailed) -> Quarantined:
        """Take note of damage that showed in a later chunk; return the refusal."""
        return self._set_aside(ticket, damage)

    def _by_id(self, actor: Actor, image_id: UUID) -> ImageAccess | None:
        with self._uow.read_rows() as connection:
            return image_by_id(connection, actor, image_id)

    def _decide(
        self, actor: Actor, image: ImageAccess | None, role: Role, variant: int
    ) -> Ticket:
        action = Action.DOWNLOAD if role is Role.ORIGINAL else Action.SEE_IMAGE
        require(actor, action, image.facts if image is not None else None)
        if image is None:
            raise NotFound("There is nothing here.", operation="delivery.decide")
        return self._ticket(image, role, variant, actor)

    def _ticket(
        self, image: ImageAccess, role: Role, variant: int, actor: Actor | None
    ) -> Ticket:
        if image.facts.status is ImageStatus.QUARANTINED:
            raise damaged_file()
        key = self._roots.active("etag").key
        etag = blob_etag(key, image.id, role, variant, image.content_rev)[:16].hex()
        return Ticket(image, role, variant, etag, actor)

    def _open(self, ticket: Ticket) -> OpenBlob:
        image = ticket.image
        key = image.path.key(ticket.role, ticket.variant)
        blob = self._store.open(key, image.id, ticket.role, ticket.variant, image.floor)
        try:
            _ = blob.reader.plain_size  # the final chunk, before the length is believed
        except BaseException:
            blob.close()
            raise
        return blob

    def _read(self, ticket: Ticket) -> bytes:
        image = ticket.image
        key = image.path.key(ticket.role, ticket.variant)
        with self._store.open(key, image.id, ticket.role, ticket.variant, image.floor) as blob:
            return blob.reader.read_all()

    def _refreshed(self, ticket: Ticket) -> Ticket:
        """The same decision with what the database says now."""
        with self._uow.read_rows() as connection:
            image = image_by_id(connection, ticket.actor or NOBODY, ticket.image.id)
        if image is None or image.facts.status is ImageStatus.DESTROYED:
            raise NotFound("There is nothing here.", operation="delivery.open")
        return replace(ticket, image=image)

    def _set_aside(self, ticket: Ticket, damage: DarkroomError) -> Quarantined:
        """Quarantine what is damaged, but take no lost mount for lost pictures."""
        if isinstance(damage, BlobNotFound) and read_marker(self._store.blobs) is None:
            raise StoreUnavailable(
                "The store is not there: its marker file is missing. Is its file system"
                " mounted?",
                operation="delivery.open",
            )
        # A picture that is being destroyed loses its key first: that is no damage.
        image = self._refreshed(ticket).image
        self._quarantine.set_aside(image, ticket.role, ticket.variant, damage)
        return damaged_file()


def damaged_file() -> Quarantined:
    """Return the refusal for a file that was set aside."""
    return Quarantined(
        "This file is damaged and was set aside. Restore it from a backup.",
        operation="delivery.quarantined",
    )
