"""Counts the system calls of an operation, and fails or kills it at the Nth.

The rooms under test call the operating system only through attributes of ``os``, so
replacing these attributes catches every call.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CALLS = (
    "close",
    "fstat",
    "fsync",
    "link",
    "makedirs",
    "mkdir",
    "open",
    "preadv",
    "replace",
    "scandir",
    "stat",
    "unlink",
    "write",
)
KILLED = 77


class Trace(list[str]):
    """The names of the calls that were made, in order."""


@contextmanager
def watched(before: Callable[[int, str], None]) -> Iterator[Trace]:
    """Call ``before(n, name)`` ahead of the nth system call, counted from 1."""
    trace = Trace()
    real = {name: getattr(os, name) for name in CALLS}

    def wrap(name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            trace.append(name)
            try:
                before(len(trace), name)
            except OSError:
                if name == "close":  # Linux closes the descriptor even when it complains
                    real["close"](*args)
                raise
            return real[name](*args, **kwargs)

        return call

    try:
        for name in CALLS:
            setattr(os, name, wrap(name))
        yield trace
    finally:
        for name in CALLS:
            setattr(os, name, real[name])


def count(operation: Callable[[], object]) -> int:
    """How many system calls the operation makes when all goes well."""
    with watched(lambda number, name: None) as trace:
        operation()
    return len(trace)


def failing(at: int, error: int, *, onwards: bool) -> Callable[[int, str], None]:
    """Raise OSError(error) at the Nth call, or at this and every later one."""

    def before(number: int, name: str) -> None:
        if number == at or (onwards and number > at):
            raise OSError(error, os.strerror(error))

    return before


def killed_at(at: int, operation: Callable[[], object]) -> bool:
    """Run the operation in a fork that dies ahead of the Nth call; False: it finished."""
    child = os.fork()
    if child == 0:
        status = 1
        try:

            def before(number: int, name: str) -> None:
                if number == at:
                    os._exit(KILLED)

            with watched(before):
                operation()
            status = 0
        finally:
            os._exit(status)
    _, result = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(result)
    assert code in (0, KILLED), f"the operation itself failed with {code}"
    return code == KILLED
