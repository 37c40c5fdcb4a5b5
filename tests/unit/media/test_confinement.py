"""What a decoder taken over by a file can reach: nothing."""

from __future__ import annotations

import io
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.media import decoder_process, formats
from app.media.decoder_client import Decoder
from app.media.limits import DecodeLimits
from tests.fixtures import pictures

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

ROOT = Path(__file__).resolve().parents[3]
PROBE = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import os, resource, socket, subprocess, errno
from app.media import confinement
from app.media.limits import DecodeLimits
early = open(sys.argv[1], "wb", buffering=0)
confinement.confine(DecodeLimits(memory_bytes=512 * 1024 * 1024), 100)
def attempt(name, action):
    try:
        action()
    except (OSError, MemoryError, ValueError) as error:
        print(name, errno.errorcode.get(getattr(error, "errno", None), "refused"))
    else:
        print(name, "ALLOWED")
attempt("write", lambda: early.write(b"pixels"))
attempt("memory", lambda: bytearray(600 * 1024 * 1024))
os.dup2(0, 3)
confinement.close_the_door()
attempt("open", lambda: open("/etc/passwd"))
attempt("create", lambda: open(sys.argv[1] + "2", "wb"))
attempt("socket", socket.socket)
attempt("pipe", os.pipe)
attempt("program", lambda: subprocess.run(["/bin/true"], stdin=subprocess.PIPE))
attempt("raise", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))
"""


@pytest.fixture
def child() -> Path:
    """The /proc folder of a warm child that has decoded a picture."""
    with Decoder(workers=1) as decoder:
        data = pictures.jpeg()
        decoder.render(io.BytesIO(data), len(data), formats.JPEG.file_type)
        yield Path(f"/proc/{decoder._pool.idle[0].pid}")


def test_the_environment_is_empty(monkeypatch, child: Path) -> None:
    assert (child / "environ").read_bytes() == b""


def test_the_environment_stays_empty_whatever_the_parent_holds(monkeypatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", "0" * 64)
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    process = decoder_process.DecoderProcess(DecodeLimits())
    try:
        assert Path(f"/proc/{process.pid}/environ").read_bytes() == b""
        assert b"0" * 64 not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    finally:
        process.close()


def test_it_holds_two_pipes_and_nothing_else(child: Path) -> None:
    held = sorted(int(entry.name) for entry in (child / "fd").iterdir())
    targets = {n: os.readlink(child / "fd" / str(n)) for n in held}
    assert held == [0, 1, 2, 3]
    assert targets[0].startswith("pipe:")
    assert targets[3].startswith("pipe:")
    assert targets[1] == targets[2] == "/dev/null"


def test_the_limits_of_the_kernel(child: Path) -> None:
    limits = {line[:25].strip(): line[26:].split() for line in _lines(child / "limits")}
    assert limits["Max address space"][:2] == [str(1 << 30)] * 2
    assert limits["Max file size"][:2] == ["0", "0"]
    assert limits["Max core file size"][:2] == ["0", "0"]
    assert int(limits["Max open files"][1]) <= 32
    assert int(limits["Max cpu time"][0]) <= 30
    status = dict(line.split(":", 1) for line in _lines(child / "status"))
    assert status["NoNewPrivs"].strip() == "1"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_it_can_open_write_and_start_nothing(tmp_path: Path) -> None:
    target = tmp_path / "file"
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROBE, str(ROOT), str(target)],
        env={},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    results = dict(line.split() for line in done.stdout.splitlines())
    assert results["write"] == "EFBIG"
    assert results["memory"] == "refused"
    for name in ("open", "create", "socket", "pipe", "program"):
        assert results[name] == "EMFILE", name
    # With CAP_SYS_RESOURCE a limit may be raised again: run it as an ordinary user.
    assert results["raise"] == "refused" or os.geteuid() == 0
    assert target.read_bytes() == b""


def test_no_plaintext_reaches_a_disk(tmp_path: Path, monkeypatch) -> None:
    """The client opens no file while it works; the child cannot write one (above)."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    opened: list[str] | None = None

    def note(event: str, args: tuple[object, ...]) -> None:
        if opened is not None and event in {"open", "os.mkdir"}:
            opened.append(str(args[0]))

    sys.addaudithook(note)  # stays for good, hence the switch
    data = pictures.jpeg(pictures.photograph(1000, 800))
    with Decoder(workers=1) as decoder:
        decoder.render(io.BytesIO(data), len(data), formats.JPEG.file_type)
        opened = []
        decoder.render(io.BytesIO(data), len(data), formats.JPEG.file_type)
        found, opened = opened, None
    assert found == []
    assert list(tmp_path.iterdir()) == []


def test_it_starts_from_any_folder(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__init__.py").write_text("raise SystemExit('the wrong app')")
    (tmp_path / "PIL.py").write_text("raise SystemExit('the wrong PIL')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    decoder_process.DecoderProcess(DecodeLimits()).close()


def test_the_application_itself_is_not_confined() -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_probing_and_the_client_load_no_codec() -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "import app.media.decoder_client, app.media.probe; "
        "print([name for name in ('PIL', 'pillow_heif', 'flask') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_processor_time_is_limited_for_each_file_anew() -> None:
    program = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); "
        "from app.media import confinement; from app.media.limits import DecodeLimits; "
        "confinement.confine(DecodeLimits(), 100); "
        "confinement.allow_processor_time(0); print('ready', flush=True)\n"
        "while True: pass"
    )
    with subprocess.Popen(
        [sys.executable, "-I", "-c", program, str(ROOT)], stdout=subprocess.PIPE
    ) as busy:
        assert busy.stdout is not None
        assert busy.stdout.readline() == b"ready\n"
        assert busy.wait(30) == -signal.SIGXCPU
