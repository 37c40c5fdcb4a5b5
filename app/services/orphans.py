"""What a crash left behind: found and told, never guessed away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.db.times import utc_now
from app.models import Image
from app.models.image import NOT_DESTROYED
from app.storage.object_paths import ObjectPath, StoredName
from app.storage.reconcile import OrphanReport, find_orphans

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.storage.interface import BlobStore

log = logging.getLogger("darkroom.orphans")
BATCH = 1000


class ImageRowsKnown:
    """The rows of images, as `reconcile` asks for them."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def named(self, stored_names: Sequence[str], /) -> Iterable[ObjectPath]:
        """Return the rows with one of these stored names."""
        wanted = select(Image.id, Image.store_slug, Image.stored_name).where(
            Image.stored_name.in_(stored_names)
        )
        with self._uow.read_rows() as connection:
            return [_path(*row) for row in connection.execute(wanted)]

    def kept(self) -> Iterator[ObjectPath]:
        """Give every row whose original must be there, a few hundred in memory."""
        after = UUID(int=0)
        while True:
            wanted = (
                select(Image.id, Image.store_slug, Image.stored_name)
                .where(NOT_DESTROYED, Image.id > after)
                .order_by(Image.id)
                .limit(BATCH)
            )
            with self._uow.read_rows() as connection:
                rows = connection.execute(wanted).all()
            yield from (_path(*row) for row in rows)
            if len(rows) < BATCH:
                return
            after = rows[-1].id


class Orphans:
    """Compares store and database; reads only."""

    def __init__(
        self, uow: UnitOfWork, blobs: BlobStore, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._rows = ImageRowsKnown(uow)
        self._blobs = blobs
        self._clock = clock

    def report(self) -> OrphanReport:
        """Walk the whole store and say what has no counterpart."""
        now_ms = int(self._clock().timestamp() * 1000)
        return OrphanReport.of(find_orphans(self._blobs, self._rows, now_ms=now_ms))

    def log_report(self) -> OrphanReport:
        """Walk, and put what was found into the log: kinds and counts, no names."""
        report = self.report()
        for kind, count in report.counts.items():
            log.warning(
                "store and database disagree", extra={"kind": kind.value, "count": count}
            )
        return report


def _path(image_id: UUID, slug: str, stored_name: str) -> ObjectPath:
    return ObjectPath(slug, image_id, StoredName.parse(stored_name))
