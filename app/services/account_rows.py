"""Accounts as rows: inserted with their private collection, read without ORM objects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select
from sqlalchemy.orm import Session

from app.domain.access import Actor
from app.domain.ids import new_id
from app.domain.limits import Usage
from app.errors import NotFound
from app.models import User
from app.services.caller import UNREADABLE
from app.services.collections import add_collection
from app.services.quota import Quota

PRIVATE_NAME = "My pictures"

COLUMNS = (
    User.id,
    User.email,
    User.name,
    User.is_admin,
    User.state,
    User.quota_used,
    User.quota_limit,
    User.must_change_password,
    User.created_at,
    User.password_changed_at,
    User.last_login_at,
)


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account without its secrets; ``usage`` in bytes of plaintext."""

    id: UUID
    email: str
    name: str
    is_admin: bool
    disabled: bool
    must_change_password: bool
    usage: Usage
    created_at: datetime
    password_changed_at: datetime | None
    last_login_at: datetime | None

    @property
    def actor(self) -> Actor:
        """The account as it acts in a session of its own."""
        return Actor(self.id, is_admin=self.is_admin, disabled=self.disabled)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What a row is made of; ``password_hash`` is a PHC string."""

    email: str
    email_index: bytes
    name: str
    password_hash: str
    is_admin: bool = False


def add_account(session: Session, new: NewAccount, at: datetime) -> UUID:
    """Insert an account and its private collection, in the caller's transaction."""
    id_ = new_id()
    row = {
        "id": id_,
        "email": new.email,
        "email_index": new.email_index,
        "name": new.name,
        "password_hash": new.password_hash,
        "is_admin": new.is_admin,
        "created_at": at,
        "updated_at": at,
        "password_changed_at": at,
    }
    session.execute(insert(User), [row])
    add_collection(session, id_, PRIVATE_NAME, is_personal=True, at=at)
    return id_


def read_account(
    source: Session | Connection, user_id: UUID | None, quota: Quota
) -> AccountView:
    """One account; ``NotFound``."""
    row: Any = source.execute(select(*COLUMNS).where(User.id == user_id)).first()
    if row is None:
        raise NotFound("There is no such account.", operation="account.find")
    return view_of(row, quota)


def view_of(row: Any, quota: Quota) -> AccountView:
    return AccountView(
        id=row.id,
        email=row.email.told(row.id, UNREADABLE),
        name=row.name.told(row.id, UNREADABLE),
        is_admin=row.is_admin,
        disabled=row.state == "disabled",
        must_change_password=row.must_change_password,
        usage=quota.of(row.quota_used, row.quota_limit),
        created_at=row.created_at,
        password_changed_at=row.password_changed_at,
        last_login_at=row.last_login_at,
    )
