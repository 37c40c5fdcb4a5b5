"""SIGHUP: new workers, the old settings' server goes on, and it still stops as it should."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.server import STOP_SECONDS, Server
from tests.fixtures.wire import until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.stop()
    assert "Traceback" not in made.log, made.log


def workers(server: Server) -> set[str]:
    return set(Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split())


def test_after_a_reload_the_server_still_stops_in_order(server: Server) -> None:
    server.start()
    before = workers(server)
    os.kill(server.pid, signal.SIGHUP)
    assert until(lambda: bool(workers(server)) and not before & workers(server), STOP_SECONDS)
    assert until(server.is_ready, STOP_SECONDS), server.log
    process = server._process
    os.kill(server.pid, signal.SIGTERM)
    assert until(server.is_over, STOP_SECONDS), server.log
    assert process is not None
    assert process.poll() == 0, server.log
    assert "Shutting down" in server.log


def test_a_worker_that_crashes_is_replaced(server: Server) -> None:
    server.start()
    before = workers(server)
    for worker in before:
        os.kill(int(worker), signal.SIGSEGV)
    assert until(lambda: bool(workers(server)) and not before & workers(server), STOP_SECONDS)
    assert until(server.is_ready, STOP_SECONDS), server.log
