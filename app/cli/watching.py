"""A Watch on a terminal or in a log: how far long work is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from app.cli.progress import SAY_EVERY

BAR_EVERY = 0.2
"""Seconds between two lines where there is a terminal, which overwrites them."""


class TerminalWatch:
    """Tells on standard error; what interrupts the work is `until_stopped`'s to hear."""

    def __init__(self, label: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._label = label
        self._clock = clock
        self._terminal = sys.stderr.isatty()
        self._said = clock()

    def advance(self, done: int, total: int | None = None) -> None:
        """Say it now and then: over the last line on a terminal, else as a line of a log."""
        pause = BAR_EVERY if self._terminal else SAY_EVERY
        if self._clock() - self._said < pause:
            return
        self._said = self._clock()
        of_all = f" of {total}" if total is not None else ""
        text = f"{self._label}: {done}{of_all}"
        click.echo(
            f"\r\x1b[K{text}" if self._terminal else text, err=True, nl=not self._terminal
        )

    def end(self) -> None:
        if self._terminal:
            click.echo("\r\x1b[K", err=True, nl=False)


@contextmanager
def watching(label: str) -> Iterator[TerminalWatch]:
    """A watch for the block."""
    watch = TerminalWatch(label)
    try:
        yield watch
    finally:
        watch.end()
