"""At most half of the threads stream originals: pages stay quick beside slow downloads."""

from __future__ import annotations

import threading

from flask import current_app

from app.errors import StoreUnavailable

PATIENCE = 10.0
"""Seconds that a download waits for its turn."""


class Slot:
    """One turn; giving it back twice is harmless, as a response may be closed twice."""

    def __init__(self, slots: threading.Semaphore) -> None:
        self._slots = slots
        self._held = True

    def release(self) -> None:
        if self._held:
            self._held = False
            self._slots.release()


def stream_slot() -> Slot:
    """Take a turn; StoreUnavailable (503 with Retry-After) when none comes free."""
    slots: threading.Semaphore = current_app.extensions["darkroom.streams"]
    if not slots.acquire(timeout=PATIENCE):
        raise StoreUnavailable(
            "Too many downloads are running. Try again in a moment.", operation="serving.slot"
        )
    return Slot(slots)
