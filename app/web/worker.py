"""Gunicorn's threaded worker, with a patience that ends.

Gunicorn hands every connection to a thread at once, and its threads wait for the client: for a
head, a body, the end of what is unread. Here a thread gets a connection when the whole head of
a request is there; the main loop collects heads, and lingers over connections that end. What
a thread still waits for has a limit (``pace``). Plain HTTP/1 only: the main loop reads the
socket itself.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from selectors import EVENT_READ
from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from app.logs import request_id
from app.web.connection import Connection, received
from app.web.pace import BodyPace, Budget, PacedUnreader, send_within

HEAD_SECONDS = 10.0
"""For the first byte of a connection, and again from the first to the last of a head."""
REST_SECONDS = 3.0
"""How long the thread waits for the rest of that."""
DRAIN_SECONDS = 0.25
"""For the rest of a body that was not read; one that goes on ends the connection."""
ANSWER_SECONDS = 5.0
"""How long an answer waits for a client that takes nothing; streams get more."""
LINGER_SECONDS = 2.0
"""How long what a client still sends is thrown away, so that it can read its answer."""
LINGER_BYTES = 4 * 1024 * 1024
"""Of that; who sends more does not stop for an answer."""


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """Threads wait for clients, each for a while; the main loop waits for none."""

    def __init__(self, *facts: Any, **named: Any) -> None:
        super().__init__(*facts, **named)
        self.lingering: deque[Connection] = deque()
        self.is_crowded = False
        self.at_stop: Callable[[], object] = lambda: None
        # Half of the threads may be streaming: a quarter is left for everybody else.
        self.slow_bodies = threading.BoundedSemaphore(max(1, self.cfg.threads // 4))

    # -- in the main loop

    def handle_exit(self, sig: int, frame: Any) -> None:
        """On SIGTERM, whatever works beside the requests ends while they are answered."""
        super().handle_exit(sig, frame)
        self.at_stop()

    def accept(self, listener: socket.socket) -> None:
        """Take a connection; no thread is held by somebody who has said nothing."""
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no descriptor is free: gunicorn would end the whole process
            self.is_crowded = True
            return
        self.nr_conns += 1
        conn = Connection(self.cfg, sock, client, listener.getsockname(), linger=self.linger)
        self.await_head(conn)

    def await_head(self, conn: Connection) -> None:
        """Collect the head of the next request, for a while."""
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + self._head_seconds()
        self.pending_conns.append(conn)
        self.poller.register(
            conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn)
        )

    def _head_seconds(self) -> float:
        return HEAD_SECONDS if self.alive else STOP_KEEPALIVE_LINGER

    def on_client_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """A connection that was kept begins its next request."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self.await_head(conn)
        self.on_pending_socket_readable(conn, client)

    def on_pending_socket_readable(self, conn: Connection, client: socket.socket) -> None:
        """Take what came of a head."""
        data = received(client)
        if data is None:
            return
        is_first = not conn.head
        conn.head += data
        if data and is_first and not conn.has_head():
            self.pending_conns.remove(conn)
            conn.timeout = time.monotonic() + self._head_seconds()
            self.pending_conns.append(conn)  # the deque stays sorted by timeout
        elif not data or conn.has_head():
            self._hand_over(conn, gone=not data)

    def _hand_over(self, conn: Connection, *, gone: bool) -> None:
        self.poller.unregister(conn.sock)
        self.pending_conns.remove(conn)
        if gone:
            self.nr_conns -= 1
            conn.close()
        else:
            self.enqueue_req(conn)

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Keep the connection, or end it; what was read ahead belongs to the next head."""
        if not fs.cancelled() and not fs.exception() and fs.result():
            conn.head = conn.parser.unreader.take_buffered()
            if conn.head:
                self.enqueue_req(conn) if conn.has_head() else self.await_head(conn)
                return
        super().finish_request(conn, fs)

    def linger(self, conn: Connection) -> None:
        """End our side first: a connection closed at once may be reset before it is read."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self.poller.register(conn.sock, EVENT_READ, partial(self._throw_away, conn))
        except (OSError, ValueError):
            util.close(conn.sock)
            return
        self.nr_conns += 1
        conn.timeout = time.monotonic() + LINGER_SECONDS
        self.lingering.append(conn)

    def _throw_away(self, conn: Connection, client: socket.socket) -> None:
        data = received(client)
        conn.thrown_away += len(data or b"")
        if data == b"" or conn.thrown_away > LINGER_BYTES:
            self.lingering.remove(conn)
            self._let_go(conn)

    def _let_go(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """End what has had its time; called about once a second."""
        super().murder_pending()
        now = time.monotonic()
        while self.lingering and self.lingering[0].timeout <= now:
            self._let_go(self.lingering.popleft())
        if self.is_crowded or self.nr_conns >= self.worker_connections:
            self._make_room()

    def _make_room(self) -> None:
        """Nobody is kept out by those who keep connections open and ask nothing."""
        self.is_crowded = False
        waiting = self.keepalived_conns or self.pending_conns
        if waiting:
            self._let_go(waiting.popleft())

    def _cap_keepalive(self, deadline: float) -> None:
        """A stopping worker waits no longer for those who have asked nothing yet."""
        super()._cap_keepalive(deadline)
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout, deadline)

    # -- in a thread

    def handle(self, conn: Connection) -> Any:
        """Answer one request."""
        request_id.set("-")  # the thread still carries the one of the last request
        conn.init()
        if not isinstance(conn.parser.unreader, PacedUnreader):
            conn.parser.unreader = PacedUnreader(conn.sock)
        conn.parser.unreader.unread(conn.head)
        conn.parser.unreader.pace = Budget(REST_SECONDS)
        conn.head = b""
        send_within(conn.sock, ANSWER_SECONDS)
        return super().handle(conn)

    def handle_request(self, req: Any, conn: Connection) -> Any:
        """Answer it while its body comes at a pace."""
        pace = conn.parser.unreader.pace = BodyPace(self.slow_bodies)
        try:
            return super().handle_request(req, conn)
        except TimeoutError:  # some kernels say so where others would say EAGAIN
            raise BlockingIOError(errno.EAGAIN, "the client is too slow") from None
        finally:
            pace.end()

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Keep it if the body is read, or nearly: gunicorn would read on while any comes."""
        if not keepalive:
            return False
        conn.parser.unreader.pace = Budget(DRAIN_SECONDS)
        try:
            return bool(conn.parser.finish_body(deadline=time.monotonic() + DRAIN_SECONDS))
        except BlockingIOError:
            return False
