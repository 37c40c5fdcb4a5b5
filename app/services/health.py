"""Whether this installation can work now, part by part."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from app.errors import DarkroomError, StoreFull

log = logging.getLogger("darkroom.health")

Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Report:
    """``problems`` has a sentence for each part that is not in order, ``warnings`` for each
    that works and soon will not: no space is left."""

    parts: tuple[str, ...]
    problems: Mapping[str, str]
    warnings: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        return not self.problems


class Health:
    """Asks each part (database, store, vault) in turn; a check raises what is wrong."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)

    def report(self) -> Report:
        """Return what works and what does not; never raises one of our errors."""
        problems, warnings = {}, {}
        for part, check in self._checks.items():
            try:
                check()
            except StoreFull as warning:
                log.warning("low on space", extra={"part": part})
                warnings[part] = warning.message
            except DarkroomError as error:
                log.warning("not ready", exc_info=error, extra={"part": part})
                problems[part] = error.message
        return Report(tuple(self._checks), problems, warnings)
