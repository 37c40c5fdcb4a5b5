"""Accounts: made, signed in to, and what their owners change themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select, update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.credentials import MAX_EMAIL, check_password, clean_email
from app.domain.names import clean_name, refuse
from app.errors import AuthenticationFailed, Conflict
from app.models import Collection, User
from app.services.account_rows import AccountView, NewAccount, add_account, read_account
from app.services.audit import AuditLog, Subject
from app.services.email_index import EmailIndex
from app.services.password_check import PasswordCheck
from app.services.quota import Quota
from app.services.sessions import end_sessions

THEMES = ("system", "light", "dark")


@dataclass(frozen=True, slots=True)
class _Found:
    """What a sign-in reads; all None when there is no such account."""

    id: UUID | None = None
    password_hash: str | None = None
    active: bool = False


class Accounts:
    """No answer and no duration tells whether an address has an account, but to who may
    make accounts.
    """

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

    def is_empty(self) -> bool:
        """Whether nobody has an account yet: then the set-up page is shown."""
        with self._uow.read_rows() as connection:
            return not connection.execute(select(exists().select_from(User))).scalar_one()

    def create_first_admin(self, *, email: str, name: str, password: str) -> AccountView:
        """Make the first account, an administrator's; ``Conflict`` once there is any.

        Of several attempts at once exactly one succeeds.
        """
        new = self._new(email, name, password, is_admin=True)
        with self._uow.write() as session:
            if session.scalar(select(exists().select_from(User))):
                raise Conflict("This site has been set up already.", operation="account.setup")
            return self._add(session, new, None, "account.setup")

    def register(self, *, email: str, name: str, password: str) -> AccountView:
        """Make one's own account, where registration is open; ``Conflict`` for a known
        address, after the same work.
        """
        new = self._new(email, name, password, is_admin=False)
        with self._uow.write() as session:
            return self._add(session, new, None, "account.register")

    def create(
        self, actor: Actor, *, email: str, name: str, password: str, is_admin: bool = False
    ) -> AccountView:
        """Make an account for somebody else, as an administrator or on the command line."""
        require(actor, Action.MANAGE_USERS)
        new = self._new(email, name, password, is_admin=is_admin)
        with self._uow.write() as session:
            return self._add(session, new, actor, "account.create")

    def counted_as(self, email: str) -> str:
        """What tries to sign in are counted under: no address stands in the limiter."""
        return self._emails.current(email[:MAX_EMAIL]).hex()

    def authenticate(self, email: str, password: str, *, address: str = "") -> AccountView:
        """The account that address and password open; one refusal for every other case.

        Raises ``AuthenticationFailed``. ``address`` goes, sealed, into the audit log.
        """
        found = self._find(email)
        right = self._passwords.fits(found.password_hash, password) and found.active
        fresh = None
        if right and found.password_hash is not None:
            fresh = self._passwords.rehashed(found.password_hash, password)
        with self._uow.write() as session:
            view = self._signed_in(session, found, fresh) if right else None
            self._audit.append(
                session,
                "account.sign_in",
                actor=view.actor if view else None,
                subject=Subject("user", found.id) if found.id else None,
                outcome="ok" if view else "refused",
                details={"address": address[:64].encode("utf-8", "replace").decode()},
            )
        if view is None:
            raise AuthenticationFailed(
                "E-mail address or password is wrong.", operation="account.sign_in"
            )
        return view

    def get(self, actor: Actor) -> AccountView:
        """One's own account."""
        require(actor, Action.READ_ACCOUNT)
        with self._uow.read_rows() as connection:
            return read_account(connection, actor.user_id, self._quota)

    def pictures(self, actor: Actor) -> int:
        """How many pictures are in the collections that one owns, without the trash."""
        require(actor, Action.READ_ACCOUNT)
        counted = select(func.coalesce(func.sum(Collection.image_count), 0))
        with self._uow.read_rows() as connection:
            own = counted.where(Collection.owner_id == actor.user_id)
            return int(connection.execute(own).scalar_one())

    def choose_theme(self, actor: Actor, theme: str) -> None:
        """Let the pages look so wherever one signs in; ``InvalidInput``."""
        require(actor, Action.WRITE_ACCOUNT)
        if theme not in THEMES:
            raise refuse("theme", "A theme is one of " + ", ".join(THEMES) + ".")
        with self._uow.write() as session:
            _update(session, actor.user_id, theme=theme)

    def rename(self, actor: Actor, name: str) -> AccountView:
        """Change one's own name."""
        require(actor, Action.WRITE_ACCOUNT)
        clean = clean_name(name)
        with self._uow.write() as session:
            _update(session, actor.user_id, name=clean, updated_at=self._clock())
            self._note(session, "account.rename", actor, actor.user_id)
            return read_account(session, actor.user_id, self._quota)

    def change_password(
        self, actor: Actor, *, current: str, new: str, keep_session: str | None
    ) -> None:
        """Change one's own password; every session but ``keep_session`` (a token) ends.

        Raises ``InvalidInput`` at ``current_password`` or ``new_password``.
        """
        require(actor, Action.CHANGE_CREDENTIALS)
        with self._uow.read_rows() as connection:
            account = read_account(connection, actor.user_id, self._quota)
            stored = connection.execute(
                select(User.password_hash).where(User.id == actor.user_id)
            ).scalar_one()
        if not self._passwords.fits(stored, current):
            raise refuse("current_password", "This is not your password.")
        hashed = self._passwords.hash(check_password(new, account.email, "new_password"))
        now = self._clock()
        with self._uow.write() as session:
            _update(
                session,
                actor.user_id,
                password_hash=hashed,
                password_changed_at=now,
                must_change_password=False,
                updated_at=now,
            )
            ended = end_sessions(session, actor.user_id, keep_session)
            self._note(session, "account.password", actor, actor.user_id, {"ended": ended})

    def _new(self, email: str, name: str, password: str, *, is_admin: bool) -> NewAccount:
        address = clean_email(email)
        chosen = check_password(password, address)
        return NewAccount(
            email=address,
            email_index=self._emails.current(address),
            name=clean_name(name),
            password_hash=self._passwords.hash(chosen),
            is_admin=is_admin,
        )

    def _add(
        self, session: Session, new: NewAccount, actor: Actor | None, action: str
    ) -> AccountView:
        indexes = self._emails.candidates(new.email)
        if session.scalar(select(exists().where(User.email_index.in_(indexes)))):
            raise Conflict(
                "There is an account with this e-mail address.", operation="account.create"
            )
        user_id = add_account(session, new, self._clock())
        self._note(session, action, actor or Actor(user_id), user_id, {"admin": new.is_admin})
        return read_account(session, user_id, self._quota)

    def _find(self, email: str) -> _Found:
        chosen = select(User.id, User.password_hash, User.state).where(
            User.email_index.in_(self._emails.candidates(email))
        )
        with self._uow.read_rows() as connection:
            row = connection.execute(chosen).first()
        return _Found(row.id, row.password_hash, row.state == "active") if row else _Found()

    def _signed_in(
        self, session: Session, found: _Found, fresh: str | None
    ) -> AccountView | None:
        """None where the account was disabled, or its password changed, since it was read."""
        still = session.execute(
            select(User.state, User.password_hash).where(User.id == found.id)
        ).first()
        if still is None or tuple(still) != ("active", found.password_hash):
            return None
        values: dict[str, Any] = {"last_login_at": self._clock()}
        if fresh is not None:
            values["password_hash"] = fresh
        _update(session, found.id, **values)
        return read_account(session, found.id, self._quota)

    def _note(
        self,
        session: Session,
        action: str,
        actor: Actor,
        user_id: UUID | None,
        details: dict[str, bool | int] | None = None,
    ) -> None:
        subject = Subject("user", user_id) if user_id else None
        self._audit.append(session, action, actor=actor, subject=subject, details=details)


def _update(session: Session, user_id: UUID | None, **values: Any) -> None:
    session.execute(update(User), [{"id": user_id, **values}])
