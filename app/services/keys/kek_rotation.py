"""New versions of the key encryption keys: envelopes are wrapped anew, no key is seen.

Rows first, in one pass a KEK; then the sidecars follow. An older version is destroyed when
it was replaced long enough ago that no upload can still hold it, and nothing names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update

from app.errors import BlobNotFound, DarkroomError, KeyVaultUnavailable, SidecarInvalid
from app.models import FileKey, KekVersion
from app.services.keys.envelope_rows import EnvelopeRows, of_kek, under_kek
from app.services.keys.keying import Keying
from app.services.keys.sidecar_keys import SidecarKeys

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.runs import Run, Runs

UPLOAD_AT_MOST: Final = timedelta(hours=1)
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
        clock: Callable[[], datetime],
        grace: timedelta,
    ) -> None:
        self._uow = uow
        self._rows = EnvelopeRows(uow)
        self._keying = keying
        self._sidecars = sidecars
        self._audit = audit
        self._runs = runs
        self._clock = clock
        self._grace = max(grace, UPLOAD_AT_MOST)

    def run(self, watch: Watch) -> KekReport:
        """Rotate, wrap anew, let sidecars follow, destroy what is over.

        Raises WorkStopped, and what vault, store and database raise.
        """
        before = self._runs.last(_KIND, state=None)
        resumed = before.cursor if before is not None and before.state != "done" else None
        tally, failures = _Tally(), set[str]()
        with self._runs.started(_KIND) as run:
            for kek in self._rows.keks():
                if resumed is None or kek > resumed:
                    self._rotate(kek)
                    tally.keks += 1
                    run.cursor = kek
                    run.save()
                self._wrap_anew(run, watch, kek, tally, failures)
            self._follow(run, watch, tally, failures)
            retired = self.retire() if not failures else 0
            run.count(done=tally.done, failed=len(failures))
            run.state = "failed" if failures else "done"
        failed, some = len(failures), tuple(sorted(failures)[:_EXAMPLES])
        self._audit.record("keys.rotate_keks", details={"keks": tally.keks, "done": tally.done})
        return KekReport(tally.done + failed, tally.done, failed, 0, tally.keks, retired, some)

    def retire(self) -> int:
        """Destroy versions whose time is over and that no row names; return how many.

        Called when the sidecars have followed.
        """
        due = select(KekVersion.kek, KekVersion.version).where(
            KekVersion.retired_at.is_(None),
            KekVersion.superseded_at <= self._clock() - self._grace,
        )
        with self._uow.read_rows() as connection:
            found = connection.execute(due).all()
        retired = 0
        for kek, version in found:
            if version == self._keying.wrapper.newest(kek):
                continue
            if self._rows.count(under_kek(kek, version)):
                continue
            self._keying.wrapper.retire(kek, version)
            self._note_retired(kek, version)
            retired += 1
        return retired

    def _rotate(self, kek: str) -> None:
        """Unless envelopes still wait under an older version: then a rotation goes on.

        What is replaced is written down first, so that it is destroyed one day.
        """
        newest = self._keying.wrapper.newest(kek)
        if newest is None or self._rows.count(of_kek(kek) & ~under_kek(kek, newest)):
            return
        self._note(kek, newest)
        self._keying.wrapper.rotate(kek)

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

    def _note(self, kek: str, version: str) -> None:
        with self._uow.write() as session:
            if session.get(KekVersion, (kek, version)) is None:
                superseded = self._clock()
                session.add(KekVersion(kek=kek, version=version, superseded_at=superseded))

    def _note_retired(self, kek: str, version: str) -> None:
        with self._uow.write() as session:
            session.execute(
                update(KekVersion)
                .where(KekVersion.kek == kek, KekVersion.version == version)
                .values(retired_at=self._clock())
                .execution_options(synchronize_session=False)
            )
