"""``store verify``: a run over everything, or a sample of it, that can be stopped and goes on.

It changes nothing but the book of runs. One thing is asked of it by name: `release` lets a
picture out of quarantine when all of it was verified.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.services.runs import Run, RunView
from app.services.verification.findings import Finding
from app.services.verification.images import KEY as KEY_PART
from app.services.verification.images import ORIGINAL, SIDECAR

if TYPE_CHECKING:
    from app.domain.access import Actor
    from app.jobs.watch import Watch
    from app.services.quarantine import Quarantine
    from app.services.runs import Runs
    from app.services.verification import Verification

KIND = "verify"
EXAMPLES = 1000
"""Findings that a report keeps; all are told while the work goes on."""
Tell = Callable[[Finding], None]


def tell_nobody(_finding: Finding) -> None:
    """For who reads the report alone."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``sample``: so many pictures, or, below 1, such a share of them, drawn at random;
    what belongs to no picture is left out then."""

    full: bool = False
    sample: float | None = None
    resume: bool = False

    @property
    def mode(self) -> str:
        return "full" if self.full else "quick"


@dataclass(slots=True)
class CheckReport:
    """``by_kind`` counts problems by their slug; ``findings`` are the first of them."""

    mode: str
    images: int = 0
    looked: int = 0
    problems: int = 0
    resumed: bool = False
    by_kind: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not self.problems

    def take(self, finding: Finding) -> bool:
        """Count what was looked at; tell whether it is a problem."""
        self.looked += 1
        if finding.damage is None:
            return False
        self.problems += 1
        self.by_kind[finding.damage.slug] += 1
        if len(self.findings) < EXAMPLES:
            self.findings.append(finding)
        return True


class StoreCheck:
    """Runs are recorded as ``verify``; the cursor is the last picture that was looked at."""

    def __init__(self, verification: Verification, runs: Runs, quarantine: Quarantine) -> None:
        self._verification = verification
        self._runs = runs
        self._quarantine = quarantine

    def run(
        self,
        watch: Watch,
        plan: Plan,
        report: CheckReport | None = None,
        tell: Tell = tell_nobody,
    ) -> CheckReport:
        """Look at everything that the plan names; ``tell`` hears of each problem at once.

        ``report``, where given, is filled on the way: whoever stops the work has it.

        Raises WorkStopped where it was asked to end: a run with ``resume`` goes on there.
        StoreUnavailable and KeyVaultUnavailable end it as well: they say nothing about
        pictures.
        """
        rows = self._verification.rows
        report = report or CheckReport(plan.mode)
        after = _take_up(report, self._former(plan))
        with self._runs.started(KIND) as run:
            run.figures["mode"] = plan.mode
            total = _sampled(plan, rows.count())
            for image_id in self._ids(plan, after, total):
                self._look(image_id, plan, report, tell)
                self._note(run, plan, report, total, image_id)
                watch.advance(report.images, total)
            if plan.sample is None:
                for finding in self._verification.rest(full=plan.full):
                    if report.take(finding):
                        tell(finding)
                    watch.advance(report.images, total)
            _count(run, report, report.images)
        return report

    def release(self, actor: Actor, image_id: UUID) -> tuple[tuple[Finding, ...], bool]:
        """Look at all of one picture; let it out of quarantine if all that serves it is in
        order. Returns the findings, and whether it was let out. NotFound."""
        expected = self._verification.rows.get(image_id)
        found = self._verification.check.look(image_id, full=True)
        wrong = {finding.part for finding in found if finding.damage is not None}
        if expected is None or not expected.is_quarantined:
            return found, False
        if not found or wrong & {ORIGINAL, SIDECAR, KEY_PART}:
            return found, False
        return found, self._quarantine.lift(actor, image_id)

    def last(self) -> RunView | None:
        """The latest verification that came to its end."""
        return self._runs.last(KIND)

    def _former(self, plan: Plan) -> RunView | None:
        former = self._runs.last(KIND, None) if plan.resume else None
        same = former is not None and former.figures.get("mode") == plan.mode
        return former if same and former is not None and former.state != "done" else None

    def _ids(self, plan: Plan, after: UUID | None, total: int) -> Iterator[UUID]:
        rows = self._verification.rows
        if plan.sample is None:
            return rows.ids(after)
        return iter(_drawn(rows.ids(), rows.count(), total))

    def _look(self, image_id: UUID, plan: Plan, report: CheckReport, tell: Tell) -> None:
        findings = self._verification.image(image_id, full=plan.full)
        report.images += 1
        for finding in findings:
            if report.take(finding):
                tell(finding)

    def _note(
        self, run: Run, plan: Plan, report: CheckReport, total: int, image_id: UUID
    ) -> None:
        if plan.sample is None:
            run.cursor = str(image_id)
        _count(run, report, total)


def _count(run: Run, report: CheckReport, total: int) -> None:
    run.figures |= {
        "images": report.images,
        "looked": report.looked,
        "problems": report.problems,
        "by_kind": dict(report.by_kind),
    }
    run.count(
        done=max(0, report.images - report.problems),
        failed=report.problems,
        remaining=max(0, total - report.images),
    )


def _take_up(report: CheckReport, former: RunView | None) -> UUID | None:
    """Go on with a run that was cut short: its figures, and the last picture it looked at."""
    if former is None or former.cursor is None:
        return None
    figures: Mapping[str, Any] = former.figures
    report.images = int(figures.get("images", 0))
    report.looked = int(figures.get("looked", 0))
    report.problems = int(figures.get("problems", 0))
    report.by_kind.update(figures.get("by_kind", {}))
    report.resumed = True
    return UUID(former.cursor)


def _sampled(plan: Plan, count: int) -> int:
    if plan.sample is None:
        return count
    wanted = plan.sample * count if plan.sample < 1 else plan.sample
    return min(count, max(1, round(wanted))) if count else 0


def _drawn(ids: Iterator[UUID], count: int, wanted: int) -> Iterator[UUID]:
    """``wanted`` of ``count`` ids, each as likely, in order: Knuth's algorithm S."""
    left, random = wanted, secrets.SystemRandom()
    for seen, image_id in enumerate(islice(ids, count)):
        if random.randrange(count - seen) < left:
            left -= 1
            yield image_id
