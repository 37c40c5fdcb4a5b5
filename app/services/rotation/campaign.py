"""The walk over many files: what is done for each, and when it ends before the last one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import and_

from app.errors import (
    DarkroomError,
    DatabaseUnavailable,
    KeyLeaseLost,
    KeyVaultUnavailable,
    StoreFull,
    StoreUnavailable,
    WorkStopped,
)
from app.services.rotation.files import not_set_aside, retiring, unfinished

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from app.jobs.watch import Watch
    from app.services.rotation.files import KeyedFiles
    from app.services.rotation.old_keys import OldKeys
    from app.services.rotation.one_at_a_time import OneAtATime, Tick
    from app.services.rotation.report import Tally
    from app.services.runs import Run

log = logging.getLogger("darkroom.rotation")
TROUBLE: Final = (KeyVaultUnavailable, StoreUnavailable, StoreFull, DatabaseUnavailable)
"""What says nothing about the file, and will meet the next one too."""
PATIENCE: Final = 3
PASSES: Final = 3


class _Enough(Exception):
    """The walk ends here; what is left waits for the next run."""


class Campaign:
    """One walk; of one thread, used once."""

    def __init__(
        self,
        files: KeyedFiles,
        one: OneAtATime,
        old_keys: OldKeys,
        watch: Watch,
        run: Run,
        tally: Tally,
        tick: Tick,
        budget: timedelta | None,
    ) -> None:
        self._files = files
        self._one = one
        self._old_keys = old_keys
        self._watch = watch
        self._run = run
        self._tally = tally
        self._tick = tick
        self._ends = None if budget is None else time.monotonic() + budget.total_seconds()
        self._troubles = 0
        self._since = files.now()

    def over(self, wanted: ColumnElement[bool], since: datetime) -> None:
        """Finish what was cut short, rotate what is ``wanted`` and has had no new key
        ``since``, disable what is over.

        Ends early, with what is left counted, when it is told to stop, when its time is up,
        or when vault, store or database fail several files in a row.
        """
        found, self._since = self._files.count(wanted), since
        try:
            cut_short = and_(unfinished(self._files.now()), not_set_aside())
            self._walk(cut_short, self._recover, found)
            self._rotate_all(wanted, found)
            self._walk(retiring(self._files.now()), self._retire, found)
        except WorkStopped:
            self._tally.stopped = True
        except _Enough:
            log.info("the rotation of keys ends before the last file")

    def _rotate_all(self, wanted: ColumnElement[bool], found: int) -> None:
        """Again where something is left: what was on its way into the gallery as the run
        began has an older key and may have come behind us, and some trouble passes."""
        for _ in range(PASSES):
            self._walk(wanted, self._rotate, found)
            if self._files.count(wanted) <= self._tally.failed:
                return

    def _walk(
        self, chosen: ColumnElement[bool], act: Callable[[UUID], None], found: int
    ) -> None:
        for file_id in self._files.each(chosen):
            done = self._tally.rotated + self._tally.failed
            self._watch.advance(done, max(found, done))
            if self._ends is not None and time.monotonic() >= self._ends:
                raise _Enough
            self._try(act, file_id)
            self._run.cursor = str(file_id)
            self._run.count(
                done=self._tally.rotated,
                failed=self._tally.failed,
                remaining=max(0, found - self._tally.rotated - self._tally.failed),
            )

    def _try(self, act: Callable[[UUID], None], file_id: UUID) -> None:
        """A file that fails is counted and passed by, unless it is not the file's fault."""
        try:
            act(file_id)
        except KeyLeaseLost:
            log.info("another worker has taken a file over", extra={"image_id": file_id})
        except TROUBLE as trouble:
            self._troubles += 1
            log.warning("a key could not be rotated now", exc_info=trouble)
            if self._troubles >= PATIENCE:
                self._tally.problem = trouble.message
                raise _Enough from None
            return
        except DarkroomError as error:
            log.warning(
                "a key could not be rotated", exc_info=error, extra={"image_id": file_id}
            )
            self._tally.note_failure(file_id, error.code)
        self._troubles = 0

    def _rotate(self, file_id: UUID) -> None:
        if file_id in self._tally.tried:
            return
        self._tally.rotated += self._one.rotate(file_id, self._tick, self._since)

    def _recover(self, file_id: UUID) -> None:
        self._tally.rotated += self._one.recover(file_id, self._tick)

    def _retire(self, file_id: UUID) -> None:
        self._tally.retired += self._old_keys.retire(file_id)
        self._tick(0)
