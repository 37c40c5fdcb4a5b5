"""Setting a damaged image aside: it is served no more, the others are, and it is recorded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from app import metrics
from app.crypto.context import Role
from app.db.session import UnitOfWork
from app.domain.access import Actor
from app.domain.states import ImageStatus
from app.errors import DarkroomError
from app.models import Image
from app.services.audit import AuditLog, Subject
from app.services.image_access import ImageAccess

log = logging.getLogger("darkroom.quarantine")


class Quarantine:
    """Marks images; only what verified all of an image lifts the mark."""

    def __init__(self, uow: UnitOfWork, audit: AuditLog) -> None:
        self._uow = uow
        self._audit = audit

    def set_aside(
        self, image: ImageAccess, role: Role, variant: int, damage: DarkroomError
    ) -> None:
        """Mark the image as quarantined and say so in the audit log, once."""
        metrics.damage.inc()
        log.error("a file is damaged: set aside", exc_info=damage, extra={"image_id": image.id})
        with self._uow.write() as session:
            changed = session.execute(
                update(Image)
                .where(Image.id == image.id, Image.status == ImageStatus.READY.value)
                .values(status=ImageStatus.QUARANTINED.value)
                .returning(Image.id)
            ).first()
            if changed is not None:
                self._audit.append(
                    session,
                    "image.quarantined",
                    subject=Subject("image", image.id),
                    outcome="failed",
                    details={
                        "role": role.name.lower(),
                        "variant": variant,
                        "code": damage.code,
                    },
                )

    def lift(self, actor: Actor, image_id: UUID) -> bool:
        """Serve a picture again that was verified just now; False if it was not set aside."""
        with self._uow.write() as session:
            lifted = self._lift(session, image_id)
            if lifted:
                subject = Subject("image", image_id)
                self._audit.append(session, "image.released", actor=actor, subject=subject)
        return lifted

    def note_healed(self, actor: Actor, image_id: UUID, mended: Sequence[str]) -> bool:
        """Record what was mended of a picture that is in order now, and serve it again;
        False if it was not set aside."""
        with self._uow.write() as session:
            lifted = self._lift(session, image_id)
            self._audit.append(
                session,
                "image.healed",
                actor=actor,
                subject=Subject("image", image_id),
                details={"mended": list(mended), "released": lifted},
            )
        return lifted

    def _lift(self, session: Session, image_id: UUID) -> bool:
        changed = session.execute(
            update(Image)
            .where(Image.id == image_id, Image.status == ImageStatus.QUARANTINED.value)
            .values(status=ImageStatus.READY.value)
            .returning(Image.id)
        ).first()
        return changed is not None

    def note_derivative(self, image: ImageAccess, role: Role, variant: int) -> None:
        """Record that a damaged thumbnail or preview is being made again."""
        metrics.damage.inc()
        log.warning("a damaged preview is made again", extra={"image_id": image.id})
        with self._uow.write() as session:
            self._audit.append(
                session,
                "derivative.damaged",
                subject=Subject("image", image.id),
                outcome="failed",
                details={"role": role.name.lower(), "variant": variant},
            )

    def note_part(self, image: ImageAccess, part: str, kind: str) -> None:
        """Record damage beside the original; the picture goes on being served."""
        metrics.damage.inc()
        with self._uow.write() as session:
            self._audit.append(
                session,
                "image.damaged",
                subject=Subject("image", image.id),
                outcome="failed",
                details={"part": part, "kind": kind},
            )
