"""The rotation of file keys, from the rooms that it works in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.db.times import utc_now
from app.services.audit import AuditLog
from app.services.quarantine import Quarantine
from app.services.rotation import Parts, Policy, Rotation

if TYPE_CHECKING:
    from app.wiring import House


def build_rotation(
    house: House, audit: AuditLog, clock: Callable[[], datetime] = utc_now
) -> Rotation:
    """Return the service; nothing is read before the first run."""
    grace = timedelta(hours=house.settings.key_grace_hours)
    parts = Parts(house.uow, house.store, house.keys, audit, clock, grace)
    policy = Policy(house.settings.rotation_days)
    return Rotation(parts, house.runs, Quarantine(house.uow, audit), policy)
