"""Jobs: their kinds, and the parts that queue and work them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.jobs.queue import Queue
from app.jobs.registry import Handler, JobKind, JobRun, Registry
from app.jobs.rows import JobRows
from app.jobs.timetable import Timetable
from app.jobs.worker import Worker

if TYPE_CHECKING:
    from app.wiring import House

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
QUEUE_FILE = "queue.db"


class JobParts:
    """What queues and works the jobs of one installation; touches no disk when made."""

    def __init__(self, house: House) -> None:
        self.registry = Registry()
        register(self.registry, house)
        self.rows = JobRows(house.uow)
        self.worker = Worker(self.registry, self.rows)
        self.timetable = Timetable(self.registry, self.rows, house.uow)
        self.queue = Queue(
            house.settings.instance_path / QUEUE_FILE,
            house.settings.secret_key,
            self.rows,
            self.worker,
            self.timetable,
        )


def register(registry: Registry, house: House) -> None:
    """Name every kind with its handler; a handler reaches for services when it is called."""
    for kind in (
        JobKind("alerts.check", "Look for what is wrong", _alerts(house), MINUTE),
        JobKind("trash.empty", "Empty the trash of what is due", _trash(house), MINUTE),
        JobKind("store.orphans", "Look for leftovers", _orphans(house), HOUR),
        JobKind("vault.purge_copies", "Drop old copies of keys", _copies(house), HOUR),
    ):
        registry.add(kind)


def _alerts(house: House) -> Handler:
    def check(_run: JobRun) -> Mapping[str, Any]:
        return {"conditions": len(house.services.alerts.check())}

    return check


def _trash(house: House) -> Handler:
    def empty(run: JobRun) -> Mapping[str, Any]:
        trash = house.services.trash
        return {"expired": trash.expire(), "destroyed": trash.destroy_due(run)}

    return empty


def _orphans(house: House) -> Handler:
    def report(run: JobRun) -> Mapping[str, Any]:
        found = house.services.orphans.log_report(run)
        return {kind.value: count for kind, count in found.counts.items()}

    return report


def _copies(house: House) -> Handler:
    def purge(_run: JobRun) -> None:
        house.vault.purge_expired_copies()

    return purge
