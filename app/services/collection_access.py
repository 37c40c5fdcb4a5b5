"""A collection as its services need it: the row, and the caller's role in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, select
from sqlalchemy.orm import Session

from app.domain.access import Action, Actor, CollectionFacts, Role, require
from app.errors import NotFound
from app.models import Collection, CollectionMember


@dataclass(frozen=True, slots=True)
class CollectionAccess:
    id: UUID
    slug: str
    owner_id: UUID
    role: Role | None
    is_personal: bool
    labels_closed: bool
    by_capture_time: bool

    @property
    def facts(self) -> CollectionFacts:
        return CollectionFacts(self.role)


def membership_of(actor: Actor) -> ColumnElement[bool]:
    """The join from a collection to the caller's own row among its members."""
    return and_(
        CollectionMember.collection_id == Collection.id,
        CollectionMember.user_id == actor.user_id,
    )


def find_collection(
    source: Session | Connection, actor: Actor, slug: str
) -> CollectionAccess | None:
    """The collection at this address, whether or not the caller may see it."""
    return _find(source, actor, Collection.slug == slug)


def find_personal(source: Session | Connection, actor: Actor) -> CollectionAccess | None:
    """The caller's own private collection, made with the account."""
    return _find(
        source,
        actor,
        and_(Collection.owner_id == actor.user_id, Collection.is_personal.is_(True)),
    )


def _find(
    source: Session | Connection, actor: Actor, which: ColumnElement[bool]
) -> CollectionAccess | None:
    row: Any = source.execute(
        select(
            Collection.id,
            Collection.slug,
            Collection.owner_id,
            Collection.is_personal,
            Collection.labels_closed,
            Collection.timeline,
            CollectionMember.role,
        )
        .outerjoin(CollectionMember, membership_of(actor))
        .where(which, Collection.deleted_at.is_(None))
    ).first()
    if row is None:
        return None
    return CollectionAccess(
        id=row.id,
        slug=row.slug,
        owner_id=row.owner_id,
        role=Role.of(row.role),
        is_personal=row.is_personal,
        labels_closed=row.labels_closed,
        by_capture_time=row.timeline == "taken",
    )


def require_collection(
    source: Session | Connection, actor: Actor, action: Action, slug: str
) -> CollectionAccess:
    """The collection, if the caller may do ``action`` there; else as ``access.require``."""
    found = find_collection(source, actor, slug)
    require(actor, action, found.facts if found else None)
    if found is None:
        raise NotFound("There is nothing here.", operation="collection.find")
    return found
