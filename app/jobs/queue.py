"""What carries jobs to workers: huey, with a signed message that holds a job's id.

huey brings the threads, the delays, the tick of each minute and the graceful stop. The queue
may lose, repeat or park any message: the rows decide, and the tick puts back what is due.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from huey import SqliteHuey
from huey.consumer import Consumer
from huey.serializer import SignedSerializer

from app.db.times import utc_now
from app.errors import DarkroomError
from app.jobs.rows import JobRows
from app.jobs.timetable import Timetable
from app.jobs.worker import Worker

log = logging.getLogger("darkroom.jobs")
logging.getLogger("huey").setLevel(logging.WARNING)

SALT = "darkroom/jobs/v1"
POLL_SECONDS = 1.0
"""How long a message waits for a worker that has nothing to do, at most."""
TICK_EXPIRES = 50
"""Seconds after which a tick that found no free thread is dropped: the next one comes."""


class QuietConsumer(Consumer):  # type: ignore[misc]
    """huey's consumer as threads of a process whose signals are somebody else's."""

    def _set_signal_handlers(self) -> None:
        pass

    def join(self, seconds: float) -> bool:
        """Wait for the threads; False if one is still at work after that."""
        self.shutdown_timeout = seconds
        return bool(self._join_workers())


class Queue:
    """One a process. ``path`` is the queue's file, made on first use, 0600.

    All processes of the installation share it: a command queues work for the server.
    """

    def __init__(
        self, path: Path, secret: str, rows: JobRows, worker: Worker, timetable: Timetable
    ) -> None:
        self._path = path
        self._secret = secret
        self._rows = rows
        self._worker = worker
        self._timetable = timetable
        self._making = threading.Lock()
        self._consumer: QuietConsumer | None = None
        self._loop: threading.Thread | None = None

    # -- telling

    def nudge(self, job_id: UUID, run_at: datetime | None = None) -> None:
        """Tell the workers of a job, now or when it is due. Never fails: the tick would."""
        try:
            if run_at is not None and run_at > utc_now():
                self._carrier.work.schedule((str(job_id),), eta=run_at)
            else:
                self._carrier.work(str(job_id))
        except (sqlite3.Error, OSError) as error:
            log.warning("the queue does not take messages", exc_info=error)

    def tick(self) -> None:
        """Queue what is periodic, and put back what was lost or parked."""
        for placed in self._timetable.queue_due():
            log.debug("periodic work is due", extra={"job": str(placed.id)})
        carried = self._carrier.carried()
        for job_id in self._rows.due():
            if str(job_id) not in carried:
                self.nudge(job_id)

    def run_due(self, settled: dict[UUID, str] | None = None) -> dict[UUID, str]:
        """Work everything that is due, here and now; the state of each when it is over.

        What its handlers queue for now is worked too. What waits for another try is not.
        ``settled`` is filled as the work goes on.
        """
        settled = {} if settled is None else settled
        self._worker.stopping.clear()
        self._timetable.queue_due()
        while not self._worker.stopping.is_set():
            fresh = [job_id for job_id in self._rows.due() if job_id not in settled]
            if not fresh:
                break
            for job_id in fresh:
                done = self._worker.work(job_id)
                settled[job_id] = done.state if done else "taken"
        return settled

    # -- working

    def start(self, threads: int) -> None:
        """Begin to work with so many threads; returns at once."""
        self._discard_if_damaged()
        self._worker.stopping.clear()
        self._consumer = QuietConsumer(
            self._carrier.huey,
            workers=threads,
            max_delay=POLL_SECONDS,
        )
        self._loop = threading.Thread(target=self._consumer.run, name="jobs", daemon=True)
        self._loop.start()

    def ask_to_stop(self) -> None:
        """Let no job begin, and those that run end at their next step. Returns at once."""
        self._worker.stopping.set()
        if self._consumer is not None:
            self._consumer.stop_flag.set()

    def stop(self, seconds: float) -> bool:
        """Stop and wait; False if a job is still in the middle of a step after that."""
        self.ask_to_stop()
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return True
        return consumer.join(seconds)

    def close(self) -> None:
        """Give back the file; it is opened again on use."""
        if self._consumer is not None:
            self.stop(0)
        carrier = self.__dict__.pop("_carrier", None)
        if carrier is not None:
            carrier.huey.storage.close()

    # -- called by huey's threads

    def work_one(self, job_id: str) -> None:
        """Work the job that a message names; its row says whether there is anything to do."""
        try:
            settled = self._worker.work(UUID(job_id))
        except DarkroomError as error:
            log.warning("a job cannot be settled now", exc_info=error, extra={"job": job_id})
            return
        if settled is not None and settled.next_at is not None:
            self.nudge(UUID(job_id), settled.next_at)

    def tick_or_log(self) -> None:
        try:
            self.tick()
        except (DarkroomError, sqlite3.Error, OSError) as error:
            log.warning("the queue cannot be looked through now", exc_info=error)

    @cached_property
    def _carrier(self) -> _Carrier:
        with self._making:
            known: _Carrier | None = self.__dict__.get("_carrier")
            return known or _Carrier(self._path, self._secret, self)

    def _discard_if_damaged(self) -> None:
        """Messages are expendable; a queue that cannot be read would stop all work."""
        try:
            self._carrier.carried()
        except sqlite3.DatabaseError as damage:
            log.warning("the queue's file is damaged and made anew", exc_info=damage)
            self.close()
            for name in ("", "-wal", "-shm"):
                with suppress(OSError):
                    Path(f"{self._path}{name}").unlink()


class _Carrier:
    """huey on its file, with its two tasks."""

    def __init__(self, path: Path, secret: str, queue: Queue) -> None:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600))
        self.huey = SqliteHuey(
            "darkroom",
            filename=str(path),
            fsync=False,
            cache_mb=0,
            results=False,
            serializer=SignedSerializer(secret=secret, salt=SALT),
        )
        self.work: Any = self.huey.task(name="work")(queue.work_one)
        self.huey.periodic_task(_each_minute, name="tick", expires=TICK_EXPIRES)(
            queue.tick_or_log
        )

    def carried(self) -> set[str]:
        """The ids of jobs that a message is under way for."""
        messages = self.huey.pending() + self.huey.scheduled()
        return {task.args[0] for task in messages if task.args}


def _each_minute(_now: datetime) -> bool:
    return True
