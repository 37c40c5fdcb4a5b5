"""What the database says of one picture, for whoever compares store and vault with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from app.domain.access import ANONYMOUS
from app.domain.states import ImageStatus
from app.errors import DecryptionFailed
from app.models import FileKey, Image
from app.models.image import NOT_DESTROYED
from app.services.image_access import ImageAccess, image_by_id

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

BATCH = 500


@dataclass(frozen=True, slots=True, repr=False)
class Expected:
    """``card`` and ``meta`` are None where they do not open; ``keys``: states by version.

    ``enc_size`` is the size of the blob in bytes. ``envelopes``: keys that lie in the
    database, under a key encryption key, as `Envelope.from_row` takes them.
    """

    image: ImageAccess
    status: str
    enc_size: int
    created_at: datetime
    card: Mapping[str, Any] | None
    meta: Mapping[str, Any] | None
    keys: Mapping[bytes, str]
    envelopes: Mapping[bytes, bytes] = field(default_factory=dict)
    provenance: str = "sealed"

    @property
    def id(self) -> UUID:
        return self.image.id

    @property
    def wrapped(self) -> bool:
        """Whether its keys are not in the vault."""
        return bool(self.envelopes)

    @property
    def is_quarantined(self) -> bool:
        return self.status == ImageStatus.QUARANTINED.value


class ExpectedImages:
    """Reads rows one by one; ids in pages."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def get(self, image_id: UUID) -> Expected | None:
        """None for a picture that is not there, or is being destroyed."""
        with self._uow.read() as session:
            image = image_by_id(session, ANONYMOUS, image_id)
            if image is None or image.facts.status is ImageStatus.DESTROYED:
                return None
            row = session.execute(
                select(
                    Image.status,
                    Image.enc_size,
                    Image.created_at,
                    Image.card,
                    Image.meta,
                    Image.provenance,
                ).where(Image.id == image_id)
            ).one()
            keys = session.execute(
                select(FileKey.version_id, FileKey.state, FileKey.wrapped_dek).where(
                    FileKey.file_id == image_id
                )
            ).all()
        return Expected(
            image=image,
            status=row.status,
            enc_size=row.enc_size,
            created_at=row.created_at,
            card=_opened(row.card, image_id),
            meta=_opened(row.meta, image_id),
            keys={key.version_id: key.state for key in keys},
            envelopes={key.version_id: key.wrapped_dek for key in keys if key.wrapped_dek},
            provenance=row.provenance,
        )

    def ids(self, after: UUID | None = None) -> Iterator[UUID]:
        """Every picture's id in order, a few hundred in memory."""
        after = after or UUID(int=0)
        while True:
            wanted = select(Image.id).where(NOT_DESTROYED, Image.id > after)
            with self._uow.read_rows() as connection:
                ids = connection.scalars(wanted.order_by(Image.id).limit(BATCH)).all()
            yield from ids
            if len(ids) < BATCH:
                return
            after = ids[-1]

    def count(self) -> int:
        """How many pictures there are; reads an index from end to end."""
        with self._uow.read_rows() as connection:
            counted = select(func.count()).select_from(Image).where(NOT_DESTROYED)
            return connection.scalar(counted) or 0


def _opened(sealed: Any, image_id: UUID) -> Mapping[str, Any] | None:
    if sealed is None:
        return {}
    try:
        opened: Mapping[str, Any] = sealed.of(image_id)
    except DecryptionFailed:
        return None
    return opened
