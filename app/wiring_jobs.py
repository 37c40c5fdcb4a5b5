"""Jobs: their kinds, and the parts that queue and work them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.crypto.chunking import ChunkPolicy
from app.jobs.queue import Queue
from app.jobs.registry import Handler, JobKind, JobRun, Registry
from app.jobs.rows import JobRows
from app.jobs.timetable import Timetable
from app.jobs.worker import Worker
from app.services.derivative_cache import DerivativeCache
from app.services.job_expiry import JobExpiry
from app.services.job_overview import JobOverview
from app.services.job_results import JobResults
from app.services.jobs import Jobs
from app.services.records import RecordsKeeper
from app.vault.local import LocalVault
from app.wiring_exchange import exchange_kinds
from app.wiring_labels import label_kinds
from app.wiring_rotation import rotation_kinds

if TYPE_CHECKING:
    from app.wiring import House

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LOOK_FOR_BACKUP = 10 * MINUTE
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
        self.keeper = RecordsKeeper(lambda: house.services.records)
        self._serve(house)

    def _serve(self, house: House) -> None:
        uow, settings = house.uow, house.settings
        policy = ChunkPolicy(settings.chunk_size, settings.stream_chunk)
        self.results = JobResults(uow, house.blobs, house.roots, policy)
        keep = timedelta(days=settings.jobs_keep_days)
        self.expiry = JobExpiry(uow, house.blobs, self.results, keep)
        self.derivatives = DerivativeCache(house.blobs, settings.derivatives_size)
        self.overview = JobOverview(uow, self.registry)
        self.service = Jobs(uow, self.registry, self.rows, self.results, self.queue.nudge)


def register(registry: Registry, house: House) -> None:
    """Name every kind with its handler; a handler reaches for services when it is called."""
    scrub_every = HOUR if house.settings.scrub_days else None
    backup_every = LOOK_FOR_BACKUP if house.settings.backup.target else None
    for kind in (
        JobKind("alerts.check", "Look for what is wrong", _alerts(house), MINUTE),
        JobKind("backup.create", "Make the backup that is due", _backup(house), backup_every),
        JobKind("records.write", "Keep sealed records current", _records(house), MINUTE),
        JobKind("trash.empty", "Empty the trash of what is due", _trash(house), MINUTE),
        JobKind("store.scrub", "Look for damage", _scrub(house), scrub_every),
        JobKind("store.orphans", "Look for leftovers", _orphans(house), HOUR),
        JobKind("jobs.expire", "Forget old jobs", _jobs(house), HOUR),
        JobKind(
            "derivatives.trim", "Bound the cache of thumbnails", _derivatives(house), 6 * HOUR
        ),
        JobKind("keys.tend", "Take old keys out of use", _old_keys(house), HOUR),
        JobKind("vault.purge_copies", "Drop old copies of keys", _copies(house), HOUR),
        *label_kinds(house),
        *rotation_kinds(house),
        *exchange_kinds(house),
    ):
        registry.add(kind)


def _alerts(house: House) -> Handler:
    def check(_run: JobRun) -> Mapping[str, Any]:
        return {"conditions": len(house.services.alerts.check())}

    return check


def _backup(house: House) -> Handler:
    def create(run: JobRun) -> Mapping[str, Any]:
        report = house.services.backups.run_if_due(run)
        return {"due": False} if report is None else {"due": True, **asdict(report)}

    return create


def _records(house: House) -> Handler:
    def write(run: JobRun) -> Mapping[str, Any]:
        """Beside the keeper, which looks more often: shows that it is done, and by whom."""
        return asdict(house.services.records.run(run))

    return write


def _trash(house: House) -> Handler:
    def empty(run: JobRun) -> Mapping[str, Any]:
        trash = house.services.trash
        return {"expired": trash.expire(), "destroyed": trash.destroy_due(run)}

    return empty


def _scrub(house: House) -> Handler:
    def look(run: JobRun) -> Mapping[str, Any]:
        return asdict(house.services.scrub.run(run))

    return look


def _orphans(house: House) -> Handler:
    def report(run: JobRun) -> Mapping[str, Any]:
        found = house.services.orphans.log_report(run)
        return {kind.value: count for kind, count in found.counts.items()}

    return report


def _jobs(house: House) -> Handler:
    def expire(run: JobRun) -> Mapping[str, Any]:
        return asdict(house.jobs.expiry.run(run))

    return expire


def _derivatives(house: House) -> Handler:
    def trim(run: JobRun) -> Mapping[str, Any]:
        return asdict(house.jobs.derivatives.trim(run))

    return trim


def _copies(house: House) -> Handler:
    def purge(_run: JobRun) -> None:
        if isinstance(house.vault, LocalVault):  # no other keeps copies
            house.vault.purge_expired_copies()

    return purge


def _old_keys(house: House) -> Handler:
    def tend(run: JobRun) -> Mapping[str, Any]:
        changes = house.services.key_changes
        roots, keks = changes.roots.tend(run), changes.keks.retirement.run(run)
        return {"roots": roots, "keks": keks}

    return tend
