"""``/readyz`` of the real server while a part is away, and after it came back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.place import unique_png
from tests.fixtures.server import Server, serving
from tests.fixtures.wire import MULTIPART, Wire, form_of

PROBE_SECONDS = 5.0
"""What probes usually wait for an answer."""


@pytest.fixture
def server(tmp_path: Path) -> Server:
    made = Server(tmp_path)
    if os.geteuid() == 0:  # root without its capabilities is bound by modes like anybody
        if not shutil.which("setpriv"):
            pytest.skip("setpriv is needed to run without root's capabilities")
        made.run_by = ("setpriv", "--bounding-set=-all")
    return made


@pytest.fixture
def key(server: Server) -> Iterator[str]:
    """A key for the server, which runs from now on."""
    with server.filled() as installation:
        made = installation.key()
    with serving(server):
        yield made


def readiness(server: Server) -> tuple[int, dict[str, Any]]:
    begun = time.monotonic()
    answer = Wire(server).begin("GET /readyz").answer()
    assert time.monotonic() - begun < PROBE_SECONDS
    return answer.status, answer.json["parts"]


def upload(server: Server, key: str) -> int:
    body = form_of(unique_png())
    wire = Wire(server, key).begin(
        "POST /api/v1/images", MULTIPART, f"Content-Length: {len(body)}"
    )
    return wire.send(body).answer().status


def instance(server: Server) -> Path:
    return Path(server.environ["INSTANCE_PATH"])


def all_is_well(server: Server, key: str) -> bool:
    return readiness(server)[0] == 200 and upload(server, key) == 201


def only_wrong(server: Server, part: str) -> str:
    """Return what is said of the one part that does not work."""
    status, parts = readiness(server)
    assert status == 503
    assert {name for name, said in parts.items() if said != "ok"} == {part}
    assert Wire(server).begin("GET /livez").answer().status == 200
    return str(parts[part])


def test_a_database_that_was_moved_away(server: Server, key: str) -> None:
    assert all_is_well(server, key)
    path = instance(server) / "darkroom.db"
    path.rename(path.with_name("away.db"))
    assert "moved" in only_wrong(server, "database")
    assert upload(server, key) == 503
    many = [Wire(server, key).begin("GET /api/v1/me") for _ in range(40)]
    assert {wire.answer().status for wire in many} <= {200, 503}  # new connections: 503
    assert not path.exists(), "an empty database was made in its place"
    path.with_name("away.db").rename(path)
    assert all_is_well(server, key)


def test_another_database_in_its_place(server: Server, key: str) -> None:
    path = instance(server) / "darkroom.db"
    assert all_is_well(server, key)
    path.rename(path.with_name("away.db"))
    path.touch(0o600)
    only_wrong(server, "database")
    assert upload(server, key) == 503
    path.with_name("away.db").rename(path)
    assert all_is_well(server, key)


def test_a_database_that_is_locked(server: Server, key: str) -> None:
    with closing(sqlite3.connect(instance(server) / "darkroom.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "busy" in only_wrong(server, "database")
        other.rollback()
    assert all_is_well(server, key)


@pytest.mark.parametrize(("part", "folder"), [("vault", "secrets"), ("store", "store")])
def test_a_folder_that_cannot_be_read(server: Server, key: str, part: str, folder: str) -> None:
    path = instance(server) / folder
    mode = path.stat().st_mode
    path.chmod(0)
    try:
        assert only_wrong(server, part)
        assert upload(server, key) == 503
    finally:
        path.chmod(mode)
    assert all_is_well(server, key)
