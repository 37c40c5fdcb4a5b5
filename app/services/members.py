"""Who belongs to a collection, and as what."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, Role, require
from app.domain.actions import LEAST_ROLE
from app.domain.limits import MAX_MEMBERS
from app.domain.names import refuse
from app.errors import Conflict, NotFound
from app.models import Collection, CollectionMember, Image, ImageTask, User
from app.services.audit import AuditLog, Subject
from app.services.caller import UNREADABLE
from app.services.collection_access import CollectionAccess, require_collection
from app.services.email_index import EmailIndex
from app.services.task_rows import give_back_tasks


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member as the others see it; ``id`` is the account's."""

    id: UUID
    name: str
    email: str
    role: Role
    is_you: bool
    since: datetime


class Members:
    """Members see each other; owners decide. A collection never loses its last owner."""

    def __init__(
        self,
        uow: UnitOfWork,
        emails: EmailIndex,
        audit: AuditLog,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._emails = emails
        self._audit = audit
        self._clock = clock

    def list(self, actor: Actor, slug: str) -> tuple[MemberView, ...]:
        """Everybody in the collection, owners first, then by name."""
        with self._uow.read() as session:
            found = require_collection(session, actor, Action.SEE_COLLECTION, slug)
            return _members(session, actor, found.id)

    def counts(self, actor: Actor) -> dict[UUID, int]:
        """How many members each of the caller's collections has."""
        require(actor, Action.LIST_COLLECTIONS)
        own = select(CollectionMember.collection_id).where(
            CollectionMember.user_id == actor.user_id
        )
        counted = (
            select(CollectionMember.collection_id, func.count())
            .where(CollectionMember.collection_id.in_(own))
            .group_by(CollectionMember.collection_id)
        )
        with self._uow.read_rows() as connection:
            return {row[0]: row[1] for row in connection.execute(counted)}

    def add(self, actor: Actor, slug: str, *, email: str, role: str) -> MemberView:
        """Add the account with this address. ``InvalidInput`` when there is none, or the
        role is none; ``Conflict`` when it is a member already.
        """
        given = _role(role)
        with self._uow.write() as session:
            found = require_collection(session, actor, Action.MANAGE_MEMBERS, slug)
            user_id = self._account(session, email)
            members = _roles(session, found.id)
            if user_id in members:
                raise Conflict("This person is a member already.", operation="member.add")
            if len(members) >= MAX_MEMBERS:
                raise Conflict(f"At most {MAX_MEMBERS} members.", operation="member.add")
            session.execute(insert(CollectionMember), [self._row(found, user_id, given)])
            self._note(session, "member.add", actor, found, user_id, given)
            return _one(session, actor, found.id, user_id)

    def change(self, actor: Actor, slug: str, user_id: UUID, role: str) -> MemberView:
        """Give a member another role; ``Conflict`` for the last owner."""
        given = _role(role)
        with self._uow.write() as session:
            found = require_collection(session, actor, Action.MANAGE_MEMBERS, slug)
            heir = _heir(_roles(session, found.id), found, user_id, given)
            session.execute(
                update(CollectionMember).where(_is(found.id, user_id)).values(role=given.word)
            )
            _hand_over(session, found, heir)
            if given < LEAST_ROLE[Action.TAKE_TASKS]:
                _give_back_tasks(session, found, user_id)
            self._note(session, "member.change", actor, found, user_id, given)
            return _one(session, actor, found.id, user_id)

    def remove(self, actor: Actor, slug: str, user_id: UUID) -> None:
        """Take a member out; everybody may leave. ``Conflict`` for the last owner."""
        leaving = user_id == actor.user_id
        action = Action.LEAVE_COLLECTION if leaving else Action.MANAGE_MEMBERS
        with self._uow.write() as session:
            found = require_collection(session, actor, action, slug)
            heir = _heir(_roles(session, found.id), found, user_id, None)
            session.execute(delete(CollectionMember).where(_is(found.id, user_id)))
            _hand_over(session, found, heir)
            _give_back_tasks(session, found, user_id)
            self._note(session, "member.remove", actor, found, user_id, None)

    def _account(self, session: Session, email: str) -> UUID:
        user_id = session.scalar(
            select(User.id).where(
                User.email_index.in_(self._emails.candidates(email)), User.state == "active"
            )
        )
        if user_id is None:
            raise refuse("email", "Nobody here has this e-mail address.")
        return user_id

    def _row(
        self, found: CollectionAccess, user_id: UUID, role: Role
    ) -> builtins.dict[str, Any]:
        return {
            "collection_id": found.id,
            "user_id": user_id,
            "role": role.word,
            "created_at": self._clock(),
        }

    def _note(
        self,
        session: Session,
        action: str,
        actor: Actor,
        found: CollectionAccess,
        user_id: UUID,
        role: Role | None,
    ) -> None:
        details = {"user": str(user_id), "role": role.word if role else None}
        self._audit.append(
            session,
            action,
            actor=actor,
            subject=Subject("collection", found.id),
            details=details,
        )


def _role(word: str) -> Role:
    role = Role.of(word)
    if role is None:
        raise refuse("role", "A role is one of " + ", ".join(r.word for r in Role) + ".")
    return role


def _is(collection_id: UUID, user_id: UUID) -> Any:
    return and_(
        CollectionMember.collection_id == collection_id, CollectionMember.user_id == user_id
    )


def _roles(session: Session, collection_id: UUID) -> dict[UUID, Role]:
    """Every member's role, the longest standing first."""
    rows = session.execute(
        select(CollectionMember.user_id, CollectionMember.role)
        .where(CollectionMember.collection_id == collection_id)
        .order_by(CollectionMember.created_at, CollectionMember.user_id)
    )
    return {row.user_id: Role[row.role.upper()] for row in rows}


def _heir(
    roles: dict[UUID, Role], found: CollectionAccess, user_id: UUID, role: Role | None
) -> UUID:
    """Who owns the collection once ``user_id`` has this role (None: is gone).

    Raises ``NotFound`` for who is no member, ``Conflict`` when no owner would be left or
    the private collection of an account would become another's.
    """
    if user_id not in roles:
        raise NotFound("There is no such member.", operation="member.change")
    owners = [
        member
        for member, had in roles.items()
        if (role if member == user_id else had) is Role.OWNER
    ]
    if not owners:
        raise Conflict("A collection needs an owner.", operation="member.change")
    if found.owner_id in owners:
        return found.owner_id
    if found.is_personal:
        raise Conflict(
            "A private collection belongs to its account.", operation="member.change"
        )
    return owners[0]


def _hand_over(session: Session, found: CollectionAccess, heir: UUID) -> None:
    if heir != found.owner_id:
        session.execute(
            update(Collection).where(Collection.id == found.id).values(owner_id=heir)
        )


def _members(session: Session, actor: Actor, collection_id: UUID) -> tuple[MemberView, ...]:
    rows = session.execute(
        select(
            User.id,
            User.name,
            User.email,
            CollectionMember.role,
            CollectionMember.created_at,
        )
        .join(CollectionMember, CollectionMember.user_id == User.id)
        .where(CollectionMember.collection_id == collection_id)
    )
    views = [_view(row, actor) for row in rows]
    return tuple(sorted(views, key=lambda v: (-v.role, v.name.casefold(), v.id)))


def _one(session: Session, actor: Actor, collection_id: UUID, user_id: UUID) -> MemberView:
    return next(v for v in _members(session, actor, collection_id) if v.id == user_id)


def _view(row: Any, actor: Actor) -> MemberView:
    return MemberView(
        id=row.id,
        name=row.name.told(row.id, UNREADABLE),
        email=row.email.told(row.id, UNREADABLE),
        role=Role[row.role.upper()],
        is_you=row.id == actor.user_id,
        since=row.created_at,
    )


def _give_back_tasks(session: Session, found: CollectionAccess, user_id: UUID) -> None:
    """What was assigned or leased to them here waits for everybody again."""
    here = select(Image.id).where(Image.collection_id == found.id)
    give_back_tasks(session, user_id, ImageTask.image_id.in_(here))
