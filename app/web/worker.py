"""Gunicorn's threaded worker, with a patience that ends.

Three things of it would let a few clients hold up everybody: reads and small writes wait for
ever, the main loop itself waits up to 2 s for each client that does not close its end, and a
stopping worker waits for connections on which nothing was ever asked.
"""

from __future__ import annotations

import socket
import struct
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

PATIENCE_SECONDS = 30
"""How long one read or one write may take; not a whole request."""
_TIMEVAL = struct.pack("@ll", PATIENCE_SECONDS, 0)


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Threads wait for clients, each for a while; the main loop waits for none."""

    def handle(self, conn: Any) -> Any:
        """Answer in a thread, and close there, too: it may linger over what is unread."""
        # Of the kernel: gunicorn makes the socket block without any timeout of its own.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _TIMEVAL)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _TIMEVAL)
        kept = super().handle(conn)
        if not kept:
            conn.close(graceful=True)
            conn.close = _is_closed
        return kept

    def _cap_keepalive(self, deadline: float) -> None:
        """A stopping worker waits no longer for those who have asked nothing yet."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)


def _is_closed(graceful: bool = False) -> None:
    """What the main loop calls once more."""
