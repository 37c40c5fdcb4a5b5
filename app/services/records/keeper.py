"""Keeps records current beside the requests: a thread that looks every few seconds.

The tick of the jobs comes once a minute, and a record is to be written within ten seconds. What
changes meanwhile is written once: a save of every box that somebody draws costs one record.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final

from app.errors import DarkroomError, WorkStopped
from app.services.records.writer import Records

log = logging.getLogger("darkroom.records")
LOOK_EVERY_SECONDS: Final = 4.0


class _UntilAsked:
    """A watch that ends the work once it is asked to."""

    def __init__(self, asked: threading.Event) -> None:
        self._asked = asked

    def advance(self, done: int, total: int | None = None) -> None:
        del done, total
        if self._asked.is_set():
            raise WorkStopped("The program ends.", operation="records.keep")


class RecordsKeeper:
    """One a process that works jobs. ``records`` is asked for when the thread begins."""

    def __init__(
        self, records: Callable[[], Records], every: float = LOOK_EVERY_SECONDS
    ) -> None:
        self._records = records
        self._every = every
        self._last = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look; returns at once."""
        self._last.clear()
        self._ended.clear()
        self._thread = threading.Thread(target=self._keep, name="records", daemon=True)
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Look one last time, now, and then end. Returns at once."""
        self._last.set()

    def stop(self, seconds: float) -> bool:
        """As `ask_to_stop`; what takes longer than so many seconds waits for the next start.

        Tells whether the thread has ended.
        """
        self.ask_to_stop()
        if self._thread is None:
            return True
        self._thread.join(seconds)
        self._ended.set()
        self._thread.join(1.0)
        return not self._thread.is_alive()

    def _keep(self) -> None:
        while not self._last.wait(self._every):
            self._look()
        self._look()

    def _look(self) -> None:
        try:
            self._records().run(_UntilAsked(self._ended))
        except WorkStopped:
            log.info("some records are written at the next start")
        except DarkroomError as error:
            log.warning("records could not be kept current", exc_info=error)
