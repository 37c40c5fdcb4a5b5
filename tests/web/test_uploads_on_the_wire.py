"""Uploads and downloads under the real server: odd framing, clients that go away or dawdle."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.fixtures import pictures
from tests.fixtures.place import unique_png
from tests.fixtures.server import Server, serving
from tests.fixtures.uploads import Left, PictureRoom
from tests.fixtures.wire import (
    CHUNKED,
    MULTIPART,
    Answer,
    Wire,
    WorkerProcess,
    form_head,
    form_of,
    form_tail,
    until,
)

MIB = 1 << 20
IMAGES = "POST /api/v1/images"
COLLECTIONS = "POST /api/v1/collections"
JSON = "Content-Type: application/json"
SOON = 10.0
"""Seconds within which a refusal that needs no body has to be there."""
STUCK = 45.0
"""Seconds after which a client that neither sends nor takes anything is cut for sure."""


@dataclass
class Site:
    """A running server, and its instance as another process sees it."""

    server: Server
    room: PictureRoom
    key: str
    large: str
    before: Left

    def wire(self, window: int = 0) -> Wire:
        return Wire(self.server, self.key, window=window)

    def upload(self, content: bytes) -> Answer:
        wire = self.wire().begin(IMAGES, MULTIPART, f"Content-Length: {len(form_of(content))}")
        return wire.send(form_of(content)).answer()

    def left(self) -> Left:
        """Count what is there now."""
        return self.room.left()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server for all of them: that it goes on is half of what is tried."""
    server = Server(
        tmp_path_factory.mktemp("wire"), UPLOAD_MAX_SIZE=str(8 * MIB), UPLOAD_MAX_FILES="2"
    )
    with server.filled() as installation:
        room = PictureRoom(installation)
        large = room.upload(pictures.bmp(pictures.photograph(1500, 1100)), "large.bmp")
        key = installation.key()
        with serving(server):
            yield Site(server, room, key, str(large.id), room.left())


@pytest.fixture
def site(running: Site) -> Site:
    return replace(running, before=running.left())


# -- framing


def test_a_chunked_form_is_taken(site: Site) -> None:
    body = form_of(unique_png())
    wire = site.wire().begin(IMAGES, MULTIPART, CHUNKED)
    for start in range(0, len(body), 100):
        wire.chunk(body[start : start + 100])
    answer = wire.chunk(b"").answer()
    assert answer.status == 201
    assert answer.json["images"][0]["content_type"] == "image/png"


def test_a_chunked_body_that_is_no_form_has_no_files(site: Site) -> None:
    wire = site.wire().begin(IMAGES, "Content-Type: image/png", CHUNKED)
    assert wire.chunk(unique_png()).chunk(b"").answer().status == 422
    assert site.left() == site.before


def test_chunked_json_is_taken_and_bounded(site: Site) -> None:
    wire = site.wire().begin(COLLECTIONS, JSON, CHUNKED)
    assert wire.chunk(b'{"name": ').chunk(b'"By chunks"}').chunk(b"").answer().status == 201
    wire = site.wire().begin(COLLECTIONS, JSON, CHUNKED)
    text = json.dumps({"name": "n" * MIB}).encode()
    answer = wire.chunk(text).chunk(b"").answer()
    assert answer.status == 413, answer.body


def test_a_chunked_form_over_the_limit_of_one_file_is_413(site: Site) -> None:
    wire = site.wire().begin(IMAGES, MULTIPART, CHUNKED).chunk(form_head())
    for _ in range(9):
        wire.chunk(bytes(MIB))
    answer = wire.chunk(form_tail()).chunk(b"").answer()
    assert answer.status == 413
    assert answer.json["type"].endswith("file_too_large")
    assert site.left() == site.before


def test_a_chunked_form_without_end_is_413_and_takes_no_memory(site: Site) -> None:
    site.upload(unique_png())
    worker = WorkerProcess(site.server)
    worker.forget_peak()
    begun = worker.memory()
    wire = site.wire().begin(IMAGES, MULTIPART, CHUNKED).chunk(form_head())
    answer = None
    try:
        for _ in range(400):
            wire.chunk(bytes(MIB))
    except OSError:  # it stopped listening: what it said is there to be read, or was reset
        pass
    else:
        pytest.fail("400 MiB were taken")
    try:
        answer = wire.answer()
    except OSError:
        answer = None
    assert answer is None or answer.status == 413
    assert worker.memory("VmHWM") - begun < 48 * MIB
    assert site.upload(unique_png()).status == 201


def test_just_over_the_limit_of_a_form_is_413_with_its_answer(site: Site) -> None:
    wire = site.wire().begin(IMAGES, MULTIPART, CHUNKED).chunk(form_head())
    for _ in range(18):
        wire.chunk(bytes(MIB))
    assert wire.answer().status == 413


@pytest.mark.parametrize("more", [(), ("Expect: 100-continue",)])
def test_five_gigabytes_are_refused_before_a_byte_is_read(
    site: Site, more: tuple[str, ...]
) -> None:
    begun = time.monotonic()
    length = f"Content-Length: {5 << 30}"
    answer = site.wire().begin(IMAGES, MULTIPART, length, *more).answer()
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    nobody = Wire(site.server).begin(IMAGES, MULTIPART, length, *more).answer()
    assert nobody.status == 401
    assert time.monotonic() - begun < SOON
    assert site.left() == site.before


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((CHUNKED, "Content-Length: 5"), b"0\r\n\r\n"),
        (("Content-Length: 5", "Content-Length: 6"), b"12345"),
        (("Content-Length: -1",), b""),
        (("Content-Length: 5x",), b""),
        ((CHUNKED,), b"zz\r\nwhat\r\n0\r\n\r\n"),
    ],
)
def test_a_body_without_a_clear_end_is_refused(
    site: Site, headers: tuple[str, ...], body: bytes
) -> None:
    begun = time.monotonic()
    answer = site.wire().begin(IMAGES, MULTIPART, *headers).send(body).answer()
    assert answer.status == 400, answer.body
    assert time.monotonic() - begun < SOON
    assert site.upload(unique_png()).status == 201


# -- who goes away


@pytest.mark.parametrize("away", ["leave", "vanish"])
@pytest.mark.parametrize("framing", [CHUNKED, f"Content-Length: {6 * MIB}"])
def test_an_upload_that_breaks_off_leaves_nothing(site: Site, framing: str, away: str) -> None:
    worker = WorkerProcess(site.server)
    assert site.wire().begin("GET /api/v1/me").answer().status == 200
    idle = worker.descriptors()
    for _ in range(5):
        wire = site.wire().begin(IMAGES, MULTIPART, framing)
        half = form_head() + pictures.jpeg() + bytes(3 * MIB)
        wire.chunk(half) if framing == CHUNKED else wire.send(half)
        getattr(wire, away)()
    assert until(lambda: worker.descriptors() <= idle), "spools or sockets are left"
    assert site.upload(unique_png()).status == 201
    assert not list(site.server.folder.rglob("*.tmp*"))
    left = site.left()
    assert left.rows["images"] == site.before.rows["images"] + 1
    assert left.rows["file_keys"] == site.before.rows["file_keys"] + 1
    assert len(left.keys) == len(site.before.keys) + 1


@pytest.mark.parametrize("away", ["leave", "vanish"])
def test_downloads_that_break_off_give_their_turns_back(site: Site, away: str) -> None:
    worker = WorkerProcess(site.server)
    line = f"GET /images/{site.large}/original"
    whole = site.wire().begin(line).answer()
    assert (whole.status, len(whole.body)) == (200, 1500 * 1100 * 3 + 54)
    idle = worker.descriptors()
    for _ in range(15):  # more than may stream at once
        wire = site.wire().begin(line)
        assert wire.socket.recv(1000).startswith(b"HTTP/1.1 200")
        getattr(wire, away)()
    assert until(lambda: worker.descriptors() <= idle), "blobs or sockets are left"
    assert site.wire().begin(line).answer().status == 200


# -- who dawdles


def test_clients_that_keep_the_line_open_hold_up_nobody(site: Site) -> None:
    lines = [site.wire().begin("GET /livez", "Connection: close") for _ in range(10)]
    begun = time.monotonic()
    assert site.wire().begin("GET /livez").answer().status == 200
    assert time.monotonic() - begun < SOON
    assert {wire.answer().status for wire in lines} == {200}


@pytest.mark.slow
def test_who_neither_sends_nor_takes_is_cut(site: Site) -> None:
    """As many as there are threads: heads and bodies that stop, downloads nobody takes."""
    dawdlers = [site.wire().send(b"GET /livez HTTP/1.1\r\nHost: ") for _ in range(8)]
    dawdlers += [
        site.wire().begin(IMAGES, MULTIPART, f"Content-Length: {MIB}").send(form_head())
        for _ in range(8)
    ]
    download = f"GET /images/{site.large}/original"
    dawdlers += [site.wire(window=4096).begin(download) for _ in range(8)]
    begun = time.monotonic()
    site_is_back = site.wire().begin("GET /livez")
    site_is_back.socket.settimeout(STUCK)
    assert site_is_back.answer().status == 200
    assert time.monotonic() - begun < STUCK
    assert site.upload(unique_png()).status == 201
    for wire in dawdlers:
        wire.leave()
