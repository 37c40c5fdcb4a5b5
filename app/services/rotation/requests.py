"""Rotations that are done by jobs: asked for by an administrator, or noticed by readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from app.domain.access import Action, Actor, require
from app.services.audit import AuditLog, Subject
from app.services.rotation.report import Scope, ScopeName

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.jobs import Queueing

ON_REQUEST_KIND: Final = "rotation.run"
NOTICED_KIND: Final = "rotation.read"


class RotationRequests:
    """Queues jobs; ``jobs`` is asked for when one is queued."""

    def __init__(self, uow: UnitOfWork, audit: AuditLog, jobs: Callable[[], Queueing]) -> None:
        self._uow = uow
        self._audit = audit
        self._jobs = jobs

    def ask(self, actor: Actor, scope: Scope) -> UUID:
        """Queue a rotation and return the id of its job; raises NotPermitted.

        While one of the same scope waits or runs, that one's id is returned.
        """
        require(actor, Action.MANAGE_KEYS)
        with self._uow.write() as session:
            job_id = self._jobs().enqueue(
                session,
                ON_REQUEST_KIND,
                params_of(scope),
                owner=actor.user_id,
                purpose=None if scope.images else f"{ON_REQUEST_KIND}.{scope.name}",
            )
            self._audit.append(
                session,
                "key.rotation_asked",
                actor=actor,
                subject=Subject("job", job_id),
                details={"scope": scope.name, "images": len(scope.images)},
            )
        return job_id

    def noticed(self, file_ids: Sequence[UUID]) -> None:
        """Queue what readers found to be due."""
        with self._uow.write() as session:
            self._jobs().enqueue(
                session, NOTICED_KIND, params_of(Scope("due", tuple(file_ids)))
            )


def params_of(scope: Scope) -> dict[str, Any]:
    """The scope as a job keeps it."""
    return {"scope": scope.name, "images": [str(one) for one in scope.images]}


def scope_of(params: Mapping[str, Any]) -> Scope:
    """The scope that a job was queued with."""
    name: ScopeName = params["scope"]
    images = tuple(UUID(one) for one in params["images"])
    return Scope(name, images, spare_damaged=name == "due")
