"""Works a job: claims its row, calls the handler of its kind, settles the row."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.db.times import utc_now
from app.errors import (
    DarkroomError,
    DatabaseUnavailable,
    DecoderUnavailable,
    JobLeaseLost,
    KeyVaultUnavailable,
    StoreFull,
    StoreUnavailable,
    WorkStopped,
)
from app.jobs.registry import JobKind, Registry
from app.jobs.rows import Claim, JobRows, Progress
from app.jobs.run import LEASE, Run

log = logging.getLogger("darkroom.jobs")

PASSING = (
    DatabaseUnavailable,
    DecoderUnavailable,
    KeyVaultUnavailable,
    StoreFull,
    StoreUnavailable,
)
"""What may be better in a while: the job waits and is tried again."""
PAUSES = (10, 60, 300, 900)
"""Seconds before the second, third … try; there is one try more than there are pauses."""
MAX_TRIES = len(PAUSES) + 1
UNKNOWN_KIND = "unknown_job"
UNEXPECTED = DarkroomError.code


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a try: the job's state, and when to try it again, if at all."""

    state: str
    next_at: datetime | None = None


class Worker:
    """Shared by the threads of a process; each works one job at a time."""

    def __init__(
        self,
        registry: Registry,
        rows: JobRows,
        *,
        lease: timedelta = LEASE,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._registry = registry
        self._rows = rows
        self._lease = lease
        self._clock = clock
        self.stopping = threading.Event()

    def work(self, job_id: UUID) -> Settled | None:
        """Work this job if it is due and nobody else has it; None otherwise.

        Raises nothing of the handler's; ``DatabaseUnavailable`` where the row cannot be
        written: the lease runs out then, and the job is taken up again.
        """
        if self.stopping.is_set():
            return None
        claim = self._rows.claim(job_id, self._lease)
        if claim is None:
            return None
        if claim.tries > MAX_TRIES:  # every worker that had it died
            return self._end(claim, "failed", error=JobLeaseLost.code)
        kind = self._registry.get(claim.kind)
        if kind is None:  # of another release, which may be started beside this one
            return self._later(claim, UNKNOWN_KIND)
        return self._try(claim, kind)

    def _try(self, claim: Claim, kind: JobKind) -> Settled | None:
        run = Run(claim, self._rows, self.stopping, lease=self._lease)
        try:
            with run.heartbeat():
                result = kind.handler(run)
        except JobLeaseLost:
            log.warning("a job was taken over", extra=_facts(claim))
            return None
        except WorkStopped:
            return self._stopped(claim, run)
        except PASSING as error:
            log.warning("a job could not go on", exc_info=error, extra=_facts(claim))
            return self._later(claim, error.code)
        except DarkroomError as error:
            log.warning("a job failed", exc_info=error, extra=_facts(claim))
            return self._end(claim, "failed", error=error.code)
        except Exception as error:
            log.error("a job failed unexpectedly", exc_info=error, extra=_facts(claim))
            return self._end(claim, "failed", error=UNEXPECTED)
        except BaseException:  # Ctrl-C at a command: whoever comes next takes it at once
            self._rows.postpone(claim, self._clock(), error=None, counts=False)
            raise
        return self._end(claim, "done", result=result, progress=run.progress)

    def _stopped(self, claim: Claim, run: Run) -> Settled:
        """By its owner: for good. By the end of the process: until the next one."""
        if self.stopping.is_set() and not run.stop_requested:
            self._rows.postpone(claim, self._clock(), error=None, counts=False)
            return Settled("waiting")
        return self._end(claim, "stopped")

    def _later(self, claim: Claim, error: str) -> Settled:
        if claim.tries >= MAX_TRIES:
            return self._end(claim, "failed", error=error)
        next_at = self._clock() + timedelta(seconds=PAUSES[claim.tries - 1])
        self._rows.postpone(claim, next_at, error=error, counts=True)
        return Settled("waiting", next_at)

    def _end(
        self,
        claim: Claim,
        state: str,
        *,
        result: Mapping[str, Any] | None = None,
        error: str | None = None,
        progress: Progress | None = None,
    ) -> Settled:
        next_at = self._rows.finish(claim, state, result=result, error=error, progress=progress)
        return Settled("waiting" if next_at else state, next_at)


def _facts(claim: Claim) -> dict[str, object]:
    return {"job": str(claim.id), "kind": claim.kind, "tries": claim.tries}
