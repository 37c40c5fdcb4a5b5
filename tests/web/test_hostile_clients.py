"""Clients that connect and say nothing, or next to nothing, hold up nobody."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures import pictures
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import PictureRoom
from tests.fixtures.wire import Wire, until

pytestmark = pytest.mark.slow

SOON = 8.0
"""Seconds within which an ordinary client is answered beside all the others."""
LINE = b"GET /livez HTTP/1.1\r\nHost: "
LOGIN = ("POST /auth/login", "Content-Type: application/x-www-form-urlencoded")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    with serving(Server(folder, WEB_THREADS="8", LOG_FORMAT="json")) as running:
        yield running


def seconds_for_an_answer(server: Server) -> float:
    begun = time.monotonic()
    assert Wire(server).begin("GET /livez").answer().status == 200
    return time.monotonic() - begun


@contextlib.contextmanager
def dripping(wires: list[Wire], every: float = 0.5) -> Iterator[None]:
    """Send a byte on each, again and again, until the end; then close them."""
    over = threading.Event()

    def drip() -> None:
        while not over.wait(every):
            for wire in wires:
                with contextlib.suppress(OSError):
                    wire.send(b"a")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        for wire in wires:
            wire.leave()


def is_cut(wire: Wire) -> bool:
    """Whether the server has ended the connection; reads whatever it answered before."""
    wire.socket.settimeout(0.01)
    try:
        while wire.socket.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def test_the_silent_hold_no_thread(server: Server) -> None:
    silent = [Wire(server) for _ in range(200)]
    for _ in range(3):
        assert seconds_for_an_answer(server) < SOON
    for wire in silent:
        wire.leave()


def test_who_says_nothing_is_cut(server: Server) -> None:
    silent = Wire(server)
    assert until(lambda: is_cut(silent), 12)
    silent.leave()


@pytest.mark.parametrize("asked", [b"", LINE + b"x\r\n\r\n"], ids=["new", "kept alive"])
def test_a_head_that_drips_holds_no_thread_and_is_cut(server: Server, asked: bytes) -> None:
    wires = [Wire(server).send(asked + LINE) for _ in range(30)]
    with dripping(wires):
        for _ in range(3):
            assert seconds_for_an_answer(server) < SOON
        assert until(lambda: all(map(is_cut, wires)), 13)


def test_a_head_in_pieces_and_one_behind_another_are_understood(server: Server) -> None:
    wire = Wire(server)
    for piece in (LINE[:9], LINE[9:], b"localhost\r", b"\n\r", b"\n" + LINE + b"localhost\r\n"):
        wire.send(piece)
        time.sleep(0.05)
    assert wire.socket.recv(4000).startswith(b"HTTP/1.1 200")
    wire.send(b"Connection: close\r\n\r\n")
    assert wire.answer().status == 200


def test_a_refused_body_that_goes_on_holds_no_thread(server: Server) -> None:
    wires = [Wire(server).begin(*LOGIN, "Content-Length: 100000000") for _ in range(30)]
    with dripping(wires):
        for wire in wires:
            assert b" 413 " in wire.socket.recv(4000)
        assert seconds_for_an_answer(server) < SOON
        assert until(lambda: all(map(is_cut, wires)), 6)


def test_a_body_that_drips_leaves_threads_to_the_others(server: Server) -> None:
    wires = [Wire(server).begin(*LOGIN, "Content-Length: 1000") for _ in range(30)]
    with dripping(wires):
        assert until(lambda: sum(map(is_cut, wires)) >= 28, 11)  # two may go on slowly
        assert seconds_for_an_answer(server) < SOON


def test_downloads_that_nobody_reads_leave_threads_to_the_others(tmp_path: Path) -> None:
    server = Server(tmp_path, WEB_THREADS="8")
    with server.filled() as installation:
        photograph = pictures.bmp(pictures.photograph(1500, 1100))
        large = PictureRoom(installation).upload(photograph, "large.bmp").id
        key = installation.key()
    with serving(server):
        line = f"GET /images/{large}/original"
        wires = [Wire(server, key, window=4096).begin(line) for _ in range(20)]
        time.sleep(0.5)
        assert max(seconds_for_an_answer(server) for _ in range(3)) < SOON
        for wire in wires:
            wire.leave()


def test_a_bad_request_is_logged_without_the_name_of_another(server: Server) -> None:
    for _ in range(30):  # every thread has answered somebody
        Wire(server).begin("GET /livez", "X-Request-ID: somebody-else-1").answer()
    for _ in range(10):
        assert Wire(server).send(b"NONSENSE\r\n\r\n").answer().status == 400
    bad = [json.loads(line) for line in server.log.splitlines() if "Invalid request" in line]
    assert len(bad) == 10
    assert {line["request_id"] for line in bad} == {"-"}
