"""One try of a job: what its handler holds, and the heartbeat that keeps it ours."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from app.errors import DatabaseUnavailable, JobLeaseLost, StoreFull, WorkStopped
from app.jobs.rows import Claim, JobRows, Progress

LEASE = timedelta(seconds=60)
"""How long a job stays with a worker of which nothing is heard."""
BEAT_SECONDS = 15.0
TELL_SECONDS = 1.0
"""The least time between two writes of the progress."""


class Run:
    """A JobRun. ``stopping`` is set when the whole worker is to end.

    ``advance`` writes at most once a second, the heartbeat beside it four times in the time
    of a lease, so that one long step loses nothing. Neither may be called inside a write
    transaction: it would wait for itself.
    """

    def __init__(
        self,
        claim: Claim,
        rows: JobRows,
        stopping: threading.Event,
        *,
        lease: timedelta = LEASE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._claim = claim
        self._rows = rows
        self._stopping = stopping
        self._lease = lease
        self._clock = clock
        self._done = 0
        self._total: int | None = None
        self._said = clock() - TELL_SECONDS
        self._ours_until = clock() + lease.total_seconds()
        self._lost = False
        self.stop_requested = False

    @property
    def id(self) -> UUID:
        return self._claim.id

    @property
    def owner_id(self) -> UUID | None:
        return self._claim.owner_id

    @property
    def params(self) -> Mapping[str, Any]:
        return self._claim.params

    @property
    def progress(self) -> Progress:
        return self._done, self._total

    def advance(self, done: int, total: int | None = None) -> None:
        self._done, self._total = done, total
        self._check()
        if self._clock() - self._said >= TELL_SECONDS:
            self.tell()
            self._check()

    def hold(self) -> None:
        """Make sure, now, that the job is ours: DatabaseUnavailable where nobody can say."""
        if self._rows.extend(self._claim, self._lease, self._done, self._total) is None:
            self._lost = True
        if self._lost:
            raise _lost()

    def tell(self) -> None:
        """Write the progress, hold the job longer, and hear what was asked meanwhile."""
        self._said = asked = self._clock()
        try:
            stop = self._rows.extend(self._claim, self._lease, self._done, self._total)
        except (DatabaseUnavailable, StoreFull):
            # Nobody else can take it while nobody can write; after that it is anybody's.
            self._lost = self._lost or self._clock() >= self._ours_until
            return
        if stop is None:
            self._lost = True
        else:
            self._ours_until = asked + self._lease.total_seconds()
            self.stop_requested = self.stop_requested or stop

    def _check(self) -> None:
        if self._lost:
            raise _lost()
        if self.stop_requested or self._stopping.is_set():
            raise WorkStopped("The job was stopped.", operation="job.run")

    @contextmanager
    def heartbeat(self, seconds: float = BEAT_SECONDS) -> Iterator[None]:
        """Hold the job while the block works, however long its steps are."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(seconds) and not self._lost:
                self.tell()

        thread = threading.Thread(target=beat, name="job-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _lost() -> JobLeaseLost:
    return JobLeaseLost("Another worker has taken this job over.", operation="job.run")
