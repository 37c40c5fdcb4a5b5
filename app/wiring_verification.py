"""The parts of a house that look for damage and mend it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from app.db.times import utc_now
from app.models import Installation
from app.services.backup.manifest import GENERATIONS
from app.services.backup.opened import open_backup
from app.services.healing import FolderCopy, Healing, SidecarRepair
from app.services.healing.backup_source import BackupSource
from app.services.healing.key_return import KeyReturn
from app.services.healing.placing import Placing
from app.services.keys import KeyVaulting
from app.services.orphans import Orphans
from app.services.receipts import ShredTerms
from app.services.reconciliation import Reconciler
from app.services.reconciling import Unknown
from app.services.recount import Recount
from app.services.scrub import Scrub
from app.services.verification import ExpectedImages, Verification
from app.services.verification.columns import ColumnCheck
from app.services.verification.images import ImageCheck
from app.services.verification.installation_parts import InstallationParts
from app.storage.local_disk import LocalDisk
from app.vault.cache import KeyCache
from app.vault.local import LocalVault
from app.wiring_backup import archive_at, locks_with
from app.wiring_health import require_store

if TYPE_CHECKING:
    from app.config import Settings
    from app.services.audit import AuditLog
    from app.services.healing import BlobSource
    from app.services.quarantine import Quarantine
    from app.wiring import House

VAULT = "secrets"


def image_check(house: House) -> ImageCheck:
    """With keys of its own that are remembered nowhere: what is asked about is the vault,
    and a walk over a million pictures leaves the keys of the requests where they are."""
    return ImageCheck(
        ExpectedImages(house.uow),
        house.store,
        house.file_keys(KeyCache(1, 0)),
        house.vault,
        lambda: require_store(house.blobs),
    )


def verification(house: House, audit: AuditLog) -> Verification:
    """Everything that is looked at by ``encryption verify`` and ``store verify``."""
    orphans = Orphans(house.uow, house.blobs, house.vault)
    return Verification(
        rows=ExpectedImages(house.uow),
        check=image_check(house),
        columns=ColumnCheck(house.uow),
        parts=InstallationParts(house.uow, house.blobs, orphans, Recount(house.uow), audit),
        blobs=house.blobs,
    )


def build_healing(house: House, quarantine: Quarantine) -> Healing:
    """What mends pictures from a backup."""

    rows, keys = ExpectedImages(house.uow), house.file_keys(KeyCache(1, 0))
    return Healing(
        uow=house.uow,
        rows=rows,
        check=image_check(house),
        placing=Placing(rows, house.store, keys, SidecarRepair(house.uow, house.store)),
        keys=KeyReturn(house.vaulting, keys, house.store),
        quarantine=quarantine,
        runs=house.runs,
        sources=lambda place: source_at(house, place),
    )


def build_scrub(house: House) -> Scrub:
    """What goes over everything by itself; a round takes a month where no setting asks."""
    settings = house.settings
    return Scrub(
        rows=ExpectedImages(house.uow),
        check=image_check(house),
        quarantine=house.quarantine,
        runs=house.runs,
        days=settings.scrub_days or 30,
        minutes=settings.scrub_budget_minutes,
    )


def build_reconciler(house: House, audit: AuditLog) -> Reconciler:
    """What puts right what crashes left behind."""
    rows, keys = ExpectedImages(house.uow), house.file_keys(KeyCache(1, 0))
    return Reconciler(
        orphans=Orphans(house.uow, house.blobs, house.vault),
        blobs=house.blobs,
        rows=rows,
        check=image_check(house),
        placing=Placing(rows, house.store, keys, SidecarRepair(house.uow, house.store)),
        unknown=Unknown(house.uow, house.blobs, house.keys, audit),
        recount=Recount(house.uow),
        audit=audit,
        runs=house.runs,
    )


def source_at(house: House, place: str) -> BlobSource:
    """The newest backup at a place; or a copy of an instance, with its local vault if that was
    copied too, or of a store."""
    folder = Path(place)
    if place.startswith("s3://") or os.path.isdir(folder / GENERATIONS):  # noqa: PTH112
        archive = archive_at(place, house.settings, make=False)
        locks = locks_with(house, house.settings.backup.passphrase_file)
        return BackupSource(open_backup(archive, locks))
    # os.path: a disk that fails is no folder, and told as that a moment later.
    store = folder / "store" if os.path.isdir(folder / "store") else folder  # noqa: PTH112
    vaulting = None
    if os.path.isdir(folder / VAULT):  # noqa: PTH112
        grace = timedelta(hours=house.settings.key_grace_hours)
        copied = LocalVault(folder / VAULT, grace=grace, clock=utc_now)
        vaulting = KeyVaulting(copied, house.masters)
    return FolderCopy(LocalDisk(store), vaulting, lambda: _store_id(house))


def _store_id(house: House) -> UUID:
    with house.uow.read_rows() as connection:
        return connection.execute(select(Installation.store_id)).scalar_one()


def shred_terms(settings: Settings) -> ShredTerms:
    """What a receipt says of the copies of a key."""
    return ShredTerms(
        vault=settings.vault.mode,
        memory=timedelta(minutes=settings.vault_cache_minutes),
        backups_kept=settings.backup.keep if settings.backup.target else None,
    )
