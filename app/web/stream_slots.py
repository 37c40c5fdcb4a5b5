"""At most half of the threads stream originals: pages stay quick beside slow downloads."""

from __future__ import annotations

import threading

from flask import current_app, request

from app.errors import StoreUnavailable
from app.web.pace import PATIENCE_SECONDS, send_within

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
    if not (slots.acquire(blocking=False) or _wait_for(slots)):
        raise StoreUnavailable(
            "Too many downloads are running. Try again in a moment.", operation="serving.slot"
        )
    if sock := request.environ.get("gunicorn.socket"):
        send_within(sock, PATIENCE_SECONDS)  # a viewer may pause longer than a page may
    return Slot(slots)


def _wait_for(slots: threading.Semaphore) -> bool:
    """Wait for a turn, an eighth of the threads at most: who waits holds one, too."""
    places = max(1, current_app.config["SETTINGS"].web_threads // 8)
    waiting: threading.Semaphore = current_app.extensions.setdefault(
        "darkroom.streams.waiting", threading.Semaphore(places)
    )
    if not waiting.acquire(blocking=False):
        return False
    try:
        return slots.acquire(timeout=PATIENCE)
    finally:
        waiting.release()
