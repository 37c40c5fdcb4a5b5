"""What belongs to no single picture: marker, counters, leftovers, audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.errors import SidecarInvalid
from app.models import Installation
from app.services.verification.findings import Damage, Finding
from app.storage.marker import read_marker
from app.storage.reconcile import Orphan, OrphanKind

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.audit import AuditLog
    from app.services.orphans import Orphans
    from app.services.recount import Recount
    from app.storage.interface import BlobStore

LEFT_OVER = {
    OrphanKind.BLOB_WITHOUT_ROW: Damage.BLOB_WITHOUT_ROW,
    OrphanKind.SIDECAR_WITHOUT_BLOB: Damage.SIDECAR_WITHOUT_BLOB,
    OrphanKind.STALE_TEMPORARY: Damage.TEMPORARY,
    OrphanKind.FOREIGN: Damage.FOREIGN,
    OrphanKind.KEY_WITHOUT_ROW: Damage.KEY_WITHOUT_ROW,
}
"""The other kinds are found with their picture."""


class InstallationParts:
    """Reads only."""

    def __init__(
        self,
        uow: UnitOfWork,
        blobs: BlobStore,
        orphans: Orphans,
        recount: Recount,
        audit: AuditLog,
    ) -> None:
        self._uow = uow
        self._blobs = blobs
        self._orphans = orphans
        self._recount = recount
        self._audit = audit

    def marker(self) -> Finding:
        """The store is the one that the database knows."""
        try:
            marker = read_marker(self._blobs)
        except SidecarInvalid as refusal:
            return Finding("store", "marker", Damage.MARKER, refusal.message)
        with self._uow.read_rows() as connection:
            known = connection.scalar(select(Installation.store_id))
        if marker is None or marker.store_id != known:
            return Finding("store", "marker", Damage.MARKER)
        return Finding("store", "marker")

    def leftovers(self) -> Iterator[Finding]:
        """What store and vault have and the database does not; nothing that is young."""
        for orphan in self._orphans.found():
            damage = LEFT_OVER.get(orphan.kind)
            if damage is not None:
                yield Finding(orphan.key, _part(orphan), damage)

    def counters(self) -> Iterator[Finding]:
        """Pictures of collections and months, bytes of accounts."""
        for miscount in self._recount.look():
            told = f"{miscount.kept}, counted {miscount.counted}"
            yield Finding(miscount.what, "counter", Damage.COUNTS, told)

    def audit(self) -> Finding:
        """The chain of the audit log, from its start."""
        verdict = self._audit.verify()
        if verdict.broken_at is None:
            return Finding("audit log", "chain")
        return Finding("audit log", "chain", Damage.AUDIT, f"event {verdict.broken_at}")


def _part(orphan: Orphan) -> str:
    return "vault" if orphan.kind is OrphanKind.KEY_WITHOUT_ROW else "store"
