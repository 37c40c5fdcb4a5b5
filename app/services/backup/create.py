"""Making a backup while people work.

Order: the database in one transaction, then picture by picture what that database names
(files and keys of one moment, see `capture`), then the keys of the installation itself, then
the manifest. So every row of the copy has its files and its keys, or is named as destroyed
meanwhile. What an interrupted backup copied is not copied again by the next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import select

from app.crypto.backup_key import BackupKey
from app.db.migrate import current_revision
from app.db.portable import dump
from app.domain.ids import new_id
from app.errors import BlobNotFound, ConfigurationError, DarkroomError, KeyManagementError
from app.models import Base, FileKey, Image, Installation
from app.models.image import NOT_DESTROYED
from app.services.backup.capture import Capture
from app.services.backup.locks import Locks
from app.services.backup.manifest import Body, Head, Part, read_head, write_manifest
from app.services.backup.objects import Objects
from app.services.backup.opened import (
    CATALOGUE,
    DATABASE,
    VAULT,
    OpenedBackup,
    generations,
    open_backup,
    part_key,
)
from app.services.backup.parts import PartWriter
from app.services.backup.writing import States, Writing
from app.storage.archive import Archive
from app.storage.object_paths import DIRECTORY_RECORD, IMAGES, ObjectPath, StoredName, parse

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.jobs.watch import Watch
    from app.services.keys import Keying, KeyVaulting
    from app.storage.interface import BlobStore

LEFT_OUT: Final = frozenset({"sessions", "jobs", "stale_records"})
"""What must not come back: who was signed in, and work that was going on. Records are marked
stale by the database itself when the rows are put back."""
LOOK_EVERY: Final = 1000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the database's copy names; ``states`` of the keys by picture."""

    store_id: UUID
    images: tuple[ObjectPath, ...]
    states: Mapping[UUID, States]
    rows: Mapping[str, int]


class Creation:
    """Makes one backup in one archive."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        blobs: BlobStore,
        vaulting: KeyVaulting,
        keying: Keying,
        clock: Callable[[], datetime],
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._vaulting = vaulting
        self._clock = clock
        self._capture = Capture(uow, blobs, vaulting, keying)

    def run(self, watch: Watch, archive: Archive, locks: Locks) -> tuple[Head, Body, Objects]:
        """Make it; WorkStopped leaves what the next one goes on with."""
        earlier = self._earlier(archive, locks)
        lock, key = locks.new(), BackupKey()
        objects = Objects(archive, earlier)
        with self._uow.read_rows() as connection:
            store_id = connection.scalars(select(Installation.store_id)).one()
        head = Head(new_id(), store_id, self._clock(), lock[0], key.locked(lock[1]))
        snapshot, database = self._copy_database(watch, archive, head, key)
        with ExitStack() as parts:
            catalogue = parts.enter_context(_part(archive, head, key, CATALOGUE))
            vault = parts.enter_context(_part(archive, head, key, VAULT))
            writing = Writing(catalogue, vault, objects, key, snapshot.states)
            self._copy_pictures(watch, snapshot, writing)
            self._copy_own_keys(writing)
            done = {CATALOGUE: catalogue.finish(), VAULT: vault.finish(), DATABASE: database}
        body = writing.body(done, snapshot.rows, self._revision(), self._clock())
        write_manifest(archive, head, body, key)
        return head, body, objects

    def _earlier(self, archive: Archive, locks: Locks) -> OpenedBackup | None:
        """The newest backup that opens; ConfigurationError for another installation's place."""
        with self._uow.read_rows() as connection:
            store_id = connection.scalars(select(Installation.store_id)).one()
        for name in reversed(generations(archive)[1]):
            try:
                if read_head(archive, name)[0].store_id != store_id:
                    raise ConfigurationError(
                        "This place holds backups of another installation: name another.",
                        operation="backup.target",
                    )
                opened = open_backup(archive, locks, name)
                for _ in opened.holdings():
                    pass
            except ConfigurationError:
                raise
            except DarkroomError:
                continue
            return opened
        return None

    def _copy_database(
        self, watch: Watch, archive: Archive, head: Head, key: BackupKey
    ) -> tuple[Snapshot, Part]:
        """One transaction: what is listed and what is copied are one state."""
        rows: Mapping[str, int] = {}
        with (
            self._uow.read_rows() as connection,
            _part(archive, head, key, DATABASE) as part,
        ):
            wanted = select(Image.id, Image.store_slug, Image.stored_name)
            found = connection.execute(wanted.where(NOT_DESTROYED).order_by(Image.id)).all()
            states: defaultdict[UUID, set[tuple[bytes, str, str]]] = defaultdict(set)
            keys = select(FileKey.file_id, FileKey.version_id, FileKey.state, FileKey.mode)
            for file_id, version, state, mode in connection.execute(keys):
                states[file_id].add((version, state, mode))
            for line in dump(connection, Base.metadata, LEFT_OUT):
                part.add(line)
                rows = line.get("rows", {}) if isinstance(line, Mapping) else rows
                if part.lines % LOOK_EVERY == 0:
                    watch.advance(0, len(found) + 1)
            written = part.finish()
        images = tuple(
            ObjectPath(slug, one, StoredName.parse(name)) for one, slug, name in found
        )
        frozen = {one: frozenset(some) for one, some in states.items()}
        return Snapshot(head.store_id, images, frozen, rows), written

    def _copy_pictures(self, watch: Watch, snapshot: Snapshot, writing: Writing) -> None:
        files = _by_picture(self._blobs.keys(IMAGES))
        total = len(snapshot.images) + 1
        for done, path in enumerate(snapshot.images):
            watch.advance(done, total)
            found = self._capture.take(
                path.image_id, path.original, files.pop(path.base, ()), picture=True
            )
            writing.picture(path.image_id, found)
        watch.advance(total - 1, total)
        if self._blobs.exists(DIRECTORY_RECORD):
            store_id = snapshot.store_id
            writing.directory(self._capture.take(store_id, DIRECTORY_RECORD, (), picture=False))

    def _copy_own_keys(self, writing: Writing) -> None:
        """Root keys, key encryption keys: whatever belongs to no picture.

        Without one of them a restored installation would not start: KeyManagementError.
        """
        for prefix in ("root-", "kek-"):
            for reference in sorted(self._vaulting.vault.references(prefix)):
                held = self._capture.keys_of(reference)
                if any(one.key is None and one.info.enabled for one in held):
                    raise KeyManagementError(
                        "A key of the installation itself does not open, so no backup can be"
                        " made: see keys status.",
                        operation="backup.keys",
                        details={"reference": reference},
                    )
                writing.keys(held)

    def _revision(self) -> str:
        return current_revision(self._uow.engine) or ""


def _part(archive: Archive, head: Head, key: BackupKey, name: str) -> PartWriter:
    return PartWriter(archive, part_key(head.name, name), key.part(name), head.id)


def _by_picture(keys: Iterable[str]) -> dict[str, list[str]]:
    """The files of every picture, by what their keys begin with."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key in keys:
        try:
            found[parse(key).base].append(key)
        except BlobNotFound:  # the directory, or not ours
            continue
    return dict(found)
