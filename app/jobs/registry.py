"""The kinds of jobs, each with its handler. Knows names and callables, no service."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from app.jobs.watch import Watch


class JobRun(Watch, Protocol):
    """One try of one job, as its handler sees it."""

    @property
    def id(self) -> UUID: ...

    @property
    def owner_id(self) -> UUID | None:
        """The account that the work is done for; None for the installation itself."""
        ...

    @property
    def params(self) -> Mapping[str, Any]: ...

    def hold(self) -> None:
        """Raise JobLeaseLost unless the job is ours, and will be for the length of a lease."""
        ...


Handler = Callable[[JobRun], Mapping[str, Any] | None]
"""Does the work and returns what its page shows (JSON). May be called again for the same job
after a crash at any line: it goes on from what is already there, or finds it done."""


Guard = Callable[[UUID, Mapping[str, Any]], None]
"""Whether an account may still have a result, and its file; NotFound, NotPermitted."""


@dataclass(frozen=True, slots=True)
class JobKind:
    """``label`` is what people read. ``every`` makes it periodic: one open job at a time.
    ``guard`` is asked each time before what a job tells, or the file that it made, is given
    out."""

    name: str
    label: str
    handler: Handler
    every: timedelta | None = None
    guard: Guard | None = None


class Registry:
    """Filled by wiring once, read by whoever queues or works."""

    def __init__(self) -> None:
        self._kinds: dict[str, JobKind] = {}

    def add(self, kind: JobKind) -> None:
        """Register a kind; ValueError for a name that is taken."""
        if kind.name in self._kinds:
            raise ValueError(f"the job kind {kind.name} is registered twice")
        self._kinds[kind.name] = kind

    def get(self, name: str) -> JobKind | None:
        return self._kinds.get(name)

    def __iter__(self) -> Iterator[JobKind]:
        return iter(self._kinds.values())
