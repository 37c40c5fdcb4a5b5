"""New versions of the key encryption keys: envelopes are wrapped anew, no key is seen.

Rows first, in one pass a KEK; then the sidecars follow. What was replaced is written down for
`KekRetirement`. Every KEK of the vault has its turn, those too that no envelope is under any
more: an older backup may hold what a destroyed file had under them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.errors import BlobNotFound, DarkroomError, KeyVaultUnavailable, SidecarInvalid
from app.models import FileKey
from app.services.keys.envelope_rows import EnvelopeRows, of_kek, under_kek
from app.services.keys.kek_retirement import KekRetirement
from app.services.keys.keying import KEK_PREFIX, Keying
from app.services.keys.sidecar_keys import SidecarKeys

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.runs import Run, Runs

_KEKS = tuple(f"{KEK_PREFIX}{first:02x}" for first in range(256))
_KIND = "kek_rotation"
_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class KekReport:
    """``found`` = ``done`` + ``failed`` + ``remaining`` envelopes in rows and sidecars;
    ``keks`` have a new version, ``retired`` older versions were destroyed."""

    found: int
    done: int
    failed: int
    remaining: int
    keks: int
    retired: int
    failures: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.failed and not self.remaining


@dataclass
class _Tally:
    done: int = 0
    keks: int = 0


class KekRotation:
    """Rotates every KEK that is in use; one that was cut short is finished first."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        keying: Keying,
        sidecars: SidecarKeys,
        audit: AuditLog,
        runs: Runs,
        retirement: KekRetirement,
    ) -> None:
        self._uow = uow
        self._rows = EnvelopeRows(uow)
        self._keying = keying
        self._sidecars = sidecars
        self._audit = audit
        self._runs = runs
        self.retirement = retirement

    def run(self, watch: Watch) -> KekReport:
        """Rotate, wrap anew, let sidecars follow, destroy what is over.

        Raises WorkStopped, and what vault, store and database raise.
        """
        before = self._runs.last(_KIND, state=None)
        resumed = before.cursor if before is not None and before.state != "done" else None
        tally, failures = _Tally(), set[str]()
        with self._runs.started(_KIND) as run:
            for kek in _KEKS:
                if (resumed is None or kek > resumed) and self._rotate(kek):
                    tally.keks += 1
                    run.cursor = kek
                    run.save()
                self._wrap_anew(run, watch, kek, tally, failures)
            self._follow(run, watch, tally, failures)
            retired = self.retirement.run(watch) if not failures else 0
            run.count(done=tally.done, failed=len(failures))
            run.state = "failed" if failures else "done"
        failed, some = len(failures), tuple(sorted(failures)[:_EXAMPLES])
        self._audit.record("keys.rotate_keks", details={"keks": tally.keks, "done": tally.done})
        return KekReport(tally.done + failed, tally.done, failed, 0, tally.keks, retired, some)

    def _rotate(self, kek: str) -> bool:
        """Unless envelopes still wait under an older version: then a rotation goes on.

        What is replaced is written down first, so that it is destroyed one day; and so is
        what nobody wrote down: before the database was made anew, or by two at once.
        """
        newest = self._keying.wrapper.newest(kek)
        if newest is None:
            return False
        if not self._rows.count(of_kek(kek) & ~under_kek(kek, newest)):
            self.retirement.note(kek, self._keying.wrapper.versions(kek))
            self._keying.wrapper.rotate(kek)
        known = self._keying.wrapper.versions(kek)
        newest = self._keying.wrapper.newest(kek)
        self.retirement.note(kek, [one for one in known if one != newest])
        return True

    def _wrap_anew(
        self, run: Run, watch: Watch, kek: str, tally: _Tally, failures: set[str]
    ) -> None:
        newest = self._keying.wrapper.newest(kek)
        if newest is None:
            return
        behind = of_kek(kek) & ~under_kek(kek, newest)
        pages = self._rows.change(behind, lambda _, old: self._keying.under_newest(old))
        for changed, failed in pages:
            tally.done += changed
            failures.update(f"file-{file_id}" for file_id in failed)
            run.count(done=tally.done, failed=len(failures))
            watch.advance(tally.done)

    def _follow(self, run: Run, watch: Watch, tally: _Tally, failures: set[str]) -> None:
        """A sidecar that is missing or damaged is what a verification tells of."""
        for path in self._sidecars.paths(FileKey.mode == "envelope"):
            try:
                tally.done += self._sidecars.follow(path)
            except (BlobNotFound, SidecarInvalid):
                continue
            except KeyVaultUnavailable:
                raise
            except DarkroomError:
                failures.add(f"file-{path.image_id}")
            run.count(done=tally.done, failed=len(failures))
            watch.advance(tally.done)
