"""What a rotation of many files did, in the words in which it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

ScopeName = Literal["due", "all", "images"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is to be rotated: what is past its time, everything, or single ``images``.

    With "due" ``images`` leave out all others. ``anew`` begins "all" again although an
    earlier run of it did not come to its end; ``spare_damaged`` leaves out what was set
    aside, which would fail again every hour.
    """

    name: ScopeName = "due"
    images: tuple[UUID, ...] = ()
    anew: bool = False
    spare_damaged: bool = False


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be rotated and keeps its old key; ``code`` is the error's."""

    file_id: UUID
    code: str


@dataclass(frozen=True, slots=True)
class RotationReport:
    """``found`` = ``rotated`` + ``failed`` + ``remaining``.

    ``since``: keys in use before that moment were to be rotated. ``resumed``: the run went on
    where an earlier one was cut short. ``waiting``: old keys in their grace, ``retired``: old
    keys disabled now. ``problem``: a sentence, where something kept all files from being
    rotated. ``rehearsal``: nothing was changed, ``failed`` would not go.
    """

    scope: ScopeName
    since: datetime
    resumed: bool
    rotated: int
    failed: int
    remaining: int
    waiting: int
    retired: int
    stopped: bool
    rehearsal: bool
    problem: str | None
    failures: tuple[Failure, ...]

    @property
    def found(self) -> int:
        return self.rotated + self.failed + self.remaining

    @property
    def is_complete(self) -> bool:
        """Nothing failed, and, unless it was a rehearsal, nothing is left."""
        return not self.failed and not self.problem and (self.rehearsal or not self.remaining)


MOST_NAMED = 100


@dataclass(slots=True)
class Tally:
    """The counts of a run under way."""

    rotated: int = 0
    retired: int = 0
    failed: int = 0
    stopped: bool = False
    problem: str | None = None
    failures: list[Failure] = field(default_factory=list)
    tried: set[UUID] = field(default_factory=set)

    def note_failure(self, file_id: UUID, code: str) -> None:
        """A file counts once, however often it was tried."""
        if file_id in self.tried:
            return
        self.tried.add(file_id)
        self.failed += 1
        if len(self.failures) < MOST_NAMED:
            self.failures.append(Failure(file_id, code))
