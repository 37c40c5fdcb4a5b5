"""For whom a job of an exchange works: its owner, with no more rights than who asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import select

from app.domain.access import Actor
from app.domain.scopes import Scope
from app.errors import Gone
from app.models import User

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.jobs.registry import JobRun

SCOPES = "scopes"


def scopes_told(actor: Actor) -> list[str] | None:
    """What a job's parameters keep of an API key."""
    return None if actor.scopes is None else sorted(scope.value for scope in actor.scopes)


def actor_of(uow: UnitOfWork, run: JobRun) -> Actor:
    """The owner as it stands now; ``Gone`` for an account that is disabled."""
    with uow.read_rows() as connection:
        row = connection.execute(
            select(User.id, User.state).where(User.id == run.owner_id)
        ).first()
    if row is None or row.state == "disabled":
        raise Gone("The account of this job is disabled.", operation="exchange.actor")
    told: Iterable[str] | None = run.params.get(SCOPES)
    return Actor(row.id, scopes=None if told is None else frozenset(map(Scope, told)))
