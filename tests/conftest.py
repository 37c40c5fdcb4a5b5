"""Every test session starts from an empty environment and never reads the machine's own data.

Only what a process needs to run is left of the environment: no setting of Darkroom and no
key survives. The ``.env`` and the ``instance/`` of this clone are out of bounds: opening
anything there fails the test that tried. Fixtures live in ``tests/fixtures``.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

TOP = Path(__file__).resolve().parent.parent
KEPT = frozenset(["PATH", "HOME", "LANG", "TERM", "TMPDIR", "TZ", "CI", "VIRTUAL_ENV"])
KEPT_PREFIXES = ("LC_", "PYTHON", "PYTEST_", "DARKROOM_TEST_", "PIP_", "UV_", "SSL_CERT_")
SLOWEST_FIRST = ("faults", "browser", "cli", "web", "services")
OUT_OF_BOUNDS = (str(TOP / ".env"), str(TOP / "instance"))
WATCHED = frozenset({"open", "sqlite3.connect", "os.listdir", "os.scandir", "os.mkdir"})

# Fixtures may import each other, in whatever order they are loaded.
pytest.register_assert_rewrite("tests.fixtures")
pytest_plugins = [
    f"tests.fixtures.{module.stem}"
    for module in sorted((TOP / "tests" / "fixtures").glob("[!_]*.py"))
]


def _empty_environment() -> None:
    for name in list(os.environ):
        if name not in KEPT and not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    os.environ["DARKROOM_ENV_FILE"] = os.devnull
    os.environ["FLASK_SKIP_DOTENV"] = "1"


def _guard(event: str, args: tuple[object, ...]) -> None:
    if event not in WATCHED or not args or not isinstance(args[0], str | os.PathLike):
        return
    path = os.fspath(args[0])
    if not isinstance(path, str) or os.sep not in path:
        return  # a bare name may be relative to a folder that the event does not tell
    path = os.path.abspath(path)
    if any(path == place or path.startswith(place + os.sep) for place in OUT_OF_BOUNDS):
        raise PermissionError(f"a test touched the machine's own data ({event}: {path})")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, so that no process ends long after the others; those that
    fork while little is in memory, since a fork takes as long as there is memory."""
    places = {TOP / "tests" / name: place for place, name in enumerate(SLOWEST_FIRST)}

    def place(item: pytest.Item) -> int:
        return min((places[at] for at in item.path.parents if at in places), default=99)

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What collecting made stays to the end: neither a collection of garbage nor a fork
    has to go through it again."""
    gc.collect()
    gc.freeze()


_empty_environment()
sys.addaudithook(_guard)
# No deadline: the machine may be busy. On CI the same examples every time.
settings.register_profile("darkroom", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("darkroom")
