"""Every key of one vault copied into another, compared, and later removed from the first.

What is copied is what the vault holds: values wrapped under the master key, which are not
opened. The switch is the administrator's: KEY_VAULT_MODE and a new start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.errors import (
    ConfigurationError,
    DarkroomError,
    KeyNotFound,
    KeyVaultUnavailable,
)
from app.models import FileKey
from app.services.keys.kek_retirement import UPLOAD_AT_MOST
from app.services.keys.vault_pair import FILE, KEK, ROOT, VaultPair
from app.vault.interface import KeyVault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.crypto.kdf import MasterKey
    from app.db.session import UnitOfWork
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.runs import Run, Runs

_EXAMPLES = 20
Work = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class MoveReport:
    """``found`` = ``done`` + ``failed`` + ``remaining`` references; ``left_out`` have no file
    (any more): leftovers, and what was destroyed while it lay in the other vault too."""

    found: int
    done: int
    failed: int
    remaining: int
    left_out: int
    failures: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.failed and not self.remaining


class VaultMove:
    """Copies, and removes what was copied; each again is no error and finds less to do."""

    def __init__(
        self,
        uow: UnitOfWork,
        masters: Sequence[MasterKey],
        audit: AuditLog,
        runs: Runs,
        clock: Callable[[], datetime],
    ) -> None:
        self._uow = uow
        self._masters = masters
        self._audit = audit
        self._runs = runs
        self._clock = clock

    def copy(
        self, watch: Watch, source: KeyVault, target: KeyVault, *, switched: bool = False
    ) -> MoveReport:
        """Bring every key that is in use into the target, all versions, disabled ones as
        such, and compare each. ``switched``: the target is the vault in use already.

        Raises ConfigurationError while any file is kept in an envelope (a KEK does not leave
        its vault) and where the target is another installation's, WorkStopped, and what the
        vaults raise when they are away.
        """
        self._require_direct()
        pair = VaultPair(source, target, self._masters)
        target.prepare()
        target.check()
        pair.require_target()
        with self._runs.started("vault_move") as run:
            report = self._each(run, watch, pair, pair.copy)
            for reference in list(source.references(ROOT)):  # one may have a new version
                pair.copy(reference)
            self._forget_destroyed(target, switched=switched)
        self._audit.record("keys.move", details={"done": report.done, "failed": report.failed})
        return report

    def remove(self, watch: Watch, source: KeyVault, target: KeyVault) -> MoveReport:
        """Destroy in the source what opens as the same key in the target, root keys last,
        and what no file needs. For the day after the switch.

        A key without a file that is not an hour old stays, and remains for a later run: a
        worker that was not started again may be at an upload.
        """
        self._require_direct()
        pair = VaultPair(source, target, self._masters)
        target.check()
        pair.require_source()

        def take(reference: str) -> None:
            pair.compare(reference)
            if not reference.startswith(ROOT):
                source.delete(reference)

        with self._runs.started("vault_move") as run:
            report = self._each(run, watch, pair, take)
            if report.complete:
                left = self._remove_rest(pair)
                report = replace(report, found=report.found + left, remaining=left)
                run.count(done=report.done, failed=report.failed, remaining=left)
            run.state = "done" if report.complete else "failed"
            self._forget_destroyed(target, switched=True)
        self._audit.record(
            "keys.remove_source", details={"done": report.done, "failed": report.failed}
        )
        return report

    def _each(self, run: Run, watch: Watch, pair: VaultPair, work: Work) -> MoveReport:
        done, left_out, failures = 0, 0, list[str]()
        for reference in pair.in_source():
            if reference.startswith(KEK) or not self._is_in_use(reference):
                left_out += 1
                continue
            try:
                work(reference)
                done += 1
            except KeyNotFound:
                if self._is_in_use(reference):
                    failures.append(reference)
            except KeyVaultUnavailable:
                raise
            except DarkroomError:
                failures.append(reference)
            run.count(done=done, failed=len(failures))
            watch.advance(done + len(failures))
        failed = len(failures)
        run.figures["left_out"] = left_out
        run.count(done=done, failed=failed)
        run.state = "failed" if failed else "done"
        return MoveReport(done + failed, done, failed, 0, left_out, tuple(failures[:_EXAMPLES]))

    def _remove_rest(self, pair: VaultPair) -> int:
        """What is not in use, then the root keys; how many are too young to tell."""
        left = 0
        for reference in list(pair.source.references()):
            if reference.startswith(ROOT):
                continue
            if self._is_young_without_row(pair.source, reference):
                left += 1
                continue
            if not reference.startswith(KEK) and self._is_in_use(reference):
                pair.compare(reference)
            pair.source.delete(reference)
        for reference in list(pair.source.references(ROOT)) if not left else ():
            pair.compare(reference)
            pair.source.delete(reference)
        return left

    def _forget_destroyed(self, target: KeyVault, *, switched: bool) -> None:
        """What was destroyed since it was copied must not live on in the other vault. If that
        is in use, a young key without a row may be an upload's."""
        for reference in list(target.references(FILE)):
            if self._is_in_use(reference):
                continue
            if not (switched and self._is_young_without_row(target, reference)):
                target.delete(reference)

    def _is_young_without_row(self, vault: KeyVault, reference: str) -> bool:
        if self._states(reference) != set():
            return False
        try:
            infos = vault.versions(reference)
        except KeyNotFound:
            return False
        youngest = max(info.created_on for info in infos)
        return youngest > self._clock() - UPLOAD_AT_MOST

    def _is_in_use(self, reference: str) -> bool:
        states = self._states(reference)
        return states is None or (bool(states) and "destroyed" not in states)

    def _states(self, reference: str) -> set[str] | None:
        """None for what belongs to no file."""
        try:
            file_id = UUID(reference.removeprefix(FILE))
        except ValueError:
            return None
        chosen = select(FileKey.state).where(FileKey.file_id == file_id)
        with self._uow.read_rows() as connection:
            return set(connection.scalars(chosen))

    def _require_direct(self) -> None:
        chosen = select(FileKey.id).where(FileKey.mode == "envelope").limit(1)
        with self._uow.read_rows() as connection:
            if connection.execute(chosen).first() is None:
                return
        raise ConfigurationError(
            "Some keys are in envelopes, whose key encryption keys cannot leave their vault:"
            " run keys rekey --to direct first, and back to envelopes after the move.",
            operation="keys.move",
        )
