"""From one keying to the other: the keys of files that are there already.

Every key keeps its version, so no blob changes. A file is turned in two steps, each of which
may be the last before a crash: first its keys are in the new place and its rows say so; then
its sidecar says so too, the new place is opened and compared, and the old one is emptied.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import and_, or_

from app.crypto.keys import SecretKey
from app.crypto.stream import read_header
from app.errors import (
    DarkroomError,
    KeyDamaged,
    KeyManagementError,
    KeyNotFound,
    KeyVaultUnavailable,
)
from app.models import FileKey
from app.services.keys.file_keys import file_reference
from app.services.keys.kept_rows import KeptRow, KeptRows
from app.services.keys.keying import Keying, KeyMode
from app.services.keys.sidecar_keys import SidecarKeys
from app.services.keys.vaulting import KeyVaulting
from app.services.keys.wrapped_dek import Envelope

if TYPE_CHECKING:
    from app.jobs.watch import Watch
    from app.services.audit import AuditLog
    from app.services.runs import Run, Runs
    from app.storage.encrypted_store import EncryptedStore
    from app.storage.object_paths import ObjectPath

_EXAMPLES = 20
_FILE = "file-"


@dataclass(frozen=True, slots=True)
class RekeyReport:
    """``found`` = ``done`` + ``failed`` + ``remaining`` files that were kept the other way;
    those that ``remain`` were being rotated: run it again. ``failures`` names some."""

    to: KeyMode
    found: int
    done: int
    failed: int
    remaining: int
    failures: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.failed and not self.remaining


class Rekey:
    """Turns files one after another; the setting says how those of tomorrow are kept."""

    def __init__(
        self,
        *,
        rows: KeptRows,
        store: EncryptedStore,
        vaulting: KeyVaulting,
        keying: Keying,
        sidecars: SidecarKeys,
        audit: AuditLog,
        runs: Runs,
    ) -> None:
        self._rows = rows
        self._store = store
        self._vaulting = vaulting
        self._keying = keying
        self._sidecars = sidecars
        self._audit = audit
        self._runs = runs

    def run(self, watch: Watch, to: KeyMode) -> RekeyReport:
        """Turn every file. Raises WorkStopped, KeyVaultUnavailable, and what store and
        database raise; a file whose own key is at fault is counted and left as it is."""
        with self._runs.started("rekey") as run:
            report = self._turn_all(run, watch, to)
            run.figures["to_envelope"] = to == "envelope"
            run.count(done=report.done, failed=report.failed, remaining=report.remaining)
            run.state = "done" if report.complete else "stopped"
        if report.found:
            figures = {"done": report.done, "failed": report.failed, "to": to}
            self._audit.record("keys.rekey", details=figures)
        return report

    def _turn_all(self, run: Run, watch: Watch, to: KeyMode) -> RekeyReport:
        done, remaining, failures = 0, 0, list[str]()
        for path in self._due(to):
            try:
                self._turn(path, to)
                self._settle(path, to)
                done += 1
            except KeyVaultUnavailable:
                raise
            except KeyManagementError:
                remaining += 1
            except DarkroomError:
                failures.append(file_reference(path.image_id))
            run.count(done=done, failed=len(failures), remaining=remaining)
            watch.advance(done + len(failures) + remaining)
        found, failed = done + len(failures) + remaining, len(failures)
        return RekeyReport(to, found, done, failed, remaining, tuple(failures[:_EXAMPLES]))

    def _due(self, to: KeyMode) -> Iterator[ObjectPath]:
        tried: set[UUID] = set()
        for path in self._sidecars.paths(_DUE[to]):
            tried.add(path.image_id)
            yield path
        if to == "envelope":
            yield from (path for path in self._half_done() if path.image_id not in tried)

    def _half_done(self) -> Iterator[ObjectPath]:
        """In envelopes, and still in the vault: whoever turned them was interrupted."""
        for reference in self._vaulting.vault.references(_FILE):
            file_id = UUID(reference.removeprefix(_FILE))
            yield from self._sidecars.paths(
                FileKey.file_id == file_id, FileKey.mode == "envelope"
            )

    def _turn(self, path: ObjectPath, to: KeyMode) -> None:
        """The keys are in both places when this returns, and the rows name the new one."""
        with self._store.lock(path):
            rows = [row for row in self._rows.of(path.image_id) if row.mode != to]
            if not rows:
                return
            self._require_named(path, rows)
            put = self._put_in_envelopes if to == "envelope" else self._put_in_vault
            self._rows.turn(rows, to, put(path.image_id, rows))

    def _put_in_envelopes(self, file_id: UUID, rows: list[KeptRow]) -> dict[bytes, bytes]:
        wrapped = {}
        for row in rows:
            dek = self._from_vault(file_id, row)
            if dek is None:
                continue
            envelope = self._keying.seal(file_id, dek)
            if self._keying.open(envelope) != dek:
                raise _wrong()
            wrapped[row.version] = envelope.to_row()
        return wrapped

    def _put_in_vault(self, file_id: UUID, rows: list[KeptRow]) -> dict[bytes, bytes]:
        """The rows keep their envelopes until the sidecar has followed."""
        reference = file_reference(file_id)
        for row in rows:
            if row.wrapped_dek is None:
                continue
            dek = self._keying.open(Envelope.from_row(row.wrapped_dek))
            self._vaulting.store(reference, row.version, dek, expires_on=row.expires_at)
            if row.state == "retired":
                self._vaulting.disable(reference, row.version)
            if self._from_vault(file_id, row) != dek:
                raise _wrong()
        return {}

    def _settle(self, path: ObjectPath, to: KeyMode) -> None:
        """The sidecar says it too; what is in the new place opens; the old one is emptied."""
        self._sidecars.follow(path)
        with self._store.lock(path):
            rows = self._rows.of(path.image_id)
            if not rows or any(row.mode != to for row in rows):
                return
            for row in rows:
                self._compare(path.image_id, row)
            if self._store.read_sidecar(path).public.mode != to:
                raise _wrong()
            if to == "envelope":
                self._vaulting.delete(file_reference(path.image_id))
            else:
                self._rows.drop_envelopes(path.image_id)

    def _compare(self, file_id: UUID, row: KeptRow) -> None:
        """Where both places have the key, they have the same."""
        inside = row.wrapped_dek
        sealed = self._keying.open(Envelope.from_row(inside)) if inside is not None else None
        kept = self._from_vault(file_id, row)
        here, there = (sealed, kept) if row.mode == "envelope" else (kept, sealed)
        if there is not None and here != there:
            raise _wrong()

    def _from_vault(self, file_id: UUID, row: KeptRow) -> SecretKey | None:
        """None for a key that is out of use and was destroyed with its time."""
        try:
            return self._vaulting.recover(file_reference(file_id), row.version)
        except KeyNotFound:
            if row.state != "retired" and row.mode == "direct":
                raise
            return None

    def _require_named(self, path: ObjectPath, rows: list[KeptRow]) -> None:
        """The blob's own key is among those that move along."""
        with self._store.blobs.open(path.original) as handle:
            if read_header(handle).key_version_id not in {row.version for row in rows}:
                raise KeyNotFound("No row knows the key of this file", operation="keys.rekey")


_DUE = {
    "envelope": FileKey.mode == "direct",
    "direct": or_(
        FileKey.mode == "envelope",
        and_(FileKey.mode == "direct", FileKey.wrapped_dek.is_not(None)),
    ),
}


def _wrong() -> KeyDamaged:
    return KeyDamaged("A key is not the same in both places", operation="keys.rekey")
