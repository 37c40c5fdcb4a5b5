"""Whether this installation can work now, part by part."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.errors import DarkroomError

log = logging.getLogger("darkroom.health")

Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Report:
    """``problems`` has a sentence for each part that is not in order."""

    parts: tuple[str, ...]
    problems: Mapping[str, str]

    @property
    def is_ready(self) -> bool:
        return not self.problems


class Health:
    """Asks each part (database, store, vault) in turn; a check raises what is wrong."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)

    def report(self) -> Report:
        """Return what works and what does not; never raises one of our errors."""
        problems = {}
        for part, check in self._checks.items():
            try:
                check()
            except DarkroomError as error:
                log.warning("not ready", exc_info=error, extra={"part": part})
                problems[part] = error.message
        return Report(tuple(self._checks), problems)
