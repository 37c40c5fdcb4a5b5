"""The scrub: all pictures, chunk by chunk, in so many days, a little every hour.

Damage is found while a backup still has what was lost: a damaged original is set aside at
once, everything is counted, logged and recorded.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.crypto.context import Role
from app.errors import DecryptionFailed
from app.services.rotation.pace import BESIDE_REQUESTS, Pace
from app.services.verification.findings import Damage, Finding
from app.services.verification.images import ORIGINAL

if TYPE_CHECKING:
    from app.jobs.watch import Watch
    from app.services.quarantine import Quarantine
    from app.services.runs import Run, Runs
    from app.services.verification import ExpectedImages
    from app.services.verification.images import ImageCheck

log = logging.getLogger("darkroom.scrub")
KIND: Final = "scrub"
SLICES_A_DAY: Final = 24
NOT_SET_ASIDE: Final = frozenset(
    [Damage.UNREADABLE, Damage.KEY_DISABLED, Damage.NO_KEY_ROW, Damage.ROW]
)
"""The disk, the vault or the database is at fault, and may be in order again tomorrow."""


@dataclass(slots=True)
class ScrubReport:
    """``damaged`` counts pictures since the round began; ``round_over``: all were seen."""

    looked: int = 0
    damaged: int = 0
    round_over: bool = False
    by_kind: Counter[str] = field(default_factory=Counter)


class Scrub:
    """``days``: of one round over everything; ``minutes``: the most that a slice takes."""

    def __init__(
        self,
        *,
        rows: ExpectedImages,
        check: ImageCheck,
        quarantine: Quarantine,
        runs: Runs,
        days: int,
        minutes: int,
        monotonic: Callable[[], float] = time.monotonic,
        pace: Callable[[], Callable[[int], None]] = lambda: Pace(BESIDE_REQUESTS),
    ) -> None:
        self._rows = rows
        self._check = check
        self._quarantine = quarantine
        self._runs = runs
        self._days = days
        self._seconds = minutes * 60
        self._monotonic = monotonic
        self._pace = pace

    def run(self, watch: Watch) -> ScrubReport:
        """The next slice, from where the last one was. Raises what a lost mount raises."""
        report, after = self._taken_up()
        total, pace = self._rows.count(), self._pace()
        wanted = -(-total // (self._days * SLICES_A_DAY))
        until = self._monotonic() + self._seconds
        with self._runs.started(KIND) as run:
            run.cursor = str(after) if after is not None else None
            for image_id in self._rows.ids(after):
                self._look(image_id, report, pace)
                run.cursor = str(image_id)
                _count(run, report, wanted)
                watch.advance(report.looked, wanted)
                if report.looked >= wanted or self._monotonic() >= until:
                    break
            else:
                report.round_over = True
                run.cursor = None
            _count(run, report, report.looked)
        return report

    def _taken_up(self) -> tuple[ScrubReport, UUID | None]:
        """Go on with the round; the pictures that were damaged in it still count."""
        former = self._runs.last(KIND, None)
        if former is None or former.cursor is None:
            return ScrubReport(), None
        return ScrubReport(damaged=former.failed), UUID(former.cursor)

    def _look(self, image_id: UUID, report: ScrubReport, pace: Callable[[int], None]) -> None:
        report.looked += 1
        found = self._check.look(image_id, full=True, pace=pace)
        report.damaged += any(finding.damage is not None for finding in found)
        for finding in found:
            if finding.damage is not None:
                report.by_kind[finding.damage.slug] += 1
                self._treat(image_id, finding, finding.damage)

    def _treat(self, image_id: UUID, finding: Finding, damage: Damage) -> None:
        log.error(
            "the scrub found damage",
            extra={"image_id": image_id, "part": finding.part, "kind": damage.slug},
        )
        expected = self._rows.get(image_id)
        if expected is None:
            return
        if finding.part == ORIGINAL and damage not in NOT_SET_ASIDE:
            cause = DecryptionFailed(operation="scrub", details={"kind": damage.slug})
            self._quarantine.set_aside(expected.image, Role.ORIGINAL, 0, cause)
        else:
            self._quarantine.note_part(expected.image, finding.part, damage.slug)


def _count(run: Run, report: ScrubReport, wanted: int) -> None:
    run.figures |= {"looked": report.looked, "by_kind": dict(report.by_kind)}
    run.count(
        done=report.looked, failed=report.damaged, remaining=max(0, wanted - report.looked)
    )
