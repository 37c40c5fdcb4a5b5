"""The real server with a real vault that is killed, sealed or hangs, and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fixtures.openbao import Bao
from tests.fixtures.place import unique_png
from tests.fixtures.server import Server, serving
from tests.fixtures.wire import MULTIPART, Wire, form_of

READY_SECONDS = 30.0
LONGEST_REQUEST = 15.0


@pytest.fixture
def server(tmp_path: Path, bao: Bao) -> Server:
    return Server(
        tmp_path,
        KEY_VAULT_MODE="hashicorp",
        KEY_VAULT_URL=bao.url,
        VAULT_TOKEN=bao.token,
        JOBS_EMBEDDED="false",  # what they do at a start is not what is looked at
    )


@pytest.fixture
def key(server: Server) -> str:
    """An API key of an account; the installation has been started once by it."""
    with server.filled() as installation:
        return installation.key()


def answer(server: Server, line: str, key: str | None = None, body: bytes = b"") -> int:
    """The status, within the time that a request may take."""
    wire = Wire(server, key) if key else Wire(server)
    began = time.monotonic()
    headers = (MULTIPART, f"Content-Length: {len(body)}") if body else ()
    wire.begin(line, *headers)
    if body:
        wire.send(body)
    status = wire.answer().status
    assert time.monotonic() - began < LONGEST_REQUEST
    return status


def upload(server: Server, key: str) -> tuple[int, str]:
    """The status, and the address of the picture."""
    body = form_of(unique_png())
    wire = Wire(server, key).begin(
        "POST /api/v1/images", MULTIPART, f"Content-Length: {len(body)}"
    )
    said = wire.send(body).answer()
    return said.status, said.json["images"][0]["url"] if said.status == 201 else ""


def readiness(server: Server) -> tuple[int, dict[str, str]]:
    said = Wire(server).begin("GET /readyz").answer()
    return said.status, said.json["parts"]


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def work_through_an_outage(server: Server, key: str, out: Callable[[], None]) -> str:
    """A picture whose key is cached is served; nothing new is taken in; all says so."""
    status, address = upload(server, key)
    assert status == 201
    out()
    assert answer(server, f"GET {address}", key) == 200
    assert upload(server, key)[0] == 503
    status, parts = readiness(server)
    assert (status, parts["database"], parts["store"]) == (503, "ok", "ok")
    assert parts["vault"] != "ok"
    assert answer(server, "GET /livez") == 200
    assert answer(server, f"GET {address}", key) == 200
    return address


def all_works_again(server: Server, key: str, address: str) -> None:
    wait_until(server.is_ready)
    assert answer(server, f"GET {address}", key) == 200
    assert upload(server, key)[0] == 201


@pytest.mark.slow
def test_a_vault_that_is_killed_and_comes_back(server: Server, key: str, bao: Bao) -> None:
    with serving(server):
        address = work_through_an_outage(server, key, bao.kill)
        bao.start()
        all_works_again(server, key, address)


@pytest.mark.slow
def test_a_vault_that_hangs(server: Server, key: str, bao: Bao) -> None:
    with serving(server):
        address = work_through_an_outage(server, key, bao.hold_up)
        bao.let_go()
        all_works_again(server, key, address)


@pytest.mark.slow
def test_a_hanging_vault_takes_no_threads_from_what_needs_none(
    server: Server, key: str, bao: Bao
) -> None:
    with serving(server):
        status, address = upload(server, key)
        assert status == 201
        bao.hold_up()
        body = form_of(unique_png())
        head = ("POST /api/v1/images", MULTIPART, f"Content-Length: {len(body)}")
        waiting = [Wire(server, key).begin(*head).send(body) for _ in range(12)]
        time.sleep(0.5)
        began = time.monotonic()
        assert answer(server, f"GET {address}", key) == 200
        assert time.monotonic() - began < 4  # a thread waits 5 s for the vault
        assert {wire.answer().status for wire in waiting} == {503}
        assert time.monotonic() - began < LONGEST_REQUEST
        bao.let_go()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("state", "is_first_start"),
    [("dead", True), ("dead", False), ("hanging", False), ("sealed", False)],
)
def test_a_vault_that_is_away_at_the_start(
    request: pytest.FixtureRequest, server: Server, bao: Bao, state: str, is_first_start: bool
) -> None:
    """The process starts, says why it is not ready, and begins when the vault is there."""
    if not is_first_start:
        request.getfixturevalue("key")
    {"dead": bao.kill, "hanging": bao.hold_up, "sealed": lambda: _seal(bao)}[state]()
    server.launch()
    try:
        wait_until(lambda: "is waiting for its key vault" in server.log)
        wait_until(lambda: _answers(server))
        status, parts = readiness(server)
        assert status == 503
        assert "vault" in parts["vault"]
        if state == "sealed":
            assert "sealed" in parts["vault"]
        assert answer(server, "GET /livez") == 200
        assert answer(server, "GET /") == 503
        {"dead": bao.start, "hanging": bao.let_go, "sealed": bao.unseal}[state]()
        wait_until(server.is_ready)
        assert answer(server, "GET /auth/login") in {200, 302}
    finally:
        server.stop()
    assert "Traceback" not in server.log
    assert bao.token not in server.log


def _answers(server: Server) -> bool:
    try:
        return readiness(server)[0] == 503
    except OSError:
        return False


def _seal(bao: Bao) -> None:
    with bao.client() as client:
        client.sys.seal()


@pytest.mark.slow
def test_a_start_that_the_vault_refuses_is_refused(server: Server, bao: Bao) -> None:
    """A wrong token does not mend itself."""
    server.environ["VAULT_TOKEN"] = "s.wrong"
    server.launch()
    try:
        wait_until(server.is_over)
    finally:
        server.stop()
    assert "KeyVaultError: The vault refuses" in server.log
    assert "Traceback" not in server.log


@pytest.fixture(autouse=True)
def _not_left_hanging(bao: Bao) -> Iterator[None]:
    yield
    bao.kill()
