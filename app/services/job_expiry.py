"""Finished jobs are forgotten after some days; with their rows go the keys of their files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import delete, select

from app.db.times import utc_now
from app.domain.ids import read_id
from app.jobs.watch import UNWATCHED, Watch
from app.models import Job
from app.storage.object_paths import RESULTS, result_id

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.job_results import JobResults
    from app.storage.interface import BlobStore

BATCH = 200


@dataclass(frozen=True, slots=True)
class ForgottenJobs:
    """How many rows went, and how many files that no row can open any more."""

    jobs: int
    files: int


class JobExpiry:
    """Deletes rows, then files: a crash between leaves what nobody can read."""

    def __init__(
        self,
        uow: UnitOfWork,
        blobs: BlobStore,
        results: JobResults,
        keep: timedelta,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._results = results
        self._keep = keep
        self._clock = clock

    def run(self, watch: Watch = UNWATCHED) -> ForgottenJobs:
        """Forget what is past its days, and sweep what a crash has left of results."""
        jobs = 0
        while batch := self._forget():
            jobs += batch
            watch.advance(jobs)
        files = 0
        for job_id in self._left():
            self._results.discard(job_id)
            files += 1
            watch.advance(jobs + files)
        return ForgottenJobs(jobs, files)

    def _forget(self) -> int:
        old = select(Job.id).where(Job.finished_at < self._clock() - self._keep).limit(BATCH)
        with self._uow.write() as session:
            gone = session.execute(
                delete(Job)
                .where(Job.id.in_(old))
                .returning(Job.id)
                .execution_options(synchronize_session=False)
            )
            return len(gone.all())

    def _left(self) -> Iterator[UUID]:
        """Results whose job is not there any more. A job's row is there before its file."""
        found = filter(None, (read_id(result_id(key)) for key in self._blobs.keys(RESULTS)))
        while batch := set(islice(found, BATCH)):
            with self._uow.read_rows() as rows:
                known = set(rows.scalars(select(Job.id).where(Job.id.in_(batch))))
            yield from sorted(batch - known)
