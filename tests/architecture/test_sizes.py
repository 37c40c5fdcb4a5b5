"""Files and functions stay small: hard caps for ``app/``, and a report of the medians."""

from __future__ import annotations

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FILE_CAP, FUNCTION_CAP = 300, 40
FILES = sorted((TOP / "app").rglob("*.py"))


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Yield name and length in lines (signature and docstring included) of each function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(TOP)))
def test_caps(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= FILE_CAP
    long = [(name, lines) for name, lines in functions(source) if lines > FUNCTION_CAP]
    assert long == []


def test_medians(capsys: pytest.CaptureFixture[str]) -> None:
    sources = [path.read_text(encoding="utf-8") for path in FILES]
    written = [len(source.splitlines()) for source in sources if source.strip()]
    lengths = [lines for source in sources for _, lines in functions(source)]
    files, each = statistics.median(written), statistics.median(lengths)
    with capsys.disabled():
        print(
            f"\napp/: {len(written)} files, median {files:.0f} lines, longest {max(written)};"
            f" {len(lengths)} functions, median {each:.0f}, longest {max(lengths)}"
        )
    assert files < 150
    assert each <= 10


def test_the_measure_counts_a_function_whole() -> None:
    assert list(functions("def f(\n    a,\n):\n    '''d'''\n    return a\n")) == [("f", 5)]
