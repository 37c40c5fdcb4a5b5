"""Every key of one vault copied into another, compared, and later removed from the first.

What is copied is what the vault holds: values wrapped under the master key, which are not
opened. The switch is the administrator's: KEY_VAULT_MODE and a new start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.errors import (
    ConfigurationError,
    DarkroomError,
    KeyDamaged,
    KeyNotFound,
    KeyVaultUnavailable,
)
from app.models import FileKey
from app.services.keys.vaulting import KeyVaulting
from app.vault.interface import KeyVault, VersionInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.crypto.kdf import MasterKey
    from app.db.session import UnitOfWork
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.runs import Run, Runs

_EXAMPLES = 20
Work = Callable[[str], object]
_FILE, _ROOT, _KEK = "file-", "root-", "kek-"


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
        self, uow: UnitOfWork, masters: Sequence[MasterKey], audit: AuditLog, runs: Runs
    ) -> None:
        self._uow = uow
        self._masters = masters
        self._audit = audit
        self._runs = runs

    def copy(self, watch: Watch, source: KeyVault, target: KeyVault) -> MoveReport:
        """Bring every key that is in use into the target, all versions, disabled ones as
        such, and compare each.

        Raises ConfigurationError while any file is kept in an envelope (a KEK does not leave
        its vault), WorkStopped, and what the vaults raise when they are away.
        """
        self._require_direct()
        target.prepare()
        target.check()
        copied: list[str] = []

        def work(reference: str) -> None:
            _copy(source, target, reference)
            copied.append(reference)

        with self._runs.started("vault_move") as run:
            report = self._each(run, watch, source, work)
            for reference in copied:  # destroyed since: it must not live on in the other vault
                if not self._is_in_use(reference):
                    target.delete(reference)
        self._audit.record("keys.move", details={"done": report.done, "failed": report.failed})
        return report

    def remove(self, watch: Watch, source: KeyVault, target: KeyVault) -> MoveReport:
        """Destroy in the source what opens as the same key in the target, root keys last,
        and what no file needs. For the day after the switch."""
        self._require_direct()
        target.check()
        with self._runs.started("vault_move") as run:
            report = self._each(
                run, watch, source, lambda name: self._remove(source, target, name)
            )
            if report.complete:
                for reference in list(source.references()):
                    if not reference.startswith(_ROOT):
                        source.delete(reference)
                for reference in list(source.references(_ROOT)):
                    self._compare(source, target, reference)
                    source.delete(reference)
        self._audit.record(
            "keys.remove_source", details={"done": report.done, "failed": report.failed}
        )
        return report

    def _each(self, run: Run, watch: Watch, source: KeyVault, work: Work) -> MoveReport:
        done, left_out, failures = 0, 0, list[str]()
        for reference in source.references():
            if reference.startswith(_KEK) or not self._is_in_use(reference):
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

    def _remove(self, source: KeyVault, target: KeyVault, reference: str) -> None:
        self._compare(source, target, reference)
        if not reference.startswith(_ROOT):
            source.delete(reference)

    def _compare(self, source: KeyVault, target: KeyVault, reference: str) -> None:
        """Each version opens to the same key in both, whatever was re-wrapped since."""
        here, there = KeyVaulting(source, self._masters), KeyVaulting(target, self._masters)
        for info in source.versions(reference):
            version = bytes.fromhex(info.version)
            if here.recover(reference, version) != there.recover(reference, version):
                raise _differs(reference)

    def _is_in_use(self, reference: str) -> bool:
        states = self._states(reference)
        return states is None or (bool(states) and "destroyed" not in states)

    def _states(self, reference: str) -> set[str] | None:
        """None for what belongs to no file."""
        if not reference.startswith(_FILE):
            return None
        file_id = UUID(reference.removeprefix(_FILE))
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


def _copy(source: KeyVault, target: KeyVault, reference: str) -> None:
    """Oldest first and the current one last, so that it is the current one there too."""
    known = {info.version for info in _versions(target, reference)}
    for info in sorted(source.versions(reference), key=lambda info: info.current):
        entry = source.get(reference, info.version)
        found = target.get(reference, info.version) if info.version in known else None
        if found is None or (found.value, found.content_type) != (
            entry.value,
            entry.content_type,
        ):
            target.put(
                reference,
                info.version,
                entry.value,
                content_type=entry.content_type,
                expires_on=entry.expires_on,
            )
        if not entry.enabled:
            target.disable(reference, info.version)
        copied = target.get(reference, info.version)
        if (copied.value, copied.content_type) != (entry.value, entry.content_type):
            raise _differs(reference)


def _versions(vault: KeyVault, reference: str) -> tuple[VersionInfo, ...]:
    try:
        return vault.versions(reference)
    except KeyNotFound:
        return ()


def _differs(reference: str) -> KeyDamaged:
    return KeyDamaged(
        "The vaults do not hold the same key",
        operation="keys.move",
        details={"reference": reference},
    )
