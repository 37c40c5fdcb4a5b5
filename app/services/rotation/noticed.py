"""Files that were read although their key is past its time: they go first.

Readers only leave a word, in memory. A thread that is there only then gathers what was left
for a moment and queues one job for all of it; what is lost with the process is found by the
sweeper.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from app.errors import DarkroomError

log = logging.getLogger("darkroom.rotation")
GATHER_SECONDS: Final = 5.0
AGAIN_AFTER: Final = 900.0
"""Seconds in which a file that was told of is not told of again."""
MOST: Final = 500

Queue = Callable[[Sequence[UUID]], object]


class Noticed:
    """May be called by every reader; costs a look into a dictionary."""

    def __init__(
        self,
        queue: Queue,
        gather: float = GATHER_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._gather = gather
        self._clock = clock
        self._lock = threading.Lock()
        self._told: dict[UUID, float] = {}
        self._waiting: list[UUID] = []
        self._thread: threading.Thread | None = None

    def note(self, file_id: UUID) -> None:
        """Remember that this file is due; returns at once and raises nothing."""
        now = self._clock()
        if now - self._told.get(file_id, -AGAIN_AFTER) < AGAIN_AFTER:
            return
        with self._lock:
            if len(self._told) >= MOST:
                self._told.clear()
            self._told[file_id] = now
            if len(self._waiting) < MOST:
                self._waiting.append(file_id)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._hand_on, name="rotation-noticed", daemon=True
                )
                self._thread.start()

    def _hand_on(self) -> None:
        time.sleep(self._gather)
        with self._lock:
            files, self._waiting, self._thread = self._waiting, [], None
        try:
            self._queue(files)
        except DarkroomError as error:
            log.info("files that are due could not be queued", exc_info=error)
