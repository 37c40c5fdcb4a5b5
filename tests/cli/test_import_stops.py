"""A long import on a terminal and in a pipe: how far it is, stopped half way, gone on."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.cli import progress as told
from tests.fixtures import pictures, programs
from tests.fixtures.installation import Installation
from tests.fixtures.older_files import TYPED_KEY, put_old
from tests.fixtures.programs import TOP, run
from tests.fixtures.uploads import PictureRoom

FILES = 24
FILES_OF_A_PICTURE = 5  # original, sidecar, two thumbnails, preview
BARE = programs.BARE | {"TERM": "xterm"}
PATIENCE = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Photographs that take a while."""
    place = tmp_path / "photographs"
    place.mkdir()
    for n in range(FILES):
        photograph = pictures.jpeg(pictures.photograph(1000 + n, 700))
        (place / f"{n:02}.jpg").write_bytes(photograph)
    return place


class Import:
    """The command as a process whose standard error is ``errors``."""

    def __init__(self, installation: Installation, folder: Path, errors: int) -> None:
        words = ["images", "import", str(folder), "--user", installation.person().email]
        self.words = [sys.executable, "-m", "flask", "--app", "wsgi", *words, "--json"]
        self.environ = BARE | installation.environ
        self.process = subprocess.Popen(
            self.words,
            cwd=TOP,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )

    def answer(self) -> tuple[int, dict]:
        said, _ = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, json.loads(said)

    def again(self) -> dict:
        done = run(*self.words[2:], environ=self.environ)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """The end that people look at, and the end that the program writes to."""
    ours, theirs = pty.openpty()
    yield ours, theirs
    for end in (ours, theirs):
        os.close(end)


def read_until(terminal: int, done: Callable[[str], bool]) -> str:
    seen, deadline = "", time.monotonic() + PATIENCE
    while not done(seen):
        assert time.monotonic() < deadline, seen
        seen += os.read(terminal, 4096).decode()
    return seen


def check_what_is_there(installation: Installation, stored: int) -> None:
    """Whole pictures and nothing else: no row, key or blob of the one that was at work."""
    left = PictureRoom(installation).left()
    assert (left.rows["images"], left.rows["file_keys"], len(left.keys)) == (stored,) * 3
    assert len(left.files) == FILES_OF_A_PICTURE * stored


def test_ctrl_c_on_a_terminal(
    installation: Installation, folder: Path, terminal: tuple[int, int]
) -> None:
    ours, theirs = terminal
    work = Import(installation, folder, theirs)
    seen = read_until(ours, lambda text: bool(re.search(rf"\b[3-9]/{FILES}", text)))
    assert "Sealing" in seen
    os.killpg(work.process.pid, signal.SIGINT)  # the decoder's children get it, too
    code, said = work.answer()
    assert (code, said["stopped"], said["refused"]) == (130, True, [])
    stored = said["counts"]["stored"]
    assert said["left"] == FILES - stored > 0
    rows = PictureRoom(installation).left().rows["images"]
    assert stored <= rows <= stored + 1  # a commit may be done before it is counted
    check_what_is_there(installation, rows)
    assert work.again()["counts"] == {"there already": rows, "stored": FILES - rows}
    check_what_is_there(installation, FILES)


def test_sigterm_in_a_pipe(installation: Installation, folder: Path) -> None:
    work = Import(installation, folder, subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while PictureRoom(installation).left().rows["images"] < 2:
        assert time.monotonic() < deadline
    work.process.terminate()
    code, said = work.answer()
    assert (code, said["stopped"]) == (130, True)
    check_what_is_there(installation, PictureRoom(installation).left().rows["images"])


def test_a_log_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter(range(0, 100, 4))
    work = told._told(list(range(6)), "Sealing", lambda: float(next(times)))
    assert list(work) == list(range(6))
    assert capsys.readouterr().err.splitlines() == ["Sealing: 2 of 6", "Sealing: 5 of 6"]
    work = told._told(iter("abc"), "Opening", lambda: float(next(times)))
    assert list(work) == ["a", "b", "c"]
    assert capsys.readouterr().err.splitlines() == ["Opening: 2"]


def test_a_verification_that_is_stopped_says_what_it_did(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    PictureRoom(installation).upload(pictures.png())
    real = installation.services.verification.images

    def interrupted() -> Iterator[object]:
        yield from real()
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(installation.services.verification, "images", interrupted)
    answer = installation.app.test_cli_runner().invoke(args=["encryption", "verify", "--json"])
    assert answer.exit_code == 130
    said = json.loads(answer.stdout)
    assert (said["problems"], said["stopped"], said["opened"] > 3) == ([], True, True)


def test_a_second_signal_while_the_first_is_obeyed_is_not_heard() -> None:
    cleaned, before = False, signal.getsignal(signal.SIGINT)
    with told.until_stopped() as stop:
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGTERM)
            cleaned = True
    assert (stop.requested, cleaned) == (True, True)
    assert signal.getsignal(signal.SIGINT) is before


def test_moving_in_stops_and_goes_on(install, folder: Path) -> None:
    """As the import of a folder: what was done is told, the rest remains, again goes on."""
    home: Installation = install(IMAGE_ENCRYPTION_KEY=TYPED_KEY)
    for path in list(folder.iterdir()):
        put_old(folder, path.name, path.read_bytes())
        path.unlink()
    words = ["encryption", "import-legacy", str(folder), "--owner", home.person().email]
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words, "--run", "--json"]
    environ = BARE | home.environ
    process = subprocess.Popen(
        command, cwd=TOP, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + PATIENCE
    while PictureRoom(home).left().rows["images"] < 2:
        assert time.monotonic() < deadline
    process.terminate()
    said = json.loads(process.communicate(timeout=PATIENCE)[0])
    assert (process.returncode, said["stopped"], said["refused"]) == (130, True, [])
    assert said["found"] == FILES == said["imported"] + said["remaining"]
    assert 0 < said["remaining"] < FILES
    rows = PictureRoom(home).left().rows["images"]
    check_what_is_there(home, rows)
    assert home.services.runs.last("migration", state="stopped") is not None
    again = run(*command[2:], environ=environ)
    assert again.returncode == 0, again.stderr
    told = json.loads(again.stdout)
    assert (told["already_there"], told["imported"]) == (rows, FILES - rows)
    check_what_is_there(home, FILES)
