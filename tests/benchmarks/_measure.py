"""Interleaved medians and their ratio: the only figure that means something here.

Both sides run in turn, so that a slow second of the machine hits both; the medians of at
least five rounds are compared and judged. ``best`` is the ratio of the fastest rounds: on a
machine that others use too, a ratio far from it says that they were in the way.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

Work = Callable[[], object]
Clock = Callable[[], float]
Figures = dict[str, list[float]]


@dataclass(frozen=True)
class Row:
    """One line of the table; both ratios are ours over the baseline's, in ``unit``."""

    work: str
    baseline: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    best: float
    goal: str
    met: bool


def compare(
    work: str,
    baseline: str,
    ours: Work,
    theirs: Work,
    *,
    goal: float,
    higher_is_better: bool = False,
    rounds: int = 7,
    amount: float = 0.0,
    unit: str = "ms",
    clock: Clock = time.perf_counter,
) -> Row:
    """Time both in turn. ``amount``, if given, makes rates of times (amount a second).

    ``clock``: ``time.process_time`` where both sides only compute, in one thread: it stands
    still while other programs of the machine have the processor.
    """

    def figure(side: Work) -> Callable[[], float]:
        return lambda: amount / timed(side, clock) if amount else timed(side, clock) * 1000

    found = interleaved({"ours": figure(ours), "theirs": figure(theirs)}, rounds)
    return judged(work, baseline, found, ("ours", "theirs"), unit, goal, higher_is_better)


def interleaved(sides: dict[str, Callable[[], float]], rounds: int) -> Figures:
    """The figures of each side; all sides run in turn, once before that for nothing."""
    for side in sides.values():
        side()
    found: Figures = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            found[name].append(side())
    return found


def judged(
    work: str,
    baseline: str,
    found: Figures,
    names: tuple[str, str],
    unit: str,
    goal: float,
    higher_is_better: bool = False,
) -> Row:
    """The row of two sides; ``names`` are ours and the baseline's."""
    mine, other = (found[name] for name in names)
    fastest = max if higher_is_better else min
    here, there = statistics.median(mine), statistics.median(other)
    ratio, best = here / there, fastest(mine) / fastest(other)
    met = ratio >= goal if higher_is_better else ratio <= goal
    sign = ">=" if higher_is_better else "<="
    return Row(work, baseline, here, there, unit, ratio, best, f"{sign} {goal:g}", met)


def timed(work: Work, clock: Clock = time.perf_counter) -> float:
    """Seconds of one run, without the collector."""
    gc.collect()
    gc.disable()
    try:
        began = clock()
        work()
        return clock() - began
    finally:
        gc.enable()


def report(rows: list[Row]) -> None:
    """Print a table in Markdown, or JSON with ``--json``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    chosen, _ = parser.parse_known_args()
    if chosen.json:
        json.dump([asdict(row) for row in rows], sys.stdout, indent=1)
        print()
        return
    for row in rows:
        print(
            f"| {row.work} | {row.baseline} | {row.ours:.5g} / {row.theirs:.5g} {row.unit} "
            f"| {row.ratio:.2f} | {row.best:.2f} | {row.goal} "
            f"| {'yes' if row.met else '**no**'} |",
            flush=True,
        )
