"""The documentation names what exists: settings, routes, commands, records, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from flask import Flask

from app import create_app, errors
from app.config import setting_names

TOP = Path(__file__).resolve().parents[2]
PAGES = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")])
NOT_OURS = frozenset({"static", "bootstrap.static"})
GROUPS_OF_LIBRARIES = frozenset({"limiter", "routes", "run", "shell", "spec"})


def text(name: str) -> str:
    return (TOP / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def app() -> Flask:
    return create_app()


# -- settings


def table_of_settings(page: str) -> dict[str, str]:
    """Return setting and default of every table row that begins with a setting's name."""
    rows = re.findall(r"^\| ([A-Z][A-Z0-9_]+) \| (.*?) \|", page, re.MULTILINE)
    return {name: default.strip("`") for name, default in rows}


@pytest.mark.parametrize("page", ["README.md", "docs/configuration.md"])
def test_every_setting_is_documented_with_its_default(page: str) -> None:
    documented = table_of_settings(text(page))
    real = setting_names()
    assert documented.keys() == real.keys()
    in_words = {"none", "required", "http://BIND"}
    wrong = {
        name: (documented[name], default)
        for name, default in real.items()
        if default and documented[name] not in {default, *in_words}
    }
    assert wrong == {}
    nothing = {name for name, default in real.items() if not default}
    assert {documented[name] for name in nothing} <= in_words | {documented["ALLOWED_HOSTS"]}


def test_the_example_lists_every_setting() -> None:
    listed = re.findall(r"^# ([A-Z][A-Z0-9_]+)=", text(".env.example"), re.MULTILINE)
    assert set(listed) == set(setting_names())
    assert len(listed) == len(set(listed))


# -- routes


def without_names(path: str) -> str:
    """Return a path with its parameters' names left out, so that only the shape is compared."""
    return re.sub(r"<[^<>]*>", "<>", path)


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in NOT_OURS:
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield method, rule.rule


def test_every_route_is_documented(app: Flask) -> None:
    page = without_names(text("docs/api.md"))
    missing = []
    for method, rule in routes(app):
        shape = re.escape(without_names(rule).removeprefix("/api/v1"))
        line = rf"^.*\b{method}\b.*(?<![\w>]){shape}(?![\w/<]).*$"
        if not re.search(line, page, re.MULTILINE):
            missing.append(f"{method} {rule}")
    assert missing == []


# -- commands


def commands(app: Flask) -> Iterator[str]:
    """Yield ``group command`` for every command of our own groups."""
    for name, group in app.cli.commands.items():
        if name in GROUPS_OF_LIBRARIES | {"db"} or not isinstance(group, click.Group):
            continue
        context = click.Context(group)
        yield from (f"{name} {command}" for command in group.list_commands(context))


def test_every_command_is_documented(app: Flask) -> None:
    page = text("docs/operations.md")
    real = set(commands(app))
    assert real, "no command was found"
    assert {name for name in real if f"`{name}" not in page} == set()


def test_no_command_is_documented_that_does_not_exist(app: Flask) -> None:
    rows = re.findall(r"^\| `([a-z-]+ [a-z-]+)[ `]", text("docs/operations.md"), re.MULTILINE)
    assert set(rows) - set(commands(app)) == {"db upgrade"}


# -- errors


def kinds_of_error() -> dict[str, set[str]]:
    """Return the classes of each code."""
    found: dict[str, set[str]] = {}
    for name, kind in vars(errors).items():
        if isinstance(kind, type) and issubclass(kind, errors.DarkroomError):
            found.setdefault(kind.code, set()).add(name)
    return found


def test_every_error_has_a_heading_and_every_heading_an_error() -> None:
    page = text("docs/troubleshooting.md")
    sections = re.split(r"^### ", page, flags=re.MULTILINE)[1:]
    told = {part.split("\n", 1)[0]: part for part in sections}
    kinds = kinds_of_error()
    assert told.keys() == kinds.keys()
    for code, part in told.items():
        first = part.split("\n\n")[1]
        assert set(re.findall(r"`([A-Z]\w+)`", first.partition(")")[0])) == kinds[code]
        for word in ("**Cause**", "**Check**", "**Cure**"):
            assert part.count(word) == 1, (code, word)


def test_troubleshooting_names_what_exists(app: Flask) -> None:
    page = text("docs/troubleshooting.md")
    groups = {name.partition(" ")[0] for name in commands(app)}
    named = re.findall(r"`([a-z-]+) ([a-z-]+)[^`]*`", page)
    told = {f"{group} {word}" for group, word in named if group in groups}
    assert told
    assert told - set(commands(app)) == set()
    settings = set(re.findall(r"`([A-Z][A-Z0-9]+_[A-Z0-9_]+)`", page))
    assert settings - set(setting_names()) == set()


# -- pages


def test_every_record_is_listed() -> None:
    index = text("docs/index.md")
    for record in sorted((TOP / "docs" / "adr").glob("*.md")):
        title = record.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        assert f"[{title}](adr/{record.name})" in index
        assert title.startswith(f"{int(record.name[:4])}. ")


def test_every_page_is_listed() -> None:
    index = text("docs/index.md")
    for path in PAGES:
        inside = path.is_relative_to(TOP / "docs")
        link = path.relative_to(TOP / "docs").as_posix() if inside else f"../{path.name}"
        assert path.name == "index.md" or f"({link})" in index, link


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TOP)))
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_lock_files_name_hashes_and_no_registry() -> None:
    for lock in TOP.glob("requirements*.txt"):
        content = lock.read_text(encoding="utf-8")
        assert "://" not in content
        pinned = re.split(
            r"\n(?=[a-z0-9])", re.sub(r"^\s*#.*\n", "", content, flags=re.MULTILINE)
        )
        assert all("==" in entry and "--hash=sha256:" in entry for entry in pinned if entry)
