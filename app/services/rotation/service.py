"""Rotating the keys of many files: what is due, everything, or single ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false

from app.domain.access import Action, Actor, require
from app.errors import DarkroomError, WorkStopped
from app.models import FileKey
from app.services.rotation.campaign import Campaign
from app.services.rotation.files import (
    KeyedFiles,
    not_set_aside,
    older_than,
    past_expiry,
    retiring,
    unfinished,
)
from app.services.rotation.old_keys import OldKeys
from app.services.rotation.one_at_a_time import OneAtATime
from app.services.rotation.pace import UNBOUND, Pace, Terms
from app.services.rotation.report import RotationReport, Scope, Tally

if TYPE_CHECKING:
    from app.jobs.watch import Watch
    from app.services.quarantine import Quarantine
    from app.services.rotation.one_file import Parts
    from app.services.runs import Run, Runs, RunView

KIND: Final = "rotation"
RESUMED_WITHIN: Final = timedelta(days=7)
LOOKED_THROUGH: Final = 1000
"""Runs among which the last one over everything is searched."""
DUE: Final = Scope()


@dataclass(frozen=True, slots=True)
class Policy:
    """``days`` is the life of a key, 0: on demand only; ``jitter`` as of the keys' service."""

    days: int
    jitter: float = 0.1

    def unlimited_before(self, now: datetime) -> datetime | None:
        """When a key without an end must have been made to be due."""
        if not self.days:
            return None
        return now - timedelta(days=self.days * (1 + self.jitter))


class Rotation:
    """Runs over many files, one after the other; may be used by several threads."""

    def __init__(
        self, parts: Parts, runs: Runs, quarantine: Quarantine, policy: Policy
    ) -> None:
        self._clock = parts.clock
        self._runs = runs
        self._policy = policy
        self._files = KeyedFiles(parts.uow, parts.clock)
        self._old_keys = OldKeys(parts, self._files)
        self._one = OneAtATime(parts, self._files, self._old_keys, quarantine)

    @property
    def by_itself(self) -> bool:
        """Whether keys are rotated without anybody asking for it."""
        return self._policy.days > 0

    def require_may(self, actor: Actor) -> None:
        """Raise NotPermitted unless ``actor`` may have keys rotated."""
        require(actor, Action.MANAGE_KEYS)

    def has_work(self) -> bool:
        """Whether anything is due, was cut short, or is to be disabled."""
        now = self._clock()
        chosen = [unfinished(now), retiring(now)]
        if self.by_itself:
            chosen.append(self._wanted(Scope(spare_damaged=True), now))
        return any(self._files.any(condition) for condition in chosen)

    def run(
        self,
        watch: Watch,
        scope: Scope = DUE,
        *,
        budget: timedelta | None = None,
        terms: Terms = UNBOUND,
    ) -> RotationReport:
        """Rotate; first finish what was cut short, at the end disable old keys that are over.

        Stops between two files when ``watch`` says so or the ``budget`` is used up. Goes on
        after a file that fails; ends early where vault, store or database fail three files
        in a row.
        """
        with self._runs.started(KIND) as run:
            since, resumed = self._since(scope, run)
            run.figures |= {"scope": scope.name, "since": since.isoformat()}
            run.save()
            tally, wanted = Tally(), self._wanted(scope, since)
            parts = (self._files, self._one, self._old_keys)
            Campaign(*parts, watch, run, tally, Pace(terms), budget).over(wanted, since)
            left = max(0, self._files.count(wanted) - tally.failed)
            run.count(done=tally.rotated, failed=tally.failed, remaining=left)
            run.figures["retired"] = tally.retired
            run.state = "stopped" if left else "done"
            return self._report(scope, since, tally, left, resumed=resumed)

    def rehearse(self, watch: Watch, scope: Scope = DUE) -> RotationReport:
        """Open what would be rotated and change nothing; not recorded as a run."""
        since, tally = self._clock(), Tally()
        wanted = self._wanted(scope, since)
        found = self._files.count(wanted)
        try:
            for done, file_id in enumerate(self._files.each(wanted)):
                watch.advance(done, found)
                self._rehearse_one(file_id, tally)
        except WorkStopped:
            tally.stopped = True
        left = max(0, found - tally.failed)
        return self._report(scope, since, tally, left, rehearsal=True)

    def _rehearse_one(self, file_id: UUID, tally: Tally) -> None:
        try:
            self._one.rehearse(file_id)
        except DarkroomError as error:
            tally.note_failure(file_id, error.code)

    def _since(self, scope: Scope, run: Run) -> tuple[datetime, bool]:
        """A run over everything that was cut short is gone on with: what it has rotated
        stays as it is. Where nothing is left of it, or it was long ago, a new one begins."""
        now = self._clock()
        last = self._last_over_all(run) if scope.name == "all" and not scope.anew else None
        if last is None or last.state == "done" or last.started_at < now - RESUMED_WITHIN:
            return now, False
        since = datetime.fromisoformat(last.figures["since"])
        left = self._files.any(self._wanted(scope, since))
        return (since, True) if left else (now, False)

    def _last_over_all(self, run: Run) -> RunView | None:
        found = self._runs.latest(limit=LOOKED_THROUGH, kind=KIND)
        over_all = (one for one in found if one.figures.get("scope") == "all")
        return next((one for one in over_all if one.id != run.id), None)

    def _wanted(self, scope: Scope, since: datetime) -> ColumnElement[bool]:
        chosen = [older_than(since)]
        if scope.name == "due":
            now = self._clock()
            chosen.append(past_expiry(now, self._policy.unlimited_before(now)))
        if scope.images or scope.name == "images":
            chosen.append(FileKey.file_id.in_(scope.images) if scope.images else false())
        if scope.spare_damaged:
            chosen.append(not_set_aside())
        return and_(*chosen)

    def _report(
        self,
        scope: Scope,
        since: datetime,
        tally: Tally,
        left: int,
        *,
        resumed: bool = False,
        rehearsal: bool = False,
    ) -> RotationReport:
        return RotationReport(
            scope=scope.name,
            since=since,
            resumed=resumed,
            rotated=tally.rotated,
            failed=tally.failed,
            remaining=left,
            waiting=self._old_keys.waiting(),
            retired=tally.retired,
            stopped=tally.stopped,
            rehearsal=rehearsal,
            problem=tally.problem,
            failures=tuple(tally.failures),
        )
