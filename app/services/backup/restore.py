"""Putting a backup back: into an empty instance, whole or not at all.

While it goes on, a file in the instance says so, and no start goes past it. It is removed
last: a crash before that leaves an instance that does not start, and the next restore clears
it away first. A restore that fails clears up itself.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.db.migrate import upgrade
from app.db.session import make_engine
from app.errors import Conflict, StoreError
from app.services.backup.catalogue import StoredFile
from app.services.backup.checking import problem_of
from app.services.backup.database import check_columns, load_database, settle
from app.services.backup.opened import BackupKeys, OpenedBackup
from app.services.backup.parts import pieces
from app.services.backup.places import (
    DATABASE_FILES,
    RESTORING,
    Destination,
    empty,
    holds_something,
    make_folder,
    remove_if_empty,
    sync,
    unfinished,
)
from app.storage.disk_errors import StoreErrors
from app.storage.instance_lock import LOCK_FILES, RUNNING, alone
from app.storage.marker import StoreMarker, write_marker

if TYPE_CHECKING:
    from app.jobs.watch import Watch


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """``left_out`` are damaged files that the backup could not give back."""

    backup: str
    made_at: str
    pictures: int
    files: int
    bytes: int
    keys: int
    rows: int
    api_keys_ended: int
    destroyed: int
    left_out: tuple[str, ...]


class Restore:
    """One restore of one backup into one destination."""

    def __init__(
        self,
        opened: OpenedBackup,
        destination: Destination,
        *,
        clock: Callable[[], datetime],
        skip_damaged: bool = False,
        keep_api_keys: bool = False,
    ) -> None:
        self._opened = opened
        self._to = destination
        self._clock = clock
        self._skip_damaged = skip_damaged
        self._keep_api_keys = keep_api_keys
        self._left_out: set[str] = set()
        self._files = self._bytes = 0

    def run(self, watch: Watch, told: Callable[[RestoreReport], object]) -> RestoreReport:
        """Check everything, then restore, then tell ``told``, which may still fail.

        Conflict where something is there or somebody serves it; StoreError or
        DecryptionFailed for a damaged backup, before anything was written.
        """
        made = make_folder(self._to.instance)
        busy = "Darkroom is running on this instance: stop it first."
        try:
            with StoreErrors("restore.run"), alone(self._to.instance, RUNNING, busy):
                self._refuse_what_is_there()
                keys = BackupKeys(self._opened)
                self._refuse_damage(watch, keys)
                with self._marked():
                    report = self._fill(watch, keys)
                    told(report)
                return report
        except BaseException:
            with suppress(OSError):
                remove_if_empty(self._to.instance, made)
            raise

    def _refuse_what_is_there(self) -> None:
        to = self._to
        if (to.instance / RESTORING).exists():
            self._clear()
            return
        places = [to.store_path, *([to.vault_path] if to.vault_path else [])]
        used = any(holds_something(place) for place in places) or to.database.exists()
        if used or holds_something(to.instance, LOCK_FILES):
            raise Conflict(
                "This instance is not empty: restore into an empty folder, with --to, and"
                " start Darkroom on that one.",
                operation="restore.target",
            )

    def _refuse_damage(self, watch: Watch, keys: BackupKeys) -> None:
        """Every part to its end; of every file that it is there, its size, its header's tag."""
        _count(self._opened.database())
        wrong: list[str] = []
        for done, holding in enumerate(self._opened.holdings()):
            watch.advance(done, 2 * self._opened.body.images + 2)
            wrong += [
                file.key
                for file in holding.files
                if problem_of(self._opened, keys, holding, file, whole=False)
            ]
        if wrong and not self._skip_damaged:
            raise _damaged(len(wrong))
        self._left_out.update(wrong)

    @contextmanager
    def _marked(self) -> Iterator[None]:
        """From here on nothing starts, until everything is there; after a fault all is gone."""
        mark = self._to.instance / RESTORING
        try:
            mark.touch(mode=0o600)
            sync(self._to.instance)
            yield
        except BaseException:
            self._clear()
            raise
        mark.unlink()
        sync(self._to.instance)

    def _clear(self) -> None:
        """Only what a restore made is there: the places were empty when it began."""
        to = self._to
        for end in DATABASE_FILES:
            for name in (to.database, unfinished(to.database)):
                name.with_name(name.name + end).unlink(missing_ok=True)
        for place in (to.store_path, to.vault_path):
            if place is not None and place.exists():
                empty(place)
        (to.instance / RESTORING).unlink(missing_ok=True)

    def _fill(self, watch: Watch, keys: BackupKeys) -> RestoreReport:
        opened, to = self._opened, self._to
        to.blobs.create()
        for done, holding in enumerate(opened.holdings()):
            watch.advance(opened.body.images + done, 2 * opened.body.images + 2)
            for file in holding.files:
                if file.key not in self._left_out:
                    self._copy(file)
        self._store_keys(watch)
        check = to.master.check.reveal()
        write_marker(to.blobs, StoreMarker(opened.head.store_id, check))
        rows, ended, destroyed = self._make_database(keys, check)
        return RestoreReport(
            backup=opened.name,
            made_at=opened.head.at.isoformat(),
            pictures=opened.body.images,
            files=self._files,
            bytes=self._bytes,
            keys=len(keys),
            rows=rows,
            api_keys_ended=ended,
            destroyed=destroyed,
            left_out=tuple(sorted(self._left_out)),
        )

    def _copy(self, file: StoredFile) -> None:
        digest = hashlib.sha256()
        with (
            self._opened.object(file.sha256) as handle,
            self._to.blobs.stage(file.key) as staged,
        ):
            for piece in pieces(handle):
                digest.update(piece)
                staged.write(piece)
            if hmac.compare_digest(digest.hexdigest(), file.sha256):
                staged.commit(replace=True)
                self._files += 1
                self._bytes += file.size
                return
        if not self._skip_damaged:
            raise _damaged(1)
        self._left_out.add(file.key)

    def _store_keys(self, watch: Watch) -> None:
        """Wrapped under the current master key on the way, whichever it was before."""
        vaulting = self._to.vaulting
        vaulting.vault.prepare()
        done = self._opened.body.images * 2 + 1
        for one in self._opened.vault():
            watch.advance(done, done + 1)
            version = bytes.fromhex(one.version)
            key = self._opened.unwrapped(one)
            vaulting.store(one.reference, version, key, expires_on=one.expires_on)
            if not one.enabled:
                vaulting.disable(one.reference, version)

    def _make_database(self, keys: BackupKeys, check: bytes) -> tuple[int, int, int]:
        """Beside its place, under another name, until it is whole."""
        beside = unfinished(self._to.database)
        with ExitStack() as undo:
            engine = make_engine(f"sqlite:///{beside}", None)
            undo.callback(engine.dispose)
            counts = load_database(engine, self._opened)
            upgrade(engine)
            settled = settle(
                engine,
                self._opened,
                keys,
                check,
                self._clock(),
                keep_api_keys=self._keep_api_keys,
            )
            check_columns(engine, keys)
        # The last connection is closed: SQLite has put its log into the file.
        descriptor = os.open(beside, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        beside.rename(self._to.database)
        sync(self._to.database.parent)
        return sum(counts.values()), settled.api_keys, settled.destroyed


def _damaged(files: int) -> StoreError:
    return StoreError(
        f"This backup is damaged: {files} of its files. Nothing was restored. backup verify"
        " names them; take another one, or restore without them with --skip-damaged.",
        operation="restore.check",
        details={"files": files},
    )


def _count(lines: Iterator[object]) -> int:
    return sum(1 for _ in lines)
