"""What a rebuild found, made and could not make."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """``found`` = ``rebuilt`` + ``incomplete`` + ``failed``, counted in pictures.

    An incomplete one has its row, but something was missing or damaged: ``reasons`` counts
    what, ``examples`` names the first few keys of the store for each. ``directory`` is "ok",
    "missing" or "damaged". ``foreign`` and ``leftover`` files belong to no picture.
    """

    found: int
    rebuilt: int
    incomplete: int
    failed: int
    reasons: dict[str, int]
    examples: dict[str, list[str]]
    directory: str
    rows: dict[str, int]
    stand_ins: dict[str, int]
    disabled_before: int
    foreign: int
    leftover: int

    @property
    def is_whole(self) -> bool:
        """Whether every picture has its row and the directory was there."""
        return not self.failed and self.directory == "ok"


@dataclass(slots=True)
class Tally:
    """Counts while the work goes on."""

    rebuilt: int = 0
    incomplete: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    directory: str = "missing"
    rows: Counter[str] = field(default_factory=Counter)
    stand_ins: Counter[str] = field(default_factory=Counter)
    disabled_before: int = 0
    foreign: int = 0
    leftover: int = 0

    @property
    def seen(self) -> int:
        return self.rebuilt + self.incomplete + self.failed

    def note(self, key: str, *reasons: str) -> None:
        """Why a picture is not whole; ``key`` is where its original lies."""
        for reason in reasons:
            self.reasons[reason] += 1
            known = self.examples.setdefault(reason, [])
            if len(known) < EXAMPLES:
                known.append(key)

    def report(self) -> RebuildReport:
        return RebuildReport(
            found=self.seen,
            rebuilt=self.rebuilt,
            incomplete=self.incomplete,
            failed=self.failed,
            reasons=dict(self.reasons),
            examples=self.examples,
            directory=self.directory,
            rows=dict(self.rows),
            stand_ins=dict(self.stand_ins),
            disabled_before=self.disabled_before,
            foreign=self.foreign,
            leftover=self.leftover,
        )
