"""One client's connection, which the main loop of the worker never waits for."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from gunicorn.workers.gthread import TConn

HEAD_BYTES = 64 * 1024
"""A head that is longer goes to a thread as it is: gunicorn knows what is too long."""


class Connection(TConn):  # type: ignore[misc]
    """``head``: what has come of the next request while no thread has it."""

    def __init__(self, *facts: Any, linger: Callable[[Connection], None]) -> None:
        super().__init__(*facts)
        self.head = b""
        self.thrown_away = 0
        self.data_ready = True  # whenever a thread gets it
        self._linger = linger

    def close(self, graceful: bool = False) -> None:
        """Called in the main loop, which must not wait."""
        if graceful:
            self._linger(self)
        else:
            super().close()

    def has_head(self) -> bool:
        """Whether a thread has something to do."""
        return b"\r\n\r\n" in self.head or len(self.head) >= HEAD_BYTES


def received(client: socket.socket) -> bytes | None:
    """Return what came, ``b""`` at the end; None: nothing yet."""
    try:
        return client.recv(16 * 1024)
    except BlockingIOError:
        return None
    except OSError:
        return b""
