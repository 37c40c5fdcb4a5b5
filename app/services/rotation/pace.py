"""How fast work goes that nobody waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LONGEST_PAUSE: Final = 2.0
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Terms:
    """At most ``bytes_per_second`` of plaintext, and ``share`` of one core; None: no limit."""

    bytes_per_second: int | None = None
    share: float | None = None


UNBOUND: Final = Terms()
BESIDE_REQUESTS: Final = Terms(bytes_per_second=20 * MIB, share=0.05)
"""Of what runs by itself while people work (store-format.md, section 4)."""
ON_REQUEST: Final = Terms(share=0.5)
"""Of what an administrator asked for in the process that serves people."""


class Pace:
    """Waits where the work of this thread has been faster than its terms; of one thread.

    Only the last few seconds count: work that waited for a disk is not made good for by a
    burst.
    """

    def __init__(
        self,
        terms: Terms,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        busy: Callable[[], float] = time.thread_time,
    ) -> None:
        self._terms = terms
        self._sleep = sleep
        self._clock = clock
        self._busy = busy
        self._began, self._was_busy, self._bytes = clock(), busy(), 0

    def __call__(self, size: int) -> None:
        """``size`` bytes more were worked on."""
        if self._terms == UNBOUND:
            return
        self._bytes += size
        spent = self._clock() - self._began
        left = self._needed() - spent
        if left > 0.01:
            self._sleep(min(left, LONGEST_PAUSE))
        elif spent > LONGEST_PAUSE:
            self._began, self._was_busy, self._bytes = self._clock(), self._busy(), 0

    def _needed(self) -> float:
        """Seconds that the work since then takes by the terms."""
        by_bytes, by_share = 0.0, 0.0
        if self._terms.bytes_per_second is not None:
            by_bytes = self._bytes / self._terms.bytes_per_second
        if self._terms.share is not None:
            by_share = (self._busy() - self._was_busy) / self._terms.share
        return max(by_bytes, by_share)
