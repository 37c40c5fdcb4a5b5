"""Who may import whom: the contracts of pyproject.toml, no cycles, packages in their rooms."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FILES = sorted((TOP / "app").rglob("*.py"))

# Package: the rooms that alone may import it, anywhere in a file.
ROOMS = {
    "cryptography": ("app.crypto",),
    "PIL": ("app.media",),
    "pillow_heif": ("app.media",),
    "av": ("app.media",),
    "obstore": ("app.storage.s3",),
    "azure": ("app.vault",),
    "hvac": ("app.vault",),
    "flask_limiter": ("app.extensions", "app.factory", "app.web", "app.blueprints"),
    "dotenv": ("app.config",),
    "huey": ("app.jobs.queue",),
}
CRYPTO_MAY_IMPORT = sys.stdlib_module_names | {"app", "cryptography", "_typeshed"}


def module_name(path: Path) -> str:
    parts = path.relative_to(TOP).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(tree: ast.AST) -> set[str]:
    """Return the absolute names that import statements anywhere below ``tree`` name."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def imports_at_load(tree: ast.Module) -> set[str]:
    """Return what loading the module imports: not in functions, not for types alone."""
    body: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            body += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body.append(node)
    return imports(ast.Module(body=body, type_ignores=[]))


TREES = {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in FILES}


def test_the_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {
        name: (imports_at_load(tree) & TREES.keys()) - {name} for name, tree in TREES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as cycle:
        pytest.fail(f"import cycle: {' -> '.join(cycle.args[1])}")


def test_a_cycle_would_be_found() -> None:
    with pytest.raises(CycleError):
        TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()


@pytest.mark.parametrize("package", ROOMS)
def test_a_package_stays_in_its_room(package: str) -> None:
    users = {
        name
        for name, tree in TREES.items()
        if any(found.split(".")[0] == package for found in imports(tree))
    }
    strangers = {name for name in users if not name.startswith(ROOMS[package])}
    assert strangers == set()


def test_crypto_stands_on_the_standard_library_and_cryptography() -> None:
    for name, tree in TREES.items():
        if name.startswith("app.crypto"):
            found = imports(tree)
            assert {item.split(".")[0] for item in found} <= CRYPTO_MAY_IMPORT, name
            own = {item for item in found if item.startswith("app.")}
            assert all(item.startswith(("app.crypto", "app.errors")) for item in own), name


def test_the_error_tree_imports_nothing_of_the_application() -> None:
    assert not {name for name in imports(TREES["app.errors"]) if name.startswith("app")}


def test_dev_py_needs_only_the_standard_library() -> None:
    tree = ast.parse((TOP / "dev.py").read_text(encoding="utf-8"))
    assert {name.split(".")[0] for name in imports(tree)} <= sys.stdlib_module_names


def test_the_crypto_room_loads_without_flask() -> None:
    code = (
        "import sys, app.crypto.keys; heavy = {'flask', 'click', 'sqlalchemy', 'PIL'};"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
