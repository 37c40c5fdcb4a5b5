"""A new master key: every value of the vault and every envelope is wrapped anew.

No blob is touched: file keys stay what they are. Works while people work; whoever was
interrupted goes on where it stopped, since what is done is told by the content type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.errors import BlobNotFound, KeyManagementError, SidecarInvalid
from app.models import FileKey
from app.services.keys.envelope_rows import EnvelopeRows, under_master
from app.services.keys.keying import Keying
from app.services.keys.master_change import MasterChange
from app.services.keys.rewriting import rewrite
from app.services.keys.sidecar_keys import SidecarKeys
from app.services.keys.vaulting import KeyVaulting, master_of
from app.services.keys.wrapped_dek import Envelope
from app.vault.interface import KeyVault, VaultEntry, VersionInfo

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.runs import Run, Runs

PASSES = 5
_EXAMPLES = 20
_FILE = "file-"


@dataclass(frozen=True, slots=True)
class RewrapReport:
    """``found`` = ``done`` + ``failed`` + ``remaining``: values of vault, rows and sidecars
    that were under another master key. ``failures`` names some that could not be opened."""

    master: str
    found: int
    done: int
    failed: int
    remaining: int
    failures: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.failed and not self.remaining


@dataclass
class _Tally:
    """``done`` of all passes, ``failures`` of the present one."""

    advance: Callable[[int], None]
    done: int = 0
    failures: set[str] = field(default_factory=set)

    def add(self, count: int) -> None:
        self.done += count
        self.advance(self.done)


class Rewrap:
    """Moves all that lies under former master keys to the current one."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        vault: KeyVault,
        vaulting: KeyVaulting,
        keying: Keying,
        change: MasterChange,
        sidecars: SidecarKeys,
        audit: AuditLog,
        runs: Runs,
    ) -> None:
        self._uow = uow
        self._vault = vault
        self._vaulting = vaulting
        self._keying = keying
        self._change = change
        self._sidecars = sidecars
        self._audit = audit
        self._runs = runs

    def run(self, watch: Watch) -> RewrapReport:
        """Re-wrap until a pass finds nothing more; then the old key may be taken away.

        Raises WorkStopped, ConfigurationError, and what vault, store and database raise:
        what was done stays done. While anything failed, the old key is still needed.
        """
        with self._runs.started("rewrap") as run:
            changed = self._change.begin()
            report = self._rewrap(run, watch)
            run.count(done=report.done, failed=report.failed, remaining=report.remaining)
            if report.complete:
                changed |= self._change.complete()
            else:
                run.state = "failed"
        if changed or report.found:
            self._audit.record("keys.rewrap", details=_told(report))
        return report

    def _rewrap(self, run: Run, watch: Watch) -> RewrapReport:
        def advance(done: int) -> None:
            run.count(done=done)
            watch.advance(done)

        tally, remaining = _Tally(advance), 0
        for _ in range(PASSES):
            before = tally.done
            tally.failures.clear()
            self._pass(tally)
            remaining = tally.done - before
            if not remaining:
                break
        failed = len(tally.failures)
        return RewrapReport(
            master=self._vaulting.master_id,
            found=tally.done + failed + remaining,
            done=tally.done,
            failed=failed,
            remaining=remaining,
            failures=tuple(sorted(tally.failures)[:_EXAMPLES]),
        )

    def _pass(self, tally: _Tally) -> None:
        for told in rewrite(self._vault, self._entry, self._is_former, self._states):
            if told.error is not None:
                tally.failures.add(told.reference)
            tally.add(told.changed)
        former = ~under_master(self._vaulting.master_id)
        for changed, failed in EnvelopeRows(self._uow).change(former, self._envelope):
            tally.failures.update(f"{_FILE}{file_id}" for file_id in failed)
            tally.add(changed)
        self._follow(tally)

    def _entry(self, _reference: str, entry: VaultEntry) -> VaultEntry | None:
        return self._vaulting.rewrapped(entry)

    def _is_former(self, info: VersionInfo) -> bool:
        return master_of(info.content_type) != self._vaulting.master_id

    def _envelope(self, file_id: UUID, envelope: Envelope) -> Envelope | None:
        new = self._keying.rewrapped(file_id, envelope)
        if new is not None and self._keying.open(new) != self._keying.open(envelope):
            raise KeyManagementError("A key was wrapped wrongly", operation="keys.rewrap")
        return new

    def _states(self, reference: str) -> frozenset[str]:
        if not reference.startswith(_FILE):
            return frozenset()
        file_id = UUID(reference.removeprefix(_FILE))
        chosen = select(FileKey.state).where(FileKey.file_id == file_id)
        with self._uow.read_rows() as connection:
            return frozenset(connection.scalars(chosen))

    def _follow(self, tally: _Tally) -> None:
        """A sidecar that is missing or damaged is what a verification tells of."""
        for path in self._sidecars.paths(FileKey.mode == "envelope"):
            try:
                tally.add(self._sidecars.follow(path))
            except (BlobNotFound, SidecarInvalid):
                continue
            except KeyManagementError:
                tally.failures.add(f"{_FILE}{path.image_id}")


def _told(report: RewrapReport) -> dict[str, str | int]:
    return {
        "master": report.master,
        "done": report.done,
        "failed": report.failed,
        "remaining": report.remaining,
    }
