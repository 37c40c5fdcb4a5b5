"""What an administrator, or the operator on the command line, does to accounts."""

from __future__ import annotations

import builtins
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.credentials import check_password
from app.domain.limits import MAX_QUOTA, clean_page_size
from app.domain.names import refuse
from app.errors import Conflict, NotFound
from app.models import Collection, User
from app.services.account_rows import COLUMNS, AccountView, read_account, view_of
from app.services.audit import AuditLog, Subject
from app.services.cursor import Cursor, decode_cursor, microseconds
from app.services.email_index import EmailIndex
from app.services.password_check import PasswordCheck
from app.services.quota import Quota
from app.services.sessions import end_sessions
from app.services.task_rows import give_back_tasks

PASSWORD_BYTES = 12
"""Of a password that is handed out once and changed at the next sign-in."""


@dataclass(frozen=True, slots=True)
class AccountPage:
    """Accounts in the order in which they were made."""

    accounts: tuple[AccountView, ...]
    next_cursor: str | None


class AccountAdministration:
    """The site never loses its last administrator who can sign in."""

    def __init__(
        self,
        uow: UnitOfWork,
        emails: EmailIndex,
        passwords: PasswordCheck,
        audit: AuditLog,
        quota: Quota,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._emails = emails
        self._passwords = passwords
        self._audit = audit
        self._quota = quota
        self._clock = clock

    def list(
        self, actor: Actor, *, cursor: str | None = None, limit: int | None = None
    ) -> AccountPage:
        """A page of all accounts."""
        require(actor, Action.MANAGE_USERS)
        size, after = clean_page_size(limit), decode_cursor(cursor)
        key = (User.created_at, User.id)
        chosen = select(*COLUMNS).order_by(*key).limit(size + 1)
        if after is not None:
            chosen = chosen.where(tuple_(*key) > (after.moment, after.row_id))
        with self._uow.read_rows() as connection:
            rows = connection.execute(chosen).all()
        views = tuple(view_of(row, self._quota) for row in rows[:size])
        more = len(rows) > size
        return AccountPage(views, _after(views[-1]) if more else None)

    def find(self, actor: Actor, email: str) -> AccountView:
        """The account with this address; ``NotFound``."""
        require(actor, Action.MANAGE_USERS)
        chosen = select(*COLUMNS).where(User.email_index.in_(self._emails.candidates(email)))
        with self._uow.read_rows() as connection:
            row = connection.execute(chosen).first()
        if row is None:
            raise NotFound("There is no such account.", operation="account.find")
        return view_of(row, self._quota)

    def owner_of(self, actor: Actor, slug: str) -> AccountView:
        """The account that owns the collection at this address; ``NotFound``."""
        require(actor, Action.MANAGE_USERS)
        chosen = select(Collection.owner_id).where(
            Collection.slug == slug, Collection.deleted_at.is_(None)
        )
        with self._uow.read_rows() as connection:
            owner = connection.execute(chosen).scalar()
        if owner is None:
            raise NotFound("There is no such collection.", operation="account.owner_of")
        return self.get(actor, owner)

    def get(self, actor: Actor, user_id: UUID) -> AccountView:
        """One account; ``NotFound``."""
        require(actor, Action.MANAGE_USERS)
        with self._uow.read_rows() as connection:
            return read_account(connection, user_id, self._quota)

    def reset_password(self, actor: Actor, user_id: UUID, password: str) -> AccountView:
        """Give an account another password, to be changed at the next sign-in; all its
        sessions end. Raises ``InvalidInput``, ``NotFound``.
        """
        before = self.get(actor, user_id)
        hashed = self._passwords.hash(check_password(password, before.email))
        values = {
            "password_hash": hashed,
            "password_changed_at": self._clock(),
            "must_change_password": user_id != actor.user_id,
        }
        return self._change(actor, user_id, "account.reset_password", values, sign_out=True)

    def reset_everyone(self, actor: Actor) -> Iterator[tuple[AccountView, str]]:
        """Give every account a password of ours, to be changed at the next sign-in, and end
        all sessions: after whoever should not could read the machine. One account at a time,
        so that what was told is done."""
        cursor = None
        while True:
            page = self.list(actor, cursor=cursor, limit=200)
            for account in page.accounts:
                password = secrets.token_urlsafe(PASSWORD_BYTES)
                yield self.reset_password(actor, account.id, password), password
            cursor = page.next_cursor
            if cursor is None:
                return

    def set_disabled(self, actor: Actor, user_id: UUID, disabled: bool) -> AccountView:
        """Disable an account (its sessions end, its keys rest, pictures that were assigned or
        leased to it wait for everybody) or enable it again.

        Raises ``Conflict`` for the last administrator.
        """
        action = "account.disable" if disabled else "account.enable"
        values = {"state": "disabled" if disabled else "active"}
        return self._change(actor, user_id, action, values, sign_out=disabled)

    def set_admin(self, actor: Actor, user_id: UUID, is_admin: bool) -> AccountView:
        """Make somebody an administrator, or no longer; ``Conflict`` for the last one."""
        action = "account.make_admin" if is_admin else "account.unmake_admin"
        return self._change(actor, user_id, action, {"is_admin": is_admin})

    def set_quota(self, actor: Actor, user_id: UUID, limit: int | None) -> AccountView:
        """Give an account a limit of its own, in bytes; None: the site's default."""
        if limit is not None and not 0 <= limit <= MAX_QUOTA:
            raise refuse("quota", "A quota is a number of bytes from 0 on.")
        return self._change(actor, user_id, "account.quota", {"quota_limit": limit})

    def _change(
        self,
        actor: Actor,
        user_id: UUID,
        action: str,
        values: builtins.dict[str, Any],
        *,
        sign_out: bool = False,
    ) -> AccountView:
        require(actor, Action.MANAGE_USERS)
        with self._uow.write() as session:
            before = read_account(session, user_id, self._quota)
            session.execute(
                update(User), [{"id": user_id, "updated_at": self._clock(), **values}]
            )
            if before.is_admin and not before.disabled:
                _require_an_admin(session)
            ended = end_sessions(session, user_id) if sign_out else 0
            if sign_out:
                give_back_tasks(session, user_id)
            self._audit.append(
                session,
                action,
                actor=actor,
                subject=Subject("user", user_id),
                details={"ended": ended} if sign_out else None,
            )
            return read_account(session, user_id, self._quota)


def _require_an_admin(session: Session) -> None:
    """After a change of an administrator's account, which may have been the last."""
    left = session.scalar(
        select(func.count())
        .select_from(User)
        .where(User.is_admin.is_(True), User.state == "active")
    )
    if not left:
        raise Conflict(
            "The site needs an administrator who can sign in.", operation="account.change"
        )


def _after(view: AccountView) -> str:
    return Cursor(microseconds(view.created_at), view.id).encode()
