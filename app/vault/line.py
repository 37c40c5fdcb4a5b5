"""The line to a vault on the network: bounded in time, patient where it helps, no storms."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from app.errors import KeyVaultError, KeyVaultUnavailable

T = TypeVar("T")

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
"""For each request, given to the client libraries; their own retries are switched off."""
_TOTAL_SECONDS = 5.0
_REST_SECONDS = 2.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_RANDOM = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Failure:
    """What one request failed of, in our words.

    ``again``: the same request may well succeed in a moment. ``retry_after``: seconds that
    the vault asks to be left alone. ``outage``: no answer came, or none of a working vault.
    """

    error: KeyVaultError
    again: bool = False
    retry_after: float | None = None
    outage: bool = False


class VaultLine:
    """Asks, and asks again after a pause with jitter, for at most about 5 s in all.

    A vault that asks for more patience than that is not waited for: the error's details hold
    ``retry_after``. After an outage the line rests for 2 s, in which every call fails at
    once, then one call tries for all: threads do not pile up behind a vault that hangs.

    ``errors`` are the exceptions of a client library that ``judge`` (operation, reference,
    exception) puts into our words; errors of our own pass. The library's own text, which may
    hold a value or a token, ends here. Safe to use from many threads.
    """

    def __init__(
        self,
        errors: tuple[type[Exception], ...],
        judge: Callable[[str, str, Exception], Failure],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._errors = errors
        self._judge = judge
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._rests_until: float | None = None

    def ask(self, operation: str, reference: str, request: Callable[[], T]) -> T:
        """What ``request`` returns; raises what the judge makes of its last failure."""
        self._pass_or_refuse(operation)
        began = self._monotonic()
        for attempt in itertools.count():
            try:
                answer = request()
            except KeyVaultError:
                self._close(None)
                raise
            except self._errors as error:
                failure = self._judge(operation, reference, error)
            else:
                self._close(None)
                return answer
            pause = self._pause(failure, attempt, self._monotonic() - began)
            if pause is None:
                break
            self._sleep(pause)
        self._close(failure if failure.outage else None)
        raise failure.error

    def _pass_or_refuse(self, operation: str) -> None:
        """One call goes through when the rest is over, and lets the others wait for it."""
        with self._lock:
            if self._rests_until is None:
                return
            now = self._monotonic()
            if now >= self._rests_until:
                self._rests_until = now + _TOTAL_SECONDS + CONNECT_SECONDS + READ_SECONDS
                return
        raise KeyVaultUnavailable(
            "The vault did not answer a moment ago; it is asked again in a few seconds",
            operation=operation,
        )

    def _close(self, outage: Failure | None) -> None:
        rest = None if outage is None else self._monotonic() + _REST_SECONDS
        if rest is None and self._rests_until is None:
            return
        with self._lock:
            self._rests_until = rest

    def _pause(self, failure: Failure, attempt: int, spent: float) -> float | None:
        """Seconds until the next try; None where there is none."""
        if not failure.again:
            return None
        if failure.retry_after is not None:
            failure.error.details["retry_after"] = failure.retry_after
            pause = failure.retry_after + _RANDOM.uniform(0, _FIRST_PAUSE)
        else:
            ceiling = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**attempt)
            pause = _RANDOM.uniform(ceiling / 2, ceiling)
        return pause if spent + pause <= _TOTAL_SECONDS else None


def seconds_of(header: str | None) -> float | None:
    """The seconds of a Retry-After header; None for none, or a date."""
    if header is None or not header.strip().isdecimal():
        return None
    return float(header)


class Pace:
    """At most ``burst`` calls at once, and ``burst`` in ``seconds`` for long.

    Waiting here is cheaper than being refused there. Raises KeyVaultUnavailable, with
    ``retry_after``, where the wait would be longer than a request may take.
    """

    def __init__(
        self,
        burst: int,
        seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._each = seconds / burst
        self._seconds = seconds
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._free_at = float("-inf")

    def wait(self, operation: str) -> None:
        """Return when it is the caller's turn."""
        with self._lock:
            now = self._monotonic()
            free_at = max(self._free_at, now - self._seconds) + self._each
            wait = free_at - now
            if wait <= _TOTAL_SECONDS:
                self._free_at = free_at
        if wait > _TOTAL_SECONDS:
            raise KeyVaultUnavailable(
                "The vault takes no more new keys at the moment; try again soon",
                operation=operation,
                details={"retry_after": wait},
            )
        if wait > 0:
            self._sleep(wait)
