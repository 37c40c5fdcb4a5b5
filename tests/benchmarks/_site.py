"""An installation of its own in a temporary folder, and servers for it and for rivals."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from itsdangerous import URLSafeTimedSerializer

from app import create_app
from app.config import load_settings
from app.startup import start
from tests.fixtures.installation import Installation, environment

TOP = Path(__file__).resolve().parents[2]
THREADS = "24"
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Server:
    """A running server; ``cookie`` signs Ann in, ``pid`` is its first process."""

    origin: str
    pid: int
    cookie: str = ""


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on the disk that holds this repository, unless TMPDIR names another."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", TOP)) as name:
        yield Path(name)


@contextmanager
def installed(place: Path, **settings: str) -> Iterator[Installation]:
    """A started installation without any setting of this machine."""
    environ = environment(place, **settings)
    made, _ = load_settings(environ)
    start(made)
    installation = Installation(environ, made, create_app(made))
    yield installation
    installation.house.close()


@contextmanager
def served(
    installation: Installation, application: str = "wsgi:app", **settings: str
) -> Iterator[Server]:
    """An installation behind gunicorn."""
    told = {"DARKROOM_ENV_FILE": os.devnull, "WEB_THREADS": THREADS, **installation.environ}
    with gunicorn(application, told | settings) as (origin, pid):
        yield Server(origin, pid, cookie_of(installation))


@contextmanager
def gunicorn(application: str, environ: dict[str, str]) -> Iterator[tuple[str, int]]:
    """Gunicorn with one worker, as `dev.py run` has it. Origin and process."""
    port = free_port()
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    command = [
        *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--threads", THREADS),
        *("--worker-class", "app.web.worker.PatientWorker"),
        *("--bind", f"127.0.0.1:{port}", "--keep-alive", "15", "--log-level", "warning"),
        *("--worker-tmp-dir", "/dev/shm", application),
    ]
    # From the root folder: gunicorn.conf.py of this one would read the .env beside it.
    found = {"PYTHONPATH": str(TOP)}
    with _running(command, port, kept | found | environ, Path("/")) as pid:
        yield f"http://127.0.0.1:{port}", pid


@contextmanager
def rclone(plain: Path, place: Path) -> Iterator[Server | None]:
    """`rclone serve http` over a crypt remote that holds copies of ``plain``'s files.

    None where rclone is not installed. It asks nobody who they are.
    """
    if shutil.which("rclone") is None:
        yield None
        return
    hidden = subprocess.check_output(["rclone", "obscure", "benchmark"], text=True).strip()
    config = place / "rclone.conf"
    remote = f"[sealed]\ntype = crypt\nremote = {place / 'crypt'}\npassword = {hidden}\n"
    config.write_text(remote)
    rclone_ = ("rclone", "--config", str(config))
    subprocess.run([*rclone_, "copy", str(plain), "sealed:"], check=True)
    port = free_port()
    command = [*rclone_, "serve", "http", "sealed:", "--addr", f"127.0.0.1:{port}", "-q"]
    with _running(command, port, dict(os.environ), place) as pid:
        yield Server(f"http://127.0.0.1:{port}", pid)


def cookie_of(installation: Installation) -> str:
    """The Cookie header of a browser in which Ann has signed in."""
    made = installation.services.sessions.create(installation.person().id)
    signer = installation.app.session_interface.get_signing_serializer(installation.app)
    assert isinstance(signer, URLSafeTimedSerializer)
    return f"darkroom={signer.dumps({'sid': made.token, 'csrf_token': 'benchmark'})}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(
    command: list[str], port: int, environ: dict[str, str], place: Path
) -> Iterator[int]:
    process = subprocess.Popen(command, env=environ, cwd=place)
    try:
        _wait_for(port, process)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"{process.args!r} ended at once")
        try:
            socket.create_connection(("127.0.0.1", port), 0.5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("the server did not come up")
