"""What a crash left behind: found and told, never guessed away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.db.times import utc_now
from app.errors import KeyNotFound
from app.jobs.watch import UNWATCHED, Watch
from app.models import FileKey, Image
from app.models.image import NOT_DESTROYED
from app.services.keys import file_reference
from app.storage.object_paths import ObjectPath, StoredName
from app.storage.reconcile import HOUR_MS, Orphan, OrphanKind, OrphanReport, find_orphans

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.storage.interface import BlobStore
    from app.vault.interface import KeyVault

log = logging.getLogger("darkroom.orphans")
BATCH = 1000
KEY_PREFIX = "file-"
SETTLED = timedelta(milliseconds=HOUR_MS)


class ImageRowsKnown:
    """The rows of images, as `reconcile` asks for them."""

    def __init__(self, uow: UnitOfWork, watch: Watch = UNWATCHED) -> None:
        self._uow = uow
        self._watch = watch
        self._looked = 0

    def named(self, stored_names: Sequence[str], /) -> Iterable[ObjectPath]:
        """Return the rows with one of these stored names."""
        self._look()
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
            self._look()
            with self._uow.read_rows() as connection:
                rows = connection.execute(wanted).all()
            yield from (_path(*row) for row in rows)
            if len(rows) < BATCH:
                return
            after = rows[-1].id

    def _look(self) -> None:
        """A step of the walk: here it may be stopped."""
        self._looked += 1
        self._watch.advance(self._looked)


class Orphans:
    """Compares store, vault and database; reads only."""

    def __init__(
        self,
        uow: UnitOfWork,
        blobs: BlobStore,
        vault: KeyVault,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._vault = vault
        self._clock = clock

    def report(self, watch: Watch = UNWATCHED) -> OrphanReport:
        """Walk the whole store and the whole vault and say what has no counterpart."""
        return OrphanReport.of(self.found(watch))

    def found(self, watch: Watch = UNWATCHED) -> Iterator[Orphan]:
        """As ``report``, one after the other: there may be a million of them."""
        now_ms = int(self._clock().timestamp() * 1000)
        rows = ImageRowsKnown(self._uow, watch)
        left = find_orphans(self._blobs, rows, now_ms=now_ms)
        return chain(left, self._stray_keys())

    def _stray_keys(self) -> Iterator[Orphan]:
        """Keys of files that the database does not know, and that no upload is about to use."""
        before = self._clock() - SETTLED
        found = filter(None, map(_file_of, self._vault.references(KEY_PREFIX)))
        while batch := set(islice(found, BATCH)):
            for file_id in sorted(batch - self._with_key(batch)):
                reference = file_reference(file_id)
                if self._older(reference, before):
                    yield Orphan(OrphanKind.KEY_WITHOUT_ROW, reference)

    def _with_key(self, file_ids: set[UUID]) -> set[UUID]:
        wanted = select(FileKey.file_id).where(FileKey.file_id.in_(file_ids))
        with self._uow.read_rows() as connection:
            return set(connection.scalars(wanted))

    def _older(self, reference: str, before: datetime) -> bool:
        try:
            versions = self._vault.versions(reference)
        except KeyNotFound:  # gone in the meantime
            return False
        return all(version.created_on < before for version in versions)

    def log_report(self, watch: Watch = UNWATCHED) -> OrphanReport:
        """Walk, and put what was found into the log: kinds and counts, no names."""
        report = self.report(watch)
        for kind, count in report.counts.items():
            log.warning(
                "store and database disagree", extra={"kind": kind.value, "count": count}
            )
        return report


def _path(image_id: UUID, slug: str, stored_name: str) -> ObjectPath:
    return ObjectPath(slug, image_id, StoredName.parse(stored_name))


def _file_of(reference: str) -> UUID | None:
    """The file of a key; None for a reference that is not of ours."""
    try:
        return UUID(reference.removeprefix(KEY_PREFIX))
    except ValueError:
        return None
