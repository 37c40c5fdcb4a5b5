"""Fails or kills a piece of work at its Nth call of system, database or vault.

Every call through ``os`` that touches files, every statement and commit, and every call of
the vault is a point, counted from 1. Commits and vault calls are two: before, and after they
took effect but before anybody heard of it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from sqlalchemy import event

from app.errors import KeyVaultUnavailable
from app.wiring import House

SYSTEM = [
    "close",
    "fchmod",
    "fdatasync",
    "fstat",
    "fsync",
    "ftruncate",
    "link",
    "lstat",
    "makedirs",
    "mkdir",
    "open",
    "pread",
    "preadv",
    "pwrite",
    "read",
    "readv",
    "rename",
    "replace",
    "rmdir",
    "scandir",
    "stat",
    "statvfs",
    "symlink",
    "truncate",
    "unlink",
    "utime",
    "write",
    "writev",
]
VAULT = ("put", "get", "delete", "disable", "versions")
CHANGING = frozenset(
    ["db.commit", "db.commit done", "vault.put", "vault.put done", "vault.delete"]
    + ["vault.delete done", "vault.disable", "vault.disable done"]
    + [f"os.{name}" for name in ("fsync", "link", "mkdir", "replace", "rename", "rmdir")]
    + [f"os.{name}" for name in ("ftruncate", "truncate", "unlink", "utime", "write")]
)
KILLED = 77
Before = Callable[[int, str], None]


class Points(list[str]):
    """The names of the points that were passed, in order."""

    def __init__(self, before: Before) -> None:
        super().__init__()
        self._before = before

    def reach(self, name: str) -> None:
        self.append(name)
        self._before(len(self), name)


@contextmanager
def watched(house: House, before: Before) -> Iterator[Points]:
    """Call ``before(n, name)`` at the nth point of what happens inside the block."""
    points = Points(before)
    with ExitStack() as undo:
        for name in SYSTEM:
            real = getattr(os, name)
            undo.enter_context(mock.patch.object(os, name, _system_call(points, name, real)))
        for name in VAULT:
            real = getattr(house.vault, name)
            wrapped = _vault_call(points, name, real)
            undo.enter_context(mock.patch.object(house.vault, name, wrapped))
        _watch_database(house, points, undo)
        yield points


def _system_call(points: Points, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            points.reach(f"os.{name}")
        except OSError:
            if name == "close":  # Linux closes the descriptor even when it complains
                real(*args)
            raise
        return real(*args, **kwargs)

    return call


def _vault_call(points: Points, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        points.reach(f"vault.{name}")
        result = real(*args, **kwargs)
        points.reach(f"vault.{name} done")
        return result

    return call


def _watch_database(house: House, points: Points, undo: ExitStack) -> None:
    engine = house.engine
    commit = engine.dialect.do_commit

    def executing(*_: Any) -> None:
        points.reach("db.execute")

    def committing(connection: Any) -> None:
        points.reach("db.commit")
        commit(connection)
        points.reach("db.commit done")

    event.listen(engine, "before_cursor_execute", executing)
    undo.callback(event.remove, engine, "before_cursor_execute", executing)
    undo.enter_context(mock.patch.object(engine.dialect, "do_commit", committing))


def worth_trying(
    points: Sequence[str], one_in: int = 6, changing: int = 1
) -> Iterator[tuple[int, str]]:
    """Of the points that only read one in so many, and of those that change something every
    one, or one in ``changing`` where work repeats itself, as table by table.

    All of them where DARKROOM_TEST_EVERY_POINT is set: what a release is tried with.
    """
    everything = "DARKROOM_TEST_EVERY_POINT" in os.environ
    changed = 0
    for at, name in enumerate(points, 1):
        changed += name in CHANGING
        wanted = changed % changing == 0 if name in CHANGING else at % one_in == 0
        if everything or wanted:
            yield at, name


def failing(at: int, code: int, *, onwards: bool) -> Before:
    """Fail at the Nth point, or at this and every later one, as each kind fails."""

    def before(number: int, name: str) -> None:
        if number == at or (onwards and number > at):
            raise _fault(name, code)

    return before


def _fault(name: str, code: int) -> Exception:
    kind = name.partition(".")[0]
    if kind == "os":
        return OSError(code, os.strerror(code))
    if kind == "vault":
        return KeyVaultUnavailable("The vault is away.")
    fault = sqlite3.OperationalError("injected")
    # https://www.sqlite.org/rescode.html: 10 SQLITE_IOERR, 13 SQLITE_FULL
    fault.sqlite_errorcode = 13 if code == errno.ENOSPC else 10
    return fault


def killing(at: int | str) -> Before:
    """Die at the Nth point, or at the first of this name."""

    def before(number: int, name: str) -> None:
        if at in (number, name):
            os._exit(KILLED)

    return before


def killed_at(
    at: int | str, make: Callable[[], House], work: Callable[[House], object]
) -> bool:
    """Do the work in a fork that dies at the Nth point; False if it came to its end."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            house = make()
            with watched(house, killing(at)):
                work(house)
            status = 0
        finally:
            os._exit(status)
    _, result = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(result)
    assert code in (0, KILLED), f"the work itself failed with {code}"
    return code == KILLED
