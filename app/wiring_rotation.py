"""The rotation of file keys, from the rooms that it works in, and its jobs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from app.db.times import utc_now
from app.jobs.registry import Handler, JobKind, JobRun
from app.services.audit import AuditLog
from app.services.rotation import (
    BESIDE_REQUESTS,
    ON_REQUEST,
    Noticed,
    Parts,
    Policy,
    Rotation,
    RotationReport,
    RotationRequests,
    Scope,
    scope_of,
)
from app.services.rotation.requests import NOTICED_KIND, ON_REQUEST_KIND
from app.web.rotation_json import rotation_json

if TYPE_CHECKING:
    from app.wiring import House

SWEEP_EVERY: Final = timedelta(hours=1)
READ_BUDGET: Final = timedelta(minutes=5)
NOTHING: Final = Scope("images")
"""Finishes what was cut short and disables old keys, and begins nothing."""


def build_rotation(
    house: House, audit: AuditLog, clock: Callable[[], datetime] = utc_now
) -> Rotation:
    """Return the service; nothing is read before the first run."""
    grace = timedelta(hours=house.settings.key_grace_hours)
    parts = Parts(house.uow, house.store, house.keys, audit, clock, grace)
    policy = Policy(house.settings.rotation_days)
    return Rotation(parts, house.runs, house.quarantine, policy)


def build_rotation_requests(house: House) -> RotationRequests:
    """Return what queues rotations as jobs."""
    return RotationRequests(house.uow, house.audit, lambda: house.jobs.service)


def build_noticed(house: House) -> Noticed | None:
    """Return where readers leave word of what is due; None: nothing is ever due by itself."""
    if not house.settings.rotation_days:
        return None
    return Noticed(build_rotation_requests(house).noticed)


def rotation_kinds(house: House) -> tuple[JobKind, ...]:
    """The jobs that rotate keys: by the clock, on request, and after readers."""
    return (
        JobKind("rotation.sweep", "Rotate keys that are due", _sweep(house), SWEEP_EVERY),
        JobKind(ON_REQUEST_KIND, "Rotate keys", _on_request(house)),
        JobKind(NOTICED_KIND, "Rotate keys of pictures in use", _noticed(house)),
    )


def _sweep(house: House) -> Handler:
    def sweep(run: JobRun) -> Mapping[str, Any] | None:
        rotation = house.services.rotation
        if not rotation.has_work():
            return None
        scope = Scope(spare_damaged=True) if rotation.by_itself else NOTHING
        budget = timedelta(minutes=house.settings.rotation_budget_minutes)
        return _told(run, rotation.run(run, scope, budget=budget, terms=BESIDE_REQUESTS))

    return sweep


def _on_request(house: House) -> Handler:
    def rotate(run: JobRun) -> Mapping[str, Any]:
        rotation = house.services.rotation
        return _told(run, rotation.run(run, scope_of(run.params), terms=ON_REQUEST))

    return rotate


def _noticed(house: House) -> Handler:
    def rotate(run: JobRun) -> Mapping[str, Any]:
        rotation, scope = house.services.rotation, scope_of(run.params)
        report = rotation.run(run, scope, budget=READ_BUDGET, terms=BESIDE_REQUESTS)
        return _told(run, report)

    return rotate


def _told(run: JobRun, report: RotationReport) -> Mapping[str, Any]:
    """The result of a job; one that was stopped hears it once more, and ends as stopped."""
    if report.stopped:
        run.advance(report.rotated, report.found)
    return rotation_json(report)
