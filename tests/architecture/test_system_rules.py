"""What code may ask of the system: no plaintext file, no fork, no weak random number."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FILES = sorted((TOP / "app").rglob("*.py"))

# Call or import: why nobody in app/ may use it.
FORBIDDEN = {
    "tempfile": "temporary files are sealed: storage.spool",
    "pickle": "loading a pickle runs code",
    "marshal": "loading it is not safe",
    "shelve": "it is made of pickles",
    **{
        f"random.{name}": "random numbers come from os.urandom or SystemRandom"
        for name in ("random", "randint", "randbytes", "choice", "shuffle", "uniform", "sample")
    },
    "eval": "input is data",
    "exec": "input is data",
    "os.fork": "a fork would carry keys into the child",
    "os.system": "programs are started with a list, without a shell",
    "os.popen": "programs are started with a list, without a shell",
    "multiprocessing": "a fork would carry keys into the child",
    "shutil.copyfile": "blobs go through the sealed writer",
    "datetime.utcnow": "times carry their zone",
}
# Here the fault tests count and fail every system call, so all of them go through os.
THROUGH_OS_ONLY = ("app/storage/", "app/vault/local.py", "app/vault/key_file.py")
HIGH_LEVEL = frozenset({
    "read_text", "read_bytes", "write_text", "write_bytes", "copyfile", "copyfileobj", "rmtree",
})  # fmt: skip


def names_used(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield dotted names that are called or imported, with their line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield ast.unparse(node.func), node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOP)))
def test_nothing_forbidden_is_used(path: Path) -> None:
    used = list(names_used(ast.parse(path.read_text(encoding="utf-8"))))
    found = [
        f"line {line}: {name} ({FORBIDDEN[name]})" for name, line in used if name in FORBIDDEN
    ]
    assert found == []


def test_storage_and_the_local_vault_ask_the_system_through_os() -> None:
    found = []
    for path in FILES:
        place = str(path.relative_to(TOP))
        if place.startswith(THROUGH_OS_ONLY):
            for name, line in names_used(ast.parse(path.read_text(encoding="utf-8"))):
                if name == "open" or name.rpartition(".")[2] in HIGH_LEVEL:
                    found.append(f"{place}:{line} {name}")
    assert found == []


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from os import fork", "from random import choice", "eval('1')"],
)
def test_the_rules_see_what_they_forbid(source: str) -> None:
    assert any(name in FORBIDDEN for name, _ in names_used(ast.parse(source)))
