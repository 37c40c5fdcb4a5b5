"""What was decided a moment ago, while nothing in the database has changed since."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable
from typing import Generic, TypeVar

from app.db.freshness import Stamp

MOST = 4096
V = TypeVar("V")


class Remembered(Generic[V]):
    """A bounded map whose entries count only under the stamp that was taken before reading.

    Every commit of anybody makes a new stamp, so a right that was taken away, a session that
    was ended or a picture that went is never answered from here. What only time changes is
    bounded by ``seconds`` and by each entry's own end. May be shared by threads.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._entries: dict[Hashable, tuple[Stamp, float, V]] = {}

    def get(self, key: Hashable, stamp: Stamp | None) -> V | None:
        found = self._entries.get(key)
        if found is None or found[0] != stamp or time.monotonic() >= found[1]:
            return None
        return found[2]

    def put(self, key: Hashable, stamp: Stamp | None, value: V, left: float = math.inf) -> None:
        """``left``: seconds after which the value is wrong by itself."""
        if stamp is None:
            return
        if len(self._entries) >= MOST:
            self._entries.clear()
        until = time.monotonic() + min(left, self._seconds)
        self._entries[key] = (stamp, until, value)
