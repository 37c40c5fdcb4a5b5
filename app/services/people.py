"""The names of people as others who may see the same picture read them; no addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.domain.access import Actor
from app.domain.people import initials
from app.models import User
from app.services.caller import UNREADABLE


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    initials: str
    is_you: bool


def people(
    source: Session | Connection, actor: Actor, ids: Iterable[UUID | None]
) -> dict[UUID, Person]:
    """Those of these accounts that there are, by id."""
    wanted = {id_ for id_ in ids if id_ is not None}
    if not wanted:
        return {}
    rows: Any = source.execute(select(User.id, User.name).where(User.id.in_(wanted)))
    found: dict[UUID, Person] = {}
    for row in rows:
        name = row.name.told(row.id, UNREADABLE)
        found[row.id] = Person(name, initials(name), row.id == actor.user_id)
    return found
