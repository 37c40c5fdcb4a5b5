"""The pictures of an archive: looked at, then stored as any upload, or taken away again."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final
from uuid import UUID

from sqlalchemy import select

from app.domain.access import Actor
from app.errors import Conflict, DarkroomError, JobLeaseLost, QuotaExceeded, RefusedError
from app.formats.losses import Ledger, LossCode
from app.jobs.watch import Watch
from app.models import Image
from app.models.image import NOT_DESTROYED
from app.services.examination import Offer
from app.services.exchange.archive import BLOCK, Upload
from app.services.exchange.matching import Meant
from app.services.exchange.pictures_known import picture_with
from app.services.new_image import Wishes

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.ingest import IngestService
    from app.services.trash import Trash

log = logging.getLogger("darkroom.exchange")
ORIGIN: Final = "import:"
Ours = Mapping[str, tuple[Meant, str]]
"""By its path each picture that an export of the collection wrote, with its SHA-256."""


class StoredPictures:
    """Pictures on their way from an archive into a collection."""

    def __init__(self, uow: UnitOfWork, ingest: IngestService, trash: Trash) -> None:
        self._uow = uow
        self._ingest = ingest
        self._trash = trash

    def look_at(
        self,
        actor: Actor,
        slug: str,
        upload: Upload,
        ours: Ours,
        ledger: Ledger,
        watch: Watch,
    ) -> dict[str, Meant]:
        """What each picture of the archive is; what would be refused is told as a loss. A file
        that we made of a picture of the collection, as one without metadata, is that picture.

        ``QuotaExceeded`` where they do not fit all together.
        """
        found: dict[str, Meant] = {}
        fresh: dict[str, str] = {}
        for n, path in enumerate(upload.pictures):
            watch.advance(n, len(upload.pictures))
            try:
                found[path] = self._look(actor, slug, upload, path, ours, fresh)
            except QuotaExceeded:
                raise
            except RefusedError:
                ledger.add(LossCode.PICTURE_REFUSED, path)
                continue
        self._require_room(actor, sum(map(upload.size_of, fresh.values())))
        return found

    @staticmethod
    def is_ours(upload: Upload, path: str, ours: Ours) -> bool:
        """Whether a file of the archive is what we made of a picture that is here still."""
        if path not in ours:
            return False
        with upload.open_picture(path) as spool:
            return _hash_of(spool) == ours[path][1]

    def _look(
        self,
        actor: Actor,
        slug: str,
        upload: Upload,
        path: str,
        ours: Ours,
        fresh: dict[str, str],
    ) -> Meant:
        """``fresh``: paths of what is to be stored by their hashes; its own is added."""
        with upload.open_picture(path) as spool:
            hashed = _hash_of(spool)
            if path in ours and hashed == ours[path][1]:
                return replace(ours[path][0], entry=path)
            spool.seek(0)
            offer = Offer(PurePosixPath(path).name, spool, spool.size)
            looked = self._ingest.look_at(actor, offer, Wishes(collection=slug))
        if isinstance(looked, tuple):
            first = fresh.setdefault(hashed, path)
            return Meant(None, *looked, entry=path, twin=first if first != path else None)
        known = picture_with(self._uow, looked)
        if known is None:
            raise Conflict("This picture is in the trash here.", operation="exchange.look")
        return Meant(looked, known.width, known.height, entry=path)

    def _require_room(self, actor: Actor, size: int) -> None:
        left = self._ingest.room_left(actor)
        if left is not None and size > left:
            raise QuotaExceeded(
                "The pictures of this archive need more space than you have left.",
                operation="exchange.room",
            )

    def store(
        self,
        actor: Actor,
        slug: str,
        upload: Upload,
        meant: Mapping[str, Meant],
        origin: str,
        watch: Watch,
    ) -> dict[str, UUID]:
        """Store them; the ids by their paths. One that is there already is that one."""
        stored: dict[str, UUID] = {}
        wishes = Wishes(collection=slug, uploaded_from=ORIGIN + origin)
        for n, path in enumerate(meant):
            watch.advance(n, len(meant))
            with upload.open_picture(path) as spool:
                offer = Offer(PurePosixPath(path).name, spool, spool.size)
                stored[path] = self._ingest.accept(actor, offer, wishes).id
        return stored

    @contextmanager
    def taken_back_on_failure(
        self, actor: Actor, collection_id: UUID, origin: str, since: datetime
    ) -> Iterator[None]:
        """Destroy what this import stored, of this try and of those before, if the block
        fails; a crash is no failure: the next try goes on."""
        try:
            yield
        except JobLeaseLost:
            raise  # whoever has the job now goes on with them
        except Exception:
            for image_id in self._of(actor, collection_id, origin, since):
                try:
                    self._trash.destroy(actor, image_id)
                except DarkroomError as error:
                    log.warning("a picture of an import stays", exc_info=error)
            raise

    def _of(
        self, actor: Actor, collection_id: UUID, origin: str, since: datetime
    ) -> list[UUID]:
        chosen = select(Image.id, Image.meta).where(
            Image.collection_id == collection_id,
            Image.uploader_id == actor.user_id,
            Image.created_at >= since,
            Image.annotation_rev == 0,
            NOT_DESTROYED,
        )
        with self._uow.read_rows() as connection:
            rows = connection.execute(chosen).all()
        return [
            row.id
            for row in rows
            if row.meta is not None
            and row.meta.told(row.id, {}).get("uploaded_from") == ORIGIN + origin
        ]


def _hash_of(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(BLOCK):
        digest.update(block)
    return digest.hexdigest()
