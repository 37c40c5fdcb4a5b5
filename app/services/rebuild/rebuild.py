"""``store rebuild-db``: walks the store and writes what it finds into a new database."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.crypto.context import Role
from app.crypto.kdf import MasterKey
from app.crypto.stream import BlobReader, read_header
from app.db.times import utc_now
from app.domain import directory_record
from app.domain.directory_record import MAX_LINE, Entry
from app.errors import BlobNotFound, DarkroomError, StoreUnavailable
from app.jobs.watch import Unwatched, Watch
from app.models import FileKey, Installation, MaintenanceRun
from app.services.audit import AuditLog
from app.services.rebuild.apart import Unusable
from app.services.rebuild.database import NewDatabase
from app.services.rebuild.finding import (
    KEY_TROUBLE,
    Finder,
    Found,
    Hopeless,
    Named,
    grouped,
)
from app.services.rebuild.importing import Importer
from app.services.rebuild.keys import BareKeys
from app.services.rebuild.pictures import Pictures
from app.services.rebuild.report import RebuildReport, Tally
from app.storage.instance_lock import RUNNING, alone
from app.storage.interface import BlobStore
from app.storage.marker import read_marker, verify_marker
from app.storage.object_paths import DIRECTORY_RECORD, IMAGES, ObjectKey, parse

if TYPE_CHECKING:
    from app.services.examination import Renderer
    from app.services.keys import RootKeys

UNWATCHED = Unwatched()
IN_USE = "Darkroom is running: stop it, then run this again."


class Rebuild:
    """Needs no database. Reads store and vault, writes nothing but the new database."""

    def __init__(
        self,
        *,
        blobs: BlobStore,
        keys: BareKeys,
        roots: Callable[[], RootKeys],
        masters: Sequence[MasterKey],
        decoder: Renderer,
        database: NewDatabase,
        audit: AuditLog,
        instance: Path,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._blobs = blobs
        self._keys = keys
        self._roots = roots
        self._masters = masters
        self._decoder = decoder
        self._database = database
        self._audit = audit
        self._instance = instance
        self._clock = clock

    def run(self, watch: Watch = UNWATCHED) -> RebuildReport:
        """Make the database; it is in its place only after all of it was written.

        May be started again after anything. Raises ``Conflict`` while Darkroom runs,
        ConfigurationError where a database is in the way, ``StoreUnavailable`` without a
        marker, ``EncryptionError`` for another master key, what store and vault raise when
        they are away, and WorkStopped.
        """
        checks = [master.check.reveal() for master in self._masters]
        marker = verify_marker(read_marker(self._blobs), checks)
        roots, now, tally = self._roots(), self._clock(), Tally()
        with alone(self._instance, RUNNING, IN_USE), self._database.filled() as session:
            importer = Importer(session, roots, tally, now)
            self._directory(session, importer, tally, marker.store_id, now)
            finder = Finder(self._blobs, self._keys)
            pictures = Pictures(finder, self._decoder)
            for named in self._pictures(tally):
                self._picture(named, finder, pictures, importer, tally, now)
                watch.advance(tally.seen)
            importer.counters()
            check = checks[0]
            session.add(Installation(store_id=marker.store_id, master_check=check))
            report = tally.report()
            self._tell(session, report, now)
        return report

    def _pictures(self, tally: Tally) -> Iterator[list[Named]]:
        """The keys of each picture; in memory is one folder."""
        for _, keys in groupby(self._blobs.keys(IMAGES), key=_folder_of):
            known: list[Named] = []
            for key in keys:
                parsed = _parsed(key)
                if parsed is not None:
                    known.append((key, parsed))
                elif key != DIRECTORY_RECORD:
                    tally.foreign += 1
            yield from grouped(known)

    def _picture(
        self,
        named: list[Named],
        finder: Finder,
        pictures: Pictures,
        importer: Importer,
        tally: Tally,
        now: datetime,
    ) -> None:
        if not any(_tells_of_a_picture(known) for _, known in named):
            tally.leftover += len(named)  # of a deletion that was cut short
            return
        original = named[0][1].base + ".enc"
        try:
            found = finder.find(named)
            if importer.is_known(found):
                raise Hopeless("a copy of another")
        except Hopeless as reason:
            tally.failed += 1
            tally.note(original, str(reason))
            return
        keys = self._keys.rows(
            found.path.image_id, found.in_use, found.named, found.sidecar, now
        )
        if not _is_entered(found, pictures, importer, keys):
            tally.failed += 1
            tally.note(original, "unusable")
            return
        tally.note(original, *dict.fromkeys(found.lacks))
        tally.incomplete += bool(found.lacks)
        tally.rebuilt += not found.lacks

    def _directory(
        self, session: Session, importer: Importer, tally: Tally, store_id: UUID, now: datetime
    ) -> None:
        """Read twice: whole and verified before the first row is written."""
        try:
            for _ in self._entries(store_id):
                pass
        except StoreUnavailable:
            raise
        except BlobNotFound:
            return
        except (*KEY_TROUBLE, DarkroomError):
            tally.directory = "damaged"
            return
        tally.directory = "ok"
        importer.directory(self._entries(store_id))
        with self._blobs.open(DIRECTORY_RECORD) as handle:
            header = read_header(handle)
        in_use = header.key_version_id, header.generation
        rows = self._keys.rows(store_id, in_use, {in_use[0]: in_use[1]}, None, now)
        session.add_all(FileKey(**row) for row in rows)

    def _entries(self, store_id: UUID) -> Iterator[Entry]:
        with self._blobs.open(DIRECTORY_RECORD) as handle:
            header = read_header(handle)
            dek = self._keys.key(store_id, header.key_version_id)
            reader = BlobReader(handle, header, dek, file_id=store_id, role=Role.RECORD)
            lines = io.BufferedReader(reader.as_file())
            yield from directory_record.decode(iter(lambda: lines.readline(MAX_LINE), b""))

    def _tell(self, session: Session, report: RebuildReport, now: datetime) -> None:
        figures = {name: value for name, value in asdict(report).items() if name != "examples"}
        counts = {name: value for name, value in figures.items() if isinstance(value, int)}
        self._audit.append(session, "database.rebuilt", details=counts)
        session.add(
            MaintenanceRun(
                kind="rebuild",
                state="done",
                started_at=now,
                finished_at=self._clock(),
                found=report.found,
                done=report.rebuilt + report.incomplete,
                failed=report.failed,
                figures=figures,
            )
        )


def _is_entered(
    found: Found, pictures: Pictures, importer: Importer, keys: list[dict[str, Any]]
) -> bool:
    """By its record, or else by what its sidecar and content tell."""
    for _ in range(2):
        try:
            importer.picture(found, pictures.row(found), keys)
        except Unusable:
            if found.record is None:
                return False
            found.record = None
            found.lacks.append("unusable record")
        else:
            return True
    return False


def _folder_of(key: str) -> str:
    return key.rpartition("/")[0]


def _parsed(key: str) -> ObjectKey | None:
    try:
        return parse(key)
    except BlobNotFound:
        return None


def _tells_of_a_picture(known: ObjectKey) -> bool:
    """Derivatives alone are what a deletion leaves when it is cut short."""
    return known.is_sidecar or known.role in (Role.ORIGINAL, Role.RECORD)
