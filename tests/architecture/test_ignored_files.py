"""Keys and data stay out of git and out of images: tried, not read."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.docker_ignore import is_ignored

TOP = Path(__file__).resolve().parents[2]
DOCKER_RULES = (TOP / ".dockerignore").read_text(encoding="utf-8")

SECRET = [
    ".env",
    ".env.0123456789abcdef",
    ".env.production",
    "instance/darkroom.db",
    "instance/darkroom.db-wal",
    "instance/store/dam/c-abcdefghij/0a/image_1_2.jpg.enc",
    "instance/secrets/0a/file-1.json",
    "secrets/0a/root-columns.json",
    ".venv/bin/python",
    ".venv/pyvenv.cfg",
]
WANTED = [
    "app/factory.py",
    "app/static/css/app.css",
    "app/templates/base.html",
    "dev.py",
    "gunicorn.conf.py",
    "migrations/env.py",
    "requirements.txt",
    "wsgi.py",
]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a new git repository with this one's rules and every file above in it."""
    folder = tmp_path_factory.mktemp("repository")
    shutil.copy(TOP / ".gitignore", folder)
    subprocess.run(["git", "init", "-q", folder], check=True)
    for name in SECRET + WANTED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    return folder


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", "-C", str(folder), "-c", "core.excludesFile=/dev/null", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("path", SECRET)
def test_git_ignores(repository: Path, path: str) -> None:
    assert git(repository, "check-ignore", "-q", path).returncode == 0


def test_git_adds_the_rest_and_nothing_secret(repository: Path) -> None:
    git(repository, "add", "--all")
    added = git(repository, "ls-files").stdout.split()
    assert sorted(added) == sorted([".gitignore", *WANTED])


def test_nothing_secret_is_in_this_repository() -> None:
    tracked = git(TOP, "ls-files").stdout.split()
    if not tracked:
        pytest.skip("not a git clone")
    outside = (".env", "instance/", "secrets/", ".venv/")
    assert [path for path in tracked if path.startswith(outside)] in ([], [".env.example"])


@pytest.mark.parametrize("path", SECRET)
def test_docker_ignores(path: str) -> None:
    assert is_ignored(path, DOCKER_RULES)
    assert is_ignored(f"nested/{path}", DOCKER_RULES)


@pytest.mark.parametrize("path", WANTED)
def test_docker_takes(path: str) -> None:
    assert not is_ignored(path, DOCKER_RULES)


@pytest.mark.parametrize(
    ("path", "rules", "ignored"),
    [
        ("a/b/c.txt", "a", True),
        ("x/a", "a", False),
        ("x/a", "**/a", True),
        ("a", "**/a", True),
        ("ab", "a?", True),
        ("a/b", "a*b", False),
        (".env.example", ".env.*\n!.env.example", False),
        (".env.example", "!.env.example\n.env.*", True),
        ("axenv", "a.env", False),
        ("m.pyc", "*.py[cod]", True),
        ("anything", "# anything", False),
    ],
)
def test_the_matcher_follows_the_reference(path: str, rules: str, ignored: bool) -> None:
    assert is_ignored(path, rules) is ignored
