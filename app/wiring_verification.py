"""The parts of a house that look for damage and mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.db.times import utc_now
from app.errors import StoreUnavailable
from app.services.keys import FileKeyService
from app.services.orphans import Orphans
from app.services.recount import Recount
from app.services.verification import ExpectedImages, Verification
from app.services.verification.columns import ColumnCheck
from app.services.verification.images import ImageCheck
from app.services.verification.installation_parts import InstallationParts
from app.storage.marker import read_marker
from app.vault.cache import KeyCache

if TYPE_CHECKING:
    from app.services.audit import AuditLog
    from app.wiring import House


def require_store(house: House) -> None:
    """Raise StoreUnavailable unless the store is there with its marker."""
    house.blobs.check()
    if read_marker(house.blobs) is None:
        raise StoreUnavailable(
            "The store's marker file is missing. Is its file system mounted?",
            operation="health.store",
        )


def image_check(house: House) -> ImageCheck:
    """With keys of its own that are remembered nowhere: what is asked about is the vault,
    and a walk over a million pictures leaves the keys of the requests where they are."""
    keys = FileKeyService(
        house.vaulting,
        KeyCache(1, 0),
        utc_now,
        house.settings.rotation_days,
        require_vault=lambda: house.roots.require_in(house.vault),
    )
    return ImageCheck(
        ExpectedImages(house.uow), house.store, keys, house.vault, lambda: require_store(house)
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
