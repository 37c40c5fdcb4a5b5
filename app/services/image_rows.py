"""The rows of an accepted picture, written in one transaction after its blobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.crypto.blind_index import dedupe_index
from app.domain.access import Actor
from app.domain.limits import after_reserving
from app.domain.media_kinds import MediaKind
from app.domain.states import ImageStatus
from app.errors import DarkroomError
from app.models import Image
from app.models.image import NOT_DESTROYED
from app.services.audit import AuditLog, Subject
from app.services.counters import count_image

if TYPE_CHECKING:
    from app.crypto.stream import SealedFacts
    from app.db.session import UnitOfWork
    from app.services.keys import FileKeyService, NewFileKey, RootKeys
    from app.services.new_image import NewImage
    from app.services.quota import Quota
    from app.services.tags import Tags
    from app.storage.object_paths import ObjectPath

ROOT: Final = "blind"


class ImageRows:
    """Writes and finds rows; every method is given its transaction."""

    def __init__(
        self,
        *,
        roots: RootKeys,
        keys: FileKeyService,
        quota: Quota,
        tags: Tags,
        audit: AuditLog,
    ) -> None:
        self._roots = roots
        self._keys = keys
        self._quota = quota
        self._tags = tags
        self._audit = audit

    def require_room(self, session: Session, user_id: UUID, size: int) -> None:
        """Raise QuotaExceeded before any work is done; the exact count comes with the row."""
        after_reserving(self._quota.usage(session, user_id), size)

    def room_left(self, session: Session, user_id: UUID) -> int | None:
        """Return how many bytes fit; None: no limit."""
        return self._quota.usage(session, user_id).left

    def duplicate(self, session: Session, collection_id: UUID, sha256: bytes) -> UUID | None:
        """Return the picture of the collection that has these bytes, trashed ones too."""
        marks = [
            dedupe_index(key, collection_id, sha256) for key in self._roots.all(ROOT).values()
        ]
        return session.execute(
            select(Image.id).where(
                Image.collection_id == collection_id, Image.dedupe.in_(marks), NOT_DESTROYED
            )
        ).scalar()

    def is_recorded(self, uow: UnitOfWork, image_id: UUID) -> bool:
        """Tell whether the picture has its row; when nobody can say, it counts as there."""
        try:
            with uow.read() as session:
                return session.scalar(select(Image.id).where(Image.id == image_id)) is not None
        except DarkroomError:
            return True

    def add(
        self,
        session: Session,
        actor: Actor,
        image: NewImage,
        path: ObjectPath,
        key: NewFileKey,
        facts: SealedFacts,
    ) -> None:
        """Record a picture whose blobs are on the disk.

        QuotaExceeded if it has no room, KeyManagementError where this worker wraps keys
        under a master key that was replaced.
        """
        self._quota.reserve(session, image.uploader_id, image.size)
        self._keys.require_present_master(session)
        session.add(self._row(image, path, facts))
        session.add(self._keys.row(key))
        session.flush()
        count_image(session, image.target.id, image.sort_at, 1)
        self._tags.attach(
            session,
            image_id=image.id,
            collection_id=image.target.id,
            sort_at=image.sort_at,
            names=image.wishes.tags,
        )
        self._audit.append(
            session,
            "image.upload",
            actor=actor,
            subject=Subject("image", image.id),
            details={"size": image.size, "type": image.rendered.mime_type},
        )

    def _row(self, image: NewImage, path: ObjectPath, facts: SealedFacts) -> Image:
        blind = self._roots.active(ROOT).key
        return Image(
            id=image.id,
            collection_id=image.target.id,
            uploader_id=image.uploader_id,
            store_slug=path.slug,
            stored_name=str(path.stored_name),
            kind=MediaKind.IMAGE.value,
            mime_type=image.rendered.mime_type,
            size=image.size,
            enc_size=facts.enc_size,
            status=ImageStatus.READY.value,
            sort_at=image.sort_at,
            created_at=image.at,
            updated_at=image.at,
            is_public=image.wishes.is_public,
            expires_at=image.wishes.expires_at,
            provenance=image.wishes.provenance,
            dedupe=dedupe_index(blind, image.target.id, image.sha256),
            card=image.card,
            meta=image.meta,
        )
