"""The drill: does a backup open, is it whole, and do its pictures decrypt?

It works with what the backup holds and with the key that opens it, in memory: live data is
not touched, nothing decrypted is written.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.db.migrate import upgrade
from app.db.session import make_engine
from app.errors import BlobNotFound, DarkroomError
from app.services.backup.catalogue import Holding
from app.services.backup.checking import open_fully, original_of, problem_of
from app.services.backup.database import check_columns, kept_images, load_database
from app.services.backup.opened import BackupKeys, OpenedBackup

if TYPE_CHECKING:
    from app.jobs.watch import Watch

SAMPLE: Final = 20
_RANDOM = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Problem:
    """``what`` is a key of the store or a part of the backup."""

    what: str
    problem: str


@dataclass(frozen=True, slots=True)
class DrillReport:
    """``sampled`` pictures were decrypted to the last byte; ``whole``: every file was read."""

    backup: str
    made_at: str
    pictures: int
    files: int
    bytes: int
    keys: int
    rows: int
    sampled: int
    sampled_bytes: int
    whole: bool
    problems: tuple[Problem, ...]

    @property
    def is_sound(self) -> bool:
        return not self.problems


class Drill:
    """Looks at one backup."""

    def __init__(
        self, opened: OpenedBackup, *, sample: int = SAMPLE, whole: bool = True
    ) -> None:
        self._opened = opened
        self._sample = sample
        self._whole = whole
        self._problems: list[Problem] = []
        self._files = self._bytes = self._sampled = self._sampled_bytes = 0

    def run(self, watch: Watch) -> DrillReport:
        """Look at everything. What is wrong stands in the report; WorkStopped ends it."""
        opened, rows = self._opened, 0
        held: set[UUID] = set()
        try:
            keys = BackupKeys(opened)
            held = self._look_at_files(watch, keys)
            rows = self._look_at_database(keys, held)
        except BlobNotFound:
            self._find("backup", "A part of it is missing.")
        except DarkroomError as error:
            if error.code in ("stopped", "lease_lost"):
                raise
            self._find("backup", error.message)
        body = opened.body
        return DrillReport(
            backup=opened.name,
            made_at=opened.head.at.isoformat(),
            pictures=body.images,
            files=self._files,
            bytes=self._bytes,
            keys=body.keys,
            rows=rows,
            sampled=self._sampled,
            sampled_bytes=self._sampled_bytes,
            whole=self._whole,
            problems=tuple(self._problems),
        )

    def _look_at_files(self, watch: Watch, keys: BackupKeys) -> set[UUID]:
        held: set[UUID] = set()
        chosen: list[Holding] = []
        pictures = 0
        for done, holding in enumerate(self._opened.holdings()):
            watch.advance(done, self._opened.body.images + 1)
            held.add(holding.id)
            for file in holding.files:
                self._files += 1
                self._bytes += file.size
                wrong = problem_of(self._opened, keys, holding, file, whole=self._whole)
                if wrong is not None:
                    self._find(file.key, wrong)
            if holding.sound and original_of(holding) is not None:
                pictures += 1
                self._choose(chosen, holding, pictures)
        if self._files != self._opened.body.blobs:
            self._find("catalogue", "It does not name as many files as the manifest.")
        for holding in chosen:
            watch.advance(self._opened.body.images, self._opened.body.images + 1)
            self._decrypt(keys, holding)
        return held

    def _choose(self, chosen: list[Holding], holding: Holding, nth: int) -> None:
        """A random sample of a stream of unknown length (reservoir sampling)."""
        if len(chosen) < self._sample:
            chosen.append(holding)
        elif self._sample:
            at = _RANDOM.randrange(nth)
            if at < self._sample:
                chosen[at] = holding

    def _decrypt(self, keys: BackupKeys, holding: Holding) -> None:
        original = original_of(holding)
        try:
            self._sampled_bytes += open_fully(self._opened, keys, holding)
            self._sampled += 1
        except DarkroomError as error:
            self._find(original.key if original else str(holding.id), error.message)

    def _look_at_database(self, keys: BackupKeys, held: set[UUID]) -> int:
        """Into a database in memory, with everything that a restore would do to it."""
        engine = make_engine("sqlite://", None)
        with ExitStack() as undo:
            undo.callback(engine.dispose)
            counts = load_database(engine, self._opened)
            upgrade(engine)
            check_columns(engine, keys)
            without = kept_images(engine) - held - set(self._opened.body.gone)
        for image_id in sorted(without):
            self._find(f"file-{image_id}", "The database names it, the backup has no files.")
        return sum(counts.values())

    def _find(self, what: str, problem: str) -> None:
        self._problems.append(Problem(what, problem))
