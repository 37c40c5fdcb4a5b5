"""Who may be given pictures of a collection to label."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, select
from sqlalchemy.orm import Session

from app.domain.access import Action, Role
from app.domain.actions import LEAST_ROLE
from app.models import CollectionMember, User

ROLES = [role.word for role in Role if role >= LEAST_ROLE[Action.TAKE_TASKS]]


def labellers(
    source: Session | Connection, collection_id: UUID, among: Collection[UUID] | None = None
) -> frozenset[UUID]:
    """Members whose role and account let them label; ``among`` None: all of them."""
    wanted = (
        select(CollectionMember.user_id)
        .join(User, User.id == CollectionMember.user_id)
        .where(
            CollectionMember.collection_id == collection_id,
            CollectionMember.role.in_(ROLES),
            User.state == "active",
        )
    )
    if among is not None:
        wanted = wanted.where(CollectionMember.user_id.in_(among))
    return frozenset(row.user_id for row in source.execute(wanted))
