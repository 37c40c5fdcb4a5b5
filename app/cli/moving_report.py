"""What moving in did: counted as it goes, told at the end, with an exit code."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from app.cli.progress import STOPPED, progress, until_stopped
from app.cli.terminal import Refusal, all_services, say_json
from app.errors import DarkroomError
from app.services.migration.outcome import Outcome, Tally, Verdict
from app.services.runs import Run

T = TypeVar("T")
WORDS = {
    Verdict.IMPORTED: "imported",
    Verdict.READY: "could be imported",
    Verdict.PROVEN: "proven equal",
    Verdict.THERE: "there already",
    Verdict.REFUSED: "refused",
}


@dataclass
class Work:
    """``what`` are the sources ("files", "rows"); ``facts`` are told beside the counts."""

    what: str
    tally: Tally
    dry_run: bool = False
    stopped: bool = False
    failed: bool = False
    broken: DarkroomError | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def run(self, label: str, items: Iterable[T], step: Callable[[T], Outcome]) -> None:
        """Do one after the other; Ctrl-C, SIGTERM and faults of the installation end it.

        What was done until then is told: the rest remains, and the next run goes on there.
        """
        try:
            with (
                until_stopped() as stop,
                all_services().runs.started("migration") as run,
                progress(items, label) as bar,
            ):
                for item in bar:
                    self.tally.add(step(item))
                    self._note(run)
        except DarkroomError as error:
            self.broken = error
        self.stopped = self.stopped or stop.requested

    def _note(self, run: Run) -> None:
        tally = self.tally
        run.figures["dry_run"] = self.dry_run
        run.count(done=tally.done, failed=len(tally.refused), remaining=tally.remaining)

    def end(self, *, as_json: bool) -> None:
        """Tell what was done; exit 1 where anything was refused or broke, 130 if stopped."""
        if as_json:
            say_json(self.told())
        else:
            self.say()
        if self.broken is not None:
            raise Refusal(self.broken)
        if self.stopped:
            raise SystemExit(STOPPED)
        if self.tally.refused or self.tally.remaining or self.failed:
            raise SystemExit(1)

    def told(self) -> dict[str, Any]:
        """For a program: ``found`` is the sum of the counts and ``remaining``."""
        counts: dict[str, Any] = {
            verdict.value: count for verdict, count in self.tally.counts.items()
        }
        counts["refused"] = [
            {"source": one.source, "message": one.reason} for one in self.tally.refused
        ]
        rest = {"remaining": self.tally.remaining, "boxes": self.tally.boxes}
        ends = {"stopped": self.stopped, "dry_run": self.dry_run}
        return {"found": self.tally.found, **counts, **rest, **ends, **self.facts}

    def say(self) -> None:
        """For people: each refusal on standard error, then one sum."""
        for one in self.tally.refused:
            click.echo(f"Refused {one.source}: {one.reason}", err=True)
        told = [
            f"{self.tally.counts[verdict]} {word}"
            for verdict, word in WORDS.items()
            if self.tally.counts[verdict]
        ]
        told += [f"{self.tally.remaining} remain"] if self.tally.remaining else []
        sums = " + ".join(told) or "nothing to do"
        click.echo(f"{self.tally.found} {self.what} found = {sums}.")
        for name, value in self.facts.items():
            if value:
                click.echo(f"{name.replace('_', ' ')}: {value}")
        if self.tally.boxes:
            click.echo(f"boxes: {self.tally.boxes}")
        if self.dry_run:
            click.echo("Nothing was stored: this was a dry run. Say --run to do it.")
        elif self.stopped:
            click.echo("Stopped. Run it again to go on.")


@dataclass
class Counted:
    """An iterator whose length is known: so that progress can tell how far it is."""

    outcomes: Iterator[Outcome]
    length: int

    def __iter__(self) -> Iterator[Outcome]:
        return self.outcomes

    def __len__(self) -> int:
        return self.length
