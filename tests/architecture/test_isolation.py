"""Tests use no key, vault, database or setting of the machine: tried by planting some."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
PLANTED = {
    "ENCRYPTION_KEY": secrets.token_hex(32),
    "SECRET_KEY": secrets.token_hex(32),
    "KEY_VAULT_LOCAL_PATH": "/planted",
    "DATABASE_URL": "sqlite:////planted.db",
    "METRICS_TOKEN": "planted",
}
SESSION = """
import os, sqlite3, subprocess, sys
from pathlib import Path
import pytest
from app import create_app
from app.config import setting_names

TOP = Path(__file__).resolve().parents[1]

def test_no_setting_is_left():
    assert not setting_names().keys() & os.environ.keys()

def test_the_application_has_no_key():
    answer = create_app().test_client().get("/api/v1/me")
    assert answer.status_code >= 400
    assert "ENCRYPTION_KEY" not in os.environ

def test_a_command_has_no_key():
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "users", "list"]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert done.returncode != 0
    assert "_KEY is not set" in done.stderr or "_KEY not configured" in done.stderr

@pytest.mark.parametrize("reach", [
    lambda: open(TOP / ".env"),
    lambda: (TOP / "instance" / "secrets" / "root.json").read_bytes(),
    lambda: os.listdir(TOP / "instance"),
    lambda: sqlite3.connect(TOP / "instance" / "darkroom.db"),
    lambda: os.open(str(TOP / "instance" / "darkroom.db"), os.O_RDONLY),
    lambda: os.mkdir(TOP / "instance" / "more"),
])
def test_what_is_planted_cannot_be_reached(reach):
    with pytest.raises(PermissionError, match="own data"):
        reach()
"""


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """Return a clone with a used instance and a key in it, and this suite's conftest."""
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(TOP / "app", tmp_path / "app", ignore=leave)
    (tmp_path / "tests").mkdir()
    for part in ("tests/conftest.py", "pyproject.toml", "wsgi.py"):
        shutil.copy(TOP / part, tmp_path / part)
    (tmp_path / "tests" / "test_session.py").write_text(SESSION)
    (tmp_path / "instance" / "secrets").mkdir(parents=True)
    (tmp_path / "instance" / "secrets" / "root.json").write_text("planted")
    (tmp_path / "instance" / "darkroom.db").write_text("planted")
    (tmp_path / ".env").write_text("".join(f"{n}={value}\n" for n, value in PLANTED.items()))
    (tmp_path / ".env").chmod(0o600)
    return tmp_path


def test_nothing_planted_is_used(planted: Path) -> None:
    before = {path: path.read_bytes() for path in planted.rglob("*") if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=planted,
        env={**os.environ, **PLANTED, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "9 passed" in done.stdout
    assert {p: p.read_bytes() for p in planted.rglob("*") if p.is_file()} == before
