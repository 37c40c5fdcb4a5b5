"""What became of one source."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Verdict(StrEnum):
    """``READY``: a dry run found that it could be imported. ``PROVEN``: its copy is equal."""

    IMPORTED = "imported"
    THERE = "already_there"
    REFUSED = "refused"
    READY = "could_be_imported"
    PROVEN = "proven"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``source`` is printable; ``boxes`` counts the new ones (or, where proven, all)."""

    source: str
    verdict: Verdict
    reason: str = ""
    image_id: UUID | None = None
    boxes: int = 0


@dataclass
class Tally:
    """What was done of ``found`` sources: every one of them is in one count, or remains."""

    found: int
    counts: Counter[Verdict] = field(default_factory=Counter)
    refused: list[Outcome] = field(default_factory=list)
    boxes: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one source."""
        self.counts[outcome.verdict] += 1
        self.boxes += outcome.boxes
        if outcome.verdict is Verdict.REFUSED:
            self.refused.append(outcome)

    @property
    def done(self) -> int:
        return self.counts.total() - len(self.refused)

    @property
    def remaining(self) -> int:
        return self.found - self.counts.total()
