"""SIGTERM ends the real server within the promised time, whatever its clients are doing."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures import pictures
from tests.fixtures.server import STOP_SECONDS, Server
from tests.fixtures.uploads import PictureRoom
from tests.fixtures.wire import MULTIPART, Wire, form_head, until

AT_ONCE = 6.0
"""Enough for whoever has nobody to wait for: connections are kept for 2 s more, and jobs and
records have 3 s to come to the end of a step."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    yield made
    made.stop()
    assert "Traceback" not in made.log, made.log


def seconds_to_stop(server: Server) -> float:
    """As a service manager does it: the signal goes to the first process alone."""
    begun = time.monotonic()
    os.kill(server.pid, signal.SIGTERM)
    assert until(server.is_over, STOP_SECONDS), server.log
    return time.monotonic() - begun


def test_idle_connections_are_not_waited_for(server: Server) -> None:
    server.start()
    asked = Wire(server).begin("GET /livez")
    assert asked.socket.recv(4000).startswith(b"HTTP/1.1 200")
    silent = [Wire(server) for _ in range(5)]
    time.sleep(5.5)  # then they wait in the main loop, not in a thread any more
    assert seconds_to_stop(server) < AT_ONCE
    for wire in (asked, *silent):
        wire.leave()


@pytest.mark.slow
def test_busy_connections_get_their_time_and_no_more(server: Server) -> None:
    with server.filled() as installation:
        room = PictureRoom(installation)
        large = room.upload(pictures.bmp(pictures.photograph(1500, 1100)), "large.bmp").id
        key = installation.key()
    server.start()
    wires = [
        Wire(server, key, window=4096).begin(f"GET /images/{large}/original"),
        Wire(server, key)
        .begin("POST /api/v1/images", MULTIPART, "Content-Length: 9999999")
        .send(form_head()),
        *[Wire(server).begin("GET /livez", "Connection: close") for _ in range(5)],
        *[Wire(server).send(b"GET /liv") for _ in range(5)],
        Wire(server),
    ]
    time.sleep(0.5)
    assert seconds_to_stop(server) < STOP_SECONDS
    for wire in wires:
        wire.leave()
    server.start()  # the port is free


def test_a_start_can_be_stopped(server: Server) -> None:
    server.launch()
    assert until(lambda: "Starting gunicorn" in server.log)
    assert seconds_to_stop(server) < AT_ONCE
    server.start()
