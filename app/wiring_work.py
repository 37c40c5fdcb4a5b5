"""What lets people work side by side: tasks and their leases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.config import Settings
from app.services.agreement import Adjudication, Copies, Handover, Rounds
from app.services.progress import Progress
from app.services.review_queue import ReviewQueue
from app.services.task_rows import TaskRows
from app.services.tasks import Tasks

if TYPE_CHECKING:
    from app.wiring import House


def task_rows(settings: Settings) -> TaskRows:
    """Return what writes leases and signs of work."""
    return TaskRows(timedelta(minutes=settings.task_lease_minutes))


def work_services(house: House) -> dict[str, Any]:
    """Return the fields of the services that are built here."""
    rows = task_rows(house.settings)
    return {
        "adjudication": Adjudication(house.uow, house.writing),
        "copies": Copies(house.uow),
        "handover": Handover(house.uow, house.audit),
        "progress": Progress(house.uow),
        "rounds": Rounds(house.uow, house.audit),
        "review_queue": ReviewQueue(house.uow),
        "tasks": Tasks(house.uow, house.writing, rows, house.audit),
    }
