"""Long work on a terminal or in a log: how far it is, and how it is stopped."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Final, TypeVar

import click

from app.errors import WorkStopped

T = TypeVar("T")

STOPPED: Final = 128 + signal.SIGINT
"""The exit code of work that was stopped, as shells tell it."""
SAY_EVERY: Final = 10.0
"""Seconds between two lines where there is no terminal."""
LISTEN_EVERY: Final = 0.5
"""Seconds after which a signal is heard at the latest."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass
class Stop:
    """``requested``: somebody asked the work to end before it was done."""

    requested: bool = False


@contextmanager
def until_stopped() -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM end the block at once; what is after it says what was done.

    What they interrupt is taken back by whoever was at it. A second one while that happens
    is not heard.
    """
    stop = Stop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if not stop.requested:
            stop.requested = True
            raise KeyboardInterrupt

    before = [(number, signal.signal(number, ask)) for number in SIGNALS]
    try:
        yield stop
    except KeyboardInterrupt:
        stop.requested = True
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def wait_for_a_signal() -> None:
    """Do nothing in `until_stopped` until it ends the block.

    In slices: Python hears a signal between two steps, so that one that comes just before a
    wait without end would never be heard.
    """
    while True:
        time.sleep(LISTEN_EVERY)


@contextmanager
def until_asked() -> Iterator[Stop]:
    """Let the first Ctrl-C or SIGTERM only ask: the work ends where it is complete.

    The second one ends the block at once; what it interrupts is taken back as after a crash.
    """
    stop = Stop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True

    before = [(number, signal.signal(number, ask)) for number in SIGNALS]
    try:
        yield stop
    finally:
        for number, handler in before:
            signal.signal(number, handler)


@contextmanager
def progress(work: Iterable[T], label: str) -> Iterator[Iterator[T]]:
    """Hand out the work one by one and tell on standard error how far it is.

    A bar on a terminal; elsewhere a line now and then, which a log can hold. How much there
    is is told where the work knows it.
    """
    if not sys.stderr.isatty():
        yield _told(work, label, time.monotonic)
        return
    with click.progressbar(work, label=label, show_pos=True, file=sys.stderr) as bar:
        yield iter(bar)


def _told(work: Iterable[T], label: str, clock: Callable[[], float]) -> Iterator[T]:
    said = clock()
    of_all = f" of {len(work)}" if isinstance(work, Sized) else ""
    for done, item in enumerate(work):
        if clock() - said >= SAY_EVERY:
            said = clock()
            click.echo(f"{label}: {done}{of_all}", err=True)
        yield item


class TerminalWatch:
    """A ``Watch`` for commands: a line that moves on a terminal, a line now and then in a log.

    It never asks the work to end: `until_stopped` does.
    """

    def __init__(self, label: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._label = label
        self._clock = clock
        self._moving = sys.stderr.isatty()
        self._every = 0.2 if self._moving else SAY_EVERY
        self._said = clock()

    def advance(self, done: int, total: int | None = None) -> None:
        """Tell how far it is, unless that was told a moment ago."""
        if self._clock() - self._said < self._every:
            return
        self._said = self._clock()
        of_all = f" of {total}" if total is not None else ""
        told = f"{self._label}: {done}{of_all}"
        click.echo(f"\r{told}" if self._moving else told, err=True, nl=not self._moving)

    def over(self) -> None:
        """Leave the line that moved, so that what is said next has one of its own."""
        if self._moving:
            click.echo(f"\r{' ' * (len(self._label) + 40)}\r", err=True, nl=False)


class StoppableWatch(TerminalWatch):
    """A ``Watch`` that ends the work between two steps once a ``stop`` was requested."""

    def __init__(
        self, label: str, stop: Stop, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(label, clock)
        self._stop = stop

    def advance(self, done: int, total: int | None = None) -> None:
        """As in TerminalWatch; raises WorkStopped."""
        super().advance(done, total)
        if self._stop.requested:
            raise WorkStopped("The work was asked to end.", operation="command.stop")
