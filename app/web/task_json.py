"""Tasks as the API tells them."""

from __future__ import annotations

from typing import Any

from app.services.task_view import Person, TaskView
from app.web.receipt_json import rfc3339


def task_json(task: TaskView) -> dict[str, Any]:
    """Return whose turn it is with a picture."""
    return {
        "image_id": str(task.image_id),
        "state": task.state.value,
        "read_only": task.read_only,
        "assignee": person_json(task.assignee),
        "holder": person_json(task.holder),
        "lease_until": rfc3339(task.lease_until),
        "submitted_by": person_json(task.submitted_by),
        "submitted_at": rfc3339(task.submitted_at),
        "reviewed_by": person_json(task.reviewed_by),
        "reviewed_at": rfc3339(task.reviewed_at),
        "reason": task.reason,
        "reason_of": task.reason_of,
        "worked_seconds": task.worked_seconds,
        "can": list(task.can),
    }


def person_json(person: Person | None) -> dict[str, Any] | None:
    """Return somebody, None for nobody."""
    if person is None:
        return None
    return {"id": str(person.id), "name": person.name, "you": person.you}
