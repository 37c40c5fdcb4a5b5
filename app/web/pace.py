"""How long a thread waits for a client: for the rest of a head, for a body, for what is unread.

Only the time spent waiting for the client counts, never what the server itself needed between
two reads. Whoever is too slow is cut with a BlockingIOError, as by a timeout of the kernel.
"""

from __future__ import annotations

import errno
import socket
import struct
import threading
import time
from typing import Protocol

from gunicorn.http.unreader import SocketUnreader

PATIENCE_SECONDS = 30.0
"""Silence that ends a body, and a stream of which nothing is taken."""
LEAST_BYTES_A_SECOND = 1024
"""Of a body, over every 30 s of waiting: less is no slow phone."""
BRISK_BYTES_A_SECOND = 16 * 1024
"""Bodies below this take one of the few turns for slow clients."""
GRACE_SECONDS = 2.0
"""How long a body may keep us waiting before its pace is looked at."""


class Pace(Protocol):
    """What one part of a request may take."""

    def next_wait(self) -> float:
        """Seconds that the next read may wait; BlockingIOError when the client is too slow."""

    def note(self, seconds: float, size: int) -> None:
        """Count a read: how long it waited, how many bytes came."""


class Budget:
    """So many seconds of waiting in all, however much comes."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    def next_wait(self) -> float:
        return self._left if self._left > 0 else _cut()

    def note(self, seconds: float, size: int) -> None:
        del size
        self._left -= seconds


class BodyPace:
    """A body has to come on: at once, or as one of the few slow ones, or not at all."""

    def __init__(self, slow: threading.Semaphore) -> None:
        self._slow = slow
        self._holds = False
        self._waited = self._silent = self._window = 0.0
        self._taken = self._taken_in_window = 0

    def next_wait(self) -> float:
        if self._silent >= PATIENCE_SECONDS:
            _cut()
        if self._window >= PATIENCE_SECONDS:
            self._look_back()
        left = min(PATIENCE_SECONDS - self._silent, PATIENCE_SECONDS - self._window)
        if self._waited < GRACE_SECONDS:
            return min(left, GRACE_SECONDS - self._waited)
        self._take_turn()
        return left

    def note(self, seconds: float, size: int) -> None:
        self._waited += seconds
        self._window += seconds
        self._silent = 0.0 if size else self._silent + seconds
        self._taken += size
        self._taken_in_window += size

    def end(self) -> None:
        """Give the turn back."""
        if self._holds:
            self._holds = False
            self._slow.release()

    def _look_back(self) -> None:
        if self._taken_in_window < LEAST_BYTES_A_SECOND * self._window:
            _cut()
        self._window, self._taken_in_window = 0.0, 0

    def _take_turn(self) -> None:
        if self._holds or self._taken >= BRISK_BYTES_A_SECOND * self._waited:
            return
        self._holds = self._slow.acquire(blocking=False)
        if not self._holds:
            _cut()


class PacedUnreader(SocketUnreader):  # type: ignore[misc]
    """What a request is read from; ``pace`` says for how long."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.pace: Pace = Budget(PATIENCE_SECONDS)

    def chunk(self, size_hint: int | None = None) -> bytes:
        while True:
            receive_within(self.sock, self.pace.next_wait())
            begun = time.monotonic()
            try:
                data: bytes | None = super().chunk(size_hint)
            except BlockingIOError:
                data = None  # whether that was too long is the pace's to say
            self.pace.note(time.monotonic() - begun, len(data or b""))
            if data is not None:
                return data


def receive_within(sock: socket.socket, seconds: float) -> None:
    """Limit each read, in the kernel: gunicorn makes the socket block without a timeout."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeval(seconds))


def send_within(sock: socket.socket, seconds: float) -> None:
    """Limit how long a write waits for a client that takes nothing at all."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeval(seconds))


def _timeval(seconds: float) -> bytes:
    whole, rest = divmod(max(int(seconds * 1_000_000), 1000), 1_000_000)  # 0 would be for ever
    return struct.pack("@ll", whole, rest)


def _cut() -> float:
    raise BlockingIOError(errno.EAGAIN, "the client is too slow")
