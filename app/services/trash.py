"""Out of sight, back again, and gone for good."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import case, delete, exists, select, update
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.states import ImageStatus
from app.errors import DarkroomError, NotFound
from app.jobs.watch import UNWATCHED, Watch
from app.models import FileKey, Image, ImageTag, Tag
from app.models.image import MARKED_DESTROYED, NOT_DESTROYED
from app.services.audit import AuditLog, Subject
from app.services.expiry import run_out
from app.services.image_access import ImageAccess, image_by_id
from app.services.image_card import COLUMNS, ImageCard, card_of
from app.services.label_tallies import count_with_labels
from app.services.receipts import ACTION, DEFAULT_TERMS, Receipt, ShredTerms, receipt_of
from app.storage.object_paths import ObjectPath, StoredName

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.keys import FileKeyService
    from app.services.quota import Quota
    from app.storage.encrypted_store import EncryptedStore

log = logging.getLogger("darkroom.trash")
DESTROYED = ImageStatus.DESTROYED.value
AT_ONCE = 50
"""Pictures that one transaction puts into the trash: others wait to write no longer."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of an image; ``destroyed_at`` is when its key is, or will be, shredded."""

    id: UUID
    status: str
    destroyed_at: datetime | None
    receipt: Receipt | None = None


class Trash:
    """Trash and restore change one row; destruction shreds the key first."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        store: EncryptedStore,
        keys: FileKeyService,
        quota: Quota,
        audit: AuditLog,
        days: int,
        terms: ShredTerms = DEFAULT_TERMS,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._store = store
        self._keys = keys
        self._quota = quota
        self._audit = audit
        self._keep = timedelta(days=days)
        self._terms = terms
        self._clock = clock

    def trash(self, actor: Actor, image_id: UUID) -> Removal:
        """Put an image into the trash; again is no error."""
        now = self._clock()
        due = now + self._keep
        with self._uow.write() as session:
            image = self._find(session, actor, Action.TRASH, image_id, again=True)
            self._take_in(session, image_id, now)
            put = session.execute(
                update(Image)
                .where(Image.id == image.id, Image.trashed_at.is_(None))
                .values(trashed_at=now, destroy_at=due, updated_at=now)
                .returning(Image.sort_at)
            ).first()
            if put is not None:
                count_with_labels(session, image.id, image.collection_id, put.sort_at, -1)
                self._note(session, "image.trash", actor, image_id)
            known = session.scalar(select(Image.destroy_at).where(Image.id == image.id))
            return Removal(image_id, ImageStatus.TRASHED.value, known)

    def restore(self, actor: Actor, image_id: UUID) -> ImageCard:
        """Take an image out of the trash; NotPermitted if it does not lie there."""
        with self._uow.write() as session:
            self._find(session, actor, Action.RESTORE, image_id)
            return self._back(session, actor, image_id)

    def bring_back(
        self, actor: Actor, image_id: UUID, keep_until: datetime | None = None
    ) -> ImageCard:
        """As restore, for a picture that was uploaded again, wherever it lies.

        One that lay in the trash is now kept as long as the new upload says.
        """
        with self._uow.write() as session:
            return self._back(session, actor, image_id, keep_until)

    def expire(self) -> int:
        """Put what is past its time into the trash; return how many images went."""
        with self._uow.read() as session:
            ids = session.scalars(select(Image.id).where(run_out(self._clock()))).all()
        gone = 0
        for start in range(0, len(ids), AT_ONCE):
            with self._uow.write() as session:
                for image_id in ids[start : start + AT_ONCE]:
                    gone += self._take_in(session, image_id, self._clock())
        return gone

    def destroy(self, actor: Actor, image_id: UUID) -> Removal:
        """Shred an image: key, sidecar, blobs, rows, in this order."""
        with self._uow.write() as session:
            image = self._find(session, actor, Action.DESTROY, image_id)
            self._mark(session, image.id)
        receipt = self._shred(image.path, actor)
        at = receipt.destroyed_at if receipt is not None else self._clock()
        return Removal(image_id, DESTROYED, at, receipt)

    def destroy_due(self, watch: Watch = UNWATCHED) -> int:
        """Shred what has lain in the trash for its time; return how many images are gone."""
        due = select(Image.id).where(
            Image.destroy_at <= self._clock(), Image.trashed_at.is_not(None), NOT_DESTROYED
        )
        with self._uow.read() as session:
            ids = session.scalars(due).all()
        for image_id in ids:
            with self._uow.write() as session:
                if session.scalar(due.where(Image.id == image_id)) is not None:
                    self._mark(session, image_id)
        return self.finish_destructions(watch)

    def finish_destructions(self, watch: Watch = UNWATCHED) -> int:
        """Go on with what a crash left marked; return how many images are gone now."""
        gone = 0
        for done, path in enumerate(self._marked()):
            watch.advance(done)
            try:
                self._shred(path, None)
                gone += 1
            except DarkroomError as error:
                log.warning("a destruction could not be finished", exc_info=error)
        return gone

    def _find(
        self,
        session: Session,
        actor: Actor,
        action: Action,
        image_id: UUID,
        *,
        again: bool = False,
    ) -> ImageAccess:
        image = image_by_id(session, actor, image_id)
        if again and image is not None and image.facts.status is ImageStatus.TRASHED:
            action = Action.RESTORE
        require(actor, action, image.facts if image is not None else None)
        if image is None:
            raise NotFound("There is nothing here.", operation="trash.find")
        return image

    def _take_in(self, session: Session, image_id: UUID, now: datetime) -> bool:
        """Let the row of a picture that is past its time say so; False if it is not.

        It is in the trash since its time ran out, but gets its days there from now on: a
        site that stood still for a month does not destroy at its start.
        """
        row = session.execute(
            update(Image)
            .where(Image.id == image_id, run_out(now))
            .values(trashed_at=Image.expires_at, destroy_at=now + self._keep, updated_at=now)
            .returning(Image.collection_id, Image.sort_at)
            .execution_options(synchronize_session=False)
        ).first()
        if row is not None:
            count_with_labels(session, image_id, row.collection_id, row.sort_at, -1)
            self._note(session, "image.expire", None, image_id)
        return row is not None

    def _back(
        self,
        session: Session,
        actor: Actor,
        image_id: UUID,
        keep_until: datetime | None = None,
    ) -> ImageCard:
        now = self._clock()
        self._take_in(session, image_id, now)
        ran_out = case((Image.expires_at <= now, None), else_=Image.expires_at)
        restored = session.execute(
            update(Image)
            .where(Image.id == image_id, Image.trashed_at.is_not(None), NOT_DESTROYED)
            .values(
                trashed_at=None,
                destroy_at=None,
                expires_at=ran_out if keep_until is None else keep_until,
                updated_at=now,
            )
            .returning(Image.collection_id, Image.sort_at)
            .execution_options(synchronize_session=False)
        ).first()
        if restored is not None:
            count_with_labels(session, image_id, restored.collection_id, restored.sort_at, 1)
            self._note(session, "image.restore", actor, image_id)
        row = session.execute(
            select(*COLUMNS).where(Image.id == image_id, NOT_DESTROYED)
        ).first()
        if row is None:
            raise NotFound("There is nothing here.", operation="trash.restore")
        return card_of(row, now)

    def _mark(self, session: Session, image_id: UUID) -> None:
        """From here on nobody sees it; a crash after this is finished at the next start."""
        row = session.execute(
            update(Image)
            .where(Image.id == image_id)
            .values(status=DESTROYED, updated_at=self._clock())
            .returning(Image.collection_id, Image.sort_at, Image.trashed_at)
        ).one()
        if row.trashed_at is None:
            count_with_labels(session, image_id, row.collection_id, row.sort_at, -1)
        session.execute(
            update(FileKey)
            .where(FileKey.file_id == image_id)
            .values(state="destroyed", wrapped_dek=None)
        )

    def _marked(self) -> Iterator[ObjectPath]:
        with self._uow.read() as session:
            rows = session.execute(
                select(Image.id, Image.store_slug, Image.stored_name).where(MARKED_DESTROYED)
            ).all()
        for row in rows:
            yield ObjectPath(row.store_slug, row.id, StoredName.parse(row.stored_name))

    def _shred(self, path: ObjectPath, actor: Actor | None) -> Receipt | None:
        """None where another worker was quicker: the receipt is its."""
        # Under the lock, so that whoever moves keys puts none back.
        with self._store.lock(path):
            self._keys.destroy(path.image_id)
        files = self._store.discard(path)
        with self._uow.write() as session:
            tags = _tags_of(session, path.image_id)
            row = session.execute(
                delete(Image)
                .where(Image.id == path.image_id)
                .returning(Image.uploader_id, Image.size)
            ).first()
            if row is None:
                return None
            if row.uploader_id is not None:
                self._quota.release(session, row.uploader_id, row.size)
            _drop_unused(session, tags)
            gone = delete(FileKey).where(FileKey.file_id == path.image_id)
            keys = session.execute(gone.returning(FileKey.id)).all()
            facts = self._terms.facts(files, len(keys), row.uploader_id)
            subject = Subject("image", path.image_id)
            event = self._audit.append(
                session, ACTION, actor=actor, subject=subject, details=facts
            )
            return receipt_of(event.id, path.image_id, event.at, facts)

    def _note(self, session: Session, action: str, actor: Actor | None, image_id: UUID) -> None:
        self._audit.append(session, action, actor=actor, subject=Subject("image", image_id))


def _tags_of(session: Session, image_id: UUID) -> Sequence[UUID]:
    wanted = select(ImageTag.tag_id).where(ImageTag.image_id == image_id)
    return session.scalars(wanted).all()


def _drop_unused(session: Session, tags: Sequence[UUID]) -> None:
    """A tag that no picture has any more goes with its last one."""
    used = exists().where(ImageTag.tag_id == Tag.id)
    session.execute(
        delete(Tag).where(Tag.id.in_(tags), ~used).execution_options(synchronize_session=False)
    )
