"""A new version of a root key, and what lies under the older ones moved to it.

What a root key's older versions are kept for:

- ``columns``: until no token names them; every encrypted column is sealed again.
- ``blind``: until every index was computed again.
- ``url``: links made before stay good until the longest of them has run out.
- ``transient``: until no result of a job lies under them, and no draft in a browser that
  is still offered to its owner.
- ``etag``: nothing; browsers ask once more for what they had.
- ``audit``: for ever, since the chain of events is verified with them.

And each for the grace period, in which every running process learns of the new version.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import LargeBinary, func, select

from app.crypto.aead import ColumnCipher
from app.crypto.keys import generate_key
from app.models import Job
from app.services.keys.blind_rotation import BlindRotation
from app.services.keys.column_rotation import ColumnRotation
from app.services.keys.key_rows import require_present_master
from app.services.keys.root_keys import ROOT_NAMES, RootKeys, RootName, root_reference
from app.services.keys.root_watch import REFRESH_SECONDS
from app.services.keys.vaulting import KeyVaulting

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.runs import Run, Runs

SETTLE: Final = timedelta(seconds=2 * REFRESH_SECONDS + 5)
"""By then every process that reaches the vault knows the new version."""
_VERSION_BYTES = 16
_PASSES = 5


@dataclass(frozen=True, slots=True)
class RootTerms:
    """``grace``: how long an old version is kept at least; ``links``: the longest life of a
    signed address, ``drafts``: of a browser's draft; ``settle``: how long running processes
    may not know of a new version."""

    grace: timedelta
    links: timedelta
    settle: timedelta = SETTLE
    drafts: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class RootReport:
    """``found`` = ``done`` + ``failed`` + ``remaining`` values under older versions;
    ``waiting`` counts older versions that are still kept."""

    root: RootName
    found: int
    done: int
    failed: int
    remaining: int
    waiting: int
    failures: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.failed and not self.remaining


class RootRotation:
    """Rotates root keys; a rotation that was cut short is finished by the next."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        roots: RootKeys,
        vaulting: KeyVaulting,
        audit: AuditLog,
        runs: Runs,
        clock: Callable[[], datetime],
        terms: RootTerms,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._uow = uow
        self._roots = roots
        self._vaulting = vaulting
        self._audit = audit
        self._runs = runs
        self._clock = clock
        self._terms = terms
        self._pause = pause

    def run(self, watch: Watch, name: RootName) -> RootReport:
        """Make a new version, unless values wait under an older one, and move all to it.

        Raises WorkStopped, KeyManagementError where this process has a master key that was
        replaced, and what vault and database raise. Values that do not open stay, and keep
        their version in use.
        """
        self._roots.refresh()
        with self._runs.started("root_rotation") as run:
            made = not self._left(name)
            if made:
                self._make(name)
            report = self._move(run, watch, name)
            run.count(done=report.done, failed=report.failed, remaining=report.remaining)
            run.state = "done" if report.complete else "failed"
        if made or report.found:
            self._audit.record("keys.rotate_root", details={"root": name, "done": report.done})
        return report

    def tend(self, watch: Watch) -> int:
        """Move what was left behind, and disable versions whose time is over; return how
        many were. For a periodic job."""
        self._roots.refresh()
        before = sum(map(self._waiting, ROOT_NAMES))
        for name in ROOT_NAMES:
            if self._waiting(name) and self._left(name):
                self.run(watch, name)
            else:
                self._retire(name)
        return before - sum(map(self._waiting, ROOT_NAMES))

    def _make(self, name: RootName) -> None:
        with self._uow.read() as session:
            require_present_master(session, self._vaulting.master_check)
        version = os.urandom(_VERSION_BYTES)
        self._vaulting.store(root_reference(name), version, generate_key())
        self._roots.refresh()

    def _move(self, run: Run, watch: Watch, name: RootName) -> RootReport:
        done = failed = 0
        for _ in range(_PASSES):
            before, failed = done, 0
            for changed, bad in self._steps(watch, name):
                done, failed = done + changed, failed + bad
                run.count(done=done, failed=failed)
                watch.advance(done)
            if done == before:
                break
        remaining = max(0, self._left(name) - failed)
        if not remaining and not failed:
            self._retire(name)
        found = done + failed + remaining
        return RootReport(name, found, done, failed, remaining, self._waiting(name))

    def _steps(self, watch: Watch, name: RootName) -> Iterator[tuple[int, int]]:
        if name == "columns":
            yield from self._columns().run()
        elif name == "blind" and self._waiting(name):
            self._settle(watch, name)
            yield from BlindRotation(self._uow, self._roots).run()

    def _settle(self, watch: Watch, name: RootName) -> None:
        """A process that does not know the new version would not find what lies under it."""
        while self._age(name) < self._terms.settle:
            watch.advance(0)
            self._pause(0.2)

    def _columns(self) -> ColumnRotation:
        active = self._roots.active("columns").version
        return ColumnRotation(self._uow, ColumnCipher(self._roots.all("columns"), active))

    def _left(self, name: RootName) -> int:
        """How many values are under an older version."""
        if not self._waiting(name):
            return 0
        if name == "columns":
            return self._columns().left()
        return BlindRotation(self._uow, self._roots).left() if name == "blind" else 0

    def _waiting(self, name: RootName) -> int:
        return len(self._roots.all(name)) - 1

    def _retire(self, name: RootName) -> None:
        """Disable the older versions, when their time is over and nothing names them."""
        wait = max(self._terms.grace, self._terms.settle)
        wait += {"url": self._terms.links, "transient": self._terms.drafts}.get(
            name, timedelta()
        )
        if name == "audit" or not self._waiting(name) or self._age(name) < wait:
            return
        active = self._roots.active(name).version
        for version in [one for one in self._roots.all(name) if one != active]:
            if not self._is_named(name, version):
                self._vaulting.disable(root_reference(name), version)
        self._roots.refresh()

    def _is_named(self, name: RootName, version: bytes) -> bool:
        if name != "transient":
            return self._left(name) > 0
        found = func.substr(Job.wrapped_dek, 1, _VERSION_BYTES, type_=LargeBinary)
        with self._uow.read_rows() as connection:
            chosen = select(Job.id).where(found.is_not_distinct_from(version)).limit(1)
            return connection.execute(chosen).first() is not None

    def _age(self, name: RootName) -> timedelta:
        """For how long the present version has been there."""
        infos = self._vaulting.vault.versions(root_reference(name))
        return self._clock() - next(info.created_on for info in infos if info.current)
