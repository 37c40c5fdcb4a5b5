"""Long work tells how far it is, and hears that it is to stop."""

from __future__ import annotations

from typing import Final, Protocol


class Watch(Protocol):
    """Who watches a long piece of work: a job's row, a terminal, nobody.

    The work calls `advance` between two steps that are complete each: stopping there loses
    nothing, and the next run goes on from there.
    """

    def advance(self, done: int, total: int | None = None) -> None:
        """``done`` of ``total`` steps (None: not known) are complete; cheap to call often.

        Raises WorkStopped when the work was asked to end, and JobLeaseLost when somebody
        else has taken it over: what it would write now is not its own any more.
        """
        ...


class Unwatched:
    """Nobody looks, nobody stops it."""

    def advance(self, done: int, total: int | None = None) -> None:
        pass


UNWATCHED: Final = Unwatched()
