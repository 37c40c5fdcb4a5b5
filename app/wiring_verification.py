"""The parts of a house that look for damage and mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services.orphans import Orphans
from app.services.recount import Recount
from app.services.verification import ExpectedImages, Verification
from app.services.verification.columns import ColumnCheck
from app.services.verification.images import ImageCheck
from app.services.verification.installation_parts import InstallationParts
from app.vault.cache import KeyCache
from app.wiring_health import require_store

if TYPE_CHECKING:
    from app.services.audit import AuditLog
    from app.wiring import House


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
