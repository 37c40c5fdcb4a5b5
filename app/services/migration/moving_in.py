"""The door to this room: what the commands of moving in need, for one installation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.crypto.legacy_keys import KeyForm
from app.services.migration.boxes import BoxMoves
from app.services.migration.folder_import import FolderImport
from app.services.migration.key_choice import KeyChoice, read_secrets_file
from app.services.migration.opened import AllFiles, OldFiles, OldKeys, PlainFiles
from app.services.migration.proof import Proof
from app.services.migration.removal import Removal
from app.services.migration.sources import (
    SEALED,
    Found,
    Source,
    find_sources,
    refuse_own_places,
)
from app.services.migration.table_import import TableImport

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.annotations import Annotations
    from app.services.audit import AuditLog
    from app.services.examination import Renderer
    from app.services.image_rows import ImageRows
    from app.services.ingest import IngestService
    from app.storage.encrypted_store import EncryptedStore


@dataclass(frozen=True, slots=True, repr=False)
class Terms:
    """``key_text`` is IMAGE_ENCRYPTION_KEY ("": not set), ``max_size`` bytes of one picture.

    ``own_places`` are folders of the installation, ``spool_folder`` lies below it.
    """

    key_text: str
    max_size: int
    spool_folder: Path
    own_places: tuple[Path, ...]


class MovingIn:
    """Old sealed files, plain folders and older tables; each part is a room's file."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        store: EncryptedStore,
        rows: ImageRows,
        ingest: IngestService,
        annotations: Annotations,
        audit: AuditLog,
        decoder: Renderer,
        terms: Terms,
    ) -> None:
        boxes = BoxMoves(annotations)
        self._terms = terms
        self._decoder = decoder
        self.folders = FolderImport(ingest, boxes)
        self.proof = Proof(uow, rows, store, boxes)
        self.removal = Removal(audit)
        self.tables = TableImport(uow, boxes, terms.key_text)

    def look_through(
        self, folder: Path, *, labels: bool | None = False, secrets: Path | None = None
    ) -> Found:
        """The sources of a folder. ``labels`` None: where there is no sealed file.

        ``ConfigurationError`` for a folder of Darkroom's own.
        """
        refuse_own_places(folder, *self._terms.own_places)
        without = frozenset({secrets.resolve()} if secrets else ())
        if labels is None:
            plain = find_sources(folder, without=without)
            labels = not any(source.path.suffix == SEALED for source in plain.sources)
        return find_sources(folder, labels=labels, without=without)

    def old_files(
        self, form: KeyForm | None, secrets: Path | None, sources: Sequence[Source]
    ) -> tuple[OldFiles, KeyForm | None]:
        """What opens these sources, and the form that their shared key turned out to have.

        Raises as `KeyChoice.keys`, and ``EncryptionError`` for a bad secrets file.
        """
        single = read_secrets_file(secrets) if secrets else {}
        choice = KeyChoice(self._terms.key_text, self._decoder, self._opening)
        keys, found = choice.keys(form, single, sources)
        return self._opening(keys), found

    def plain_files(self) -> PlainFiles:
        """What opens pictures that lie there in clear."""
        return PlainFiles()

    def all_files(
        self, form: KeyForm | None, secrets: Path | None, sources: Sequence[Source]
    ) -> AllFiles:
        """What opens both kinds; without a key where there is no sealed file."""
        if any(source.path.suffix == SEALED or source.meta for source in sources) or secrets:
            return AllFiles(self.old_files(form, secrets, sources)[0])
        return AllFiles(self._opening(OldKeys()))

    def _opening(self, keys: OldKeys) -> OldFiles:
        return OldFiles(keys, self._terms.spool_folder, self._terms.max_size)
