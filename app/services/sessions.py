"""Signed-in browsers: an opaque random id in the cookie, its SHA-256 in the table."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.errors import DatabaseUnavailable, DecryptionFailed, NotFound, StoreFull
from app.models import Session as SessionRow
from app.models import User
from app.services.audit import AuditLog, Subject
from app.services.caller import CurrentUser

log = logging.getLogger("darkroom.sessions")
TOKEN_BYTES: Final = 32
#: ``last_seen`` is written at most this often: reading a picture writes nothing.
SEEN_EVERY: Final = timedelta(minutes=5)
MAX_AGENT: Final = 400

_RESOLVED = (
    select(
        SessionRow.created_at,
        SessionRow.last_seen,
        SessionRow.expires_at,
        SessionRow.remember,
        User.id,
        User.is_admin,
        User.must_change_password,
        User.name,
        User.email,
        User.theme,
    )
    .join(User, User.id == SessionRow.user_id)
    .where(User.state == "active", SessionRow.id_hash == bindparam("hashed"))
)

_PLAIN = (
    SessionRow.id_hash,
    SessionRow.created_at,
    SessionRow.last_seen,
    SessionRow.expires_at,
    SessionRow.remember,
)
_DESCRIBED = (*_PLAIN, SessionRow.address, SessionRow.agent)


@dataclass(frozen=True, slots=True)
class NewSession:
    """``token`` goes into the cookie and is kept nowhere; ``expires_at`` is the last moment."""

    id: UUID
    token: str
    expires_at: datetime

    def __repr__(self) -> str:
        return "<NewSession>"


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session as its owner sees it; ``expires_at`` already regards the idle time."""

    id: UUID
    is_current: bool
    agent: str
    address: str
    remember: bool
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionTerms:
    """``idle`` ends a session that was not asked to be remembered, ``longest`` any."""

    idle: timedelta = timedelta(minutes=120)
    longest: timedelta = timedelta(days=14)


class Sessions:
    """A session id is 256 random bits; who reads the table cannot sign in with it."""

    def __init__(
        self,
        uow: UnitOfWork,
        audit: AuditLog,
        terms: SessionTerms | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._audit = audit
        self._terms = terms or SessionTerms()
        self._clock = clock

    def create(
        self, user_id: UUID, *, remember: bool = False, address: str = "", agent: str = ""
    ) -> NewSession:
        """Begin a session after the password was found right."""
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._clock()
        hashed = _hash(token)
        row = {
            "id_hash": hashed,
            "user_id": user_id,
            "created_at": now,
            "last_seen": now,
            "expires_at": now + self._terms.longest,
            "remember": remember,
            "address": _storable(address),
            "agent": _storable(agent),
        }
        with self._uow.write() as session:
            self._forget_expired(session, user_id, now)
            session.execute(insert(SessionRow), [row])
        return NewSession(_public_id(hashed), token, now + self._terms.longest)

    def resolve(self, token: str | None) -> CurrentUser | None:
        """Who a cookie belongs to; None where it is nobody any more. One SELECT.

        A disabled account resolves to None. Writes ``last_seen`` when it is old.
        """
        if not token or len(token) > 128:
            return None
        hashed, now = _hash(token), self._clock()
        with self._uow.read_rows() as connection:
            row = connection.execute(_RESOLVED, {"hashed": hashed}).first()
        if row is None or now >= (ends_at := self._ends(row)):
            return None
        if now - row.last_seen >= SEEN_EVERY:
            self._touch(hashed, now)
        return CurrentUser(
            id=row.id,
            is_admin=row.is_admin,
            must_change_password=row.must_change_password,
            session_id=_public_id(hashed),
            api_key_id=None,
            scopes=None,
            rate=None,
            sealed_name=row.name,
            sealed_email=row.email,
            ends_at=ends_at,
            theme=row.theme,
        )

    def revoke(self, token: str | None) -> None:
        """Log out; says nothing about whether there was such a session."""
        if not token:
            return
        with self._uow.write() as session:
            user_id = session.scalar(
                delete(SessionRow)
                .where(SessionRow.id_hash == _hash(token))
                .returning(SessionRow.user_id)
            )
            if user_id is not None:
                self._audit.append(
                    session,
                    "session.end",
                    actor=Actor(user_id),
                    subject=Subject("user", user_id),
                )

    def revoke_one(self, actor: Actor, session_id: UUID) -> None:
        """End one of one's own sessions; ``NotFound`` for any other."""
        require(actor, Action.CHANGE_CREDENTIALS)
        with self._uow.write() as session:
            hashes = session.scalars(
                select(SessionRow.id_hash).where(SessionRow.user_id == actor.user_id)
            )
            chosen = next((h for h in hashes if _public_id(h) == session_id), None)
            if chosen is None:
                raise NotFound("There is no such session.", operation="session.revoke")
            session.execute(delete(SessionRow).where(SessionRow.id_hash == chosen))
            self._note(session, actor, actor.user_id, 1)

    def revoke_others(self, actor: Actor, keep: str | None) -> int:
        """End all of one's own sessions but the one with the token ``keep``; how many."""
        require(actor, Action.CHANGE_CREDENTIALS)
        with self._uow.write() as session:
            ended = end_sessions(session, actor.user_id, keep)
            self._note(session, actor, actor.user_id, ended)
        return ended

    def revoke_everyone(self, actor: Actor) -> int:
        """End every session of the site, for an administrator; how many."""
        require(actor, Action.MANAGE_USERS)
        with self._uow.write() as session:
            ended = len(session.scalars(delete(SessionRow).returning(SessionRow.id_hash)).all())
            self._note(session, actor, None, ended)
        return ended

    def list(self, actor: Actor, current: str | None) -> tuple[SessionView, ...]:
        """One's own living sessions, the current one first, then the latest seen."""
        require(actor, Action.READ_ACCOUNT)
        here, now = _hash(current or ""), self._clock()
        rows = self._own(actor.user_id)
        views = [self._view(row, here) for row in rows if now < self._ends(row)]
        return tuple(sorted(views, key=lambda v: (v.is_current, v.last_seen_at), reverse=True))

    def _own(self, user_id: UUID | None) -> Sequence[Any]:
        """Without address and agent if one of those does not open: they can still be ended."""
        for columns in (_DESCRIBED, _PLAIN):
            wanted = select(*columns).where(SessionRow.user_id == user_id)
            try:
                with self._uow.read_rows() as connection:
                    return connection.execute(wanted).all()
            except DecryptionFailed as damage:
                log.warning("a session's description does not open", exc_info=damage)
        return ()

    def purge(self) -> int:
        """Take expired sessions out of the table; how many."""
        with self._uow.write() as session:
            return self._forget_expired(session, None, self._clock())

    def _ends(self, row: Any) -> datetime:
        expires: datetime = row.expires_at
        return expires if row.remember else min(expires, row.last_seen + self._terms.idle)

    def _touch(self, hashed: bytes, now: datetime) -> None:
        """Only a convenience: a database that cannot be written now ends no session."""
        with suppress(DatabaseUnavailable, StoreFull), self._uow.write() as session:
            session.execute(
                update(SessionRow).where(SessionRow.id_hash == hashed).values(last_seen=now)
            )

    def _view(self, row: Any, here: bytes) -> SessionView:
        return SessionView(
            id=_public_id(row.id_hash),
            is_current=row.id_hash == here,
            agent=getattr(row, "agent", None) or "",
            address=getattr(row, "address", None) or "",
            remember=row.remember,
            created_at=row.created_at,
            last_seen_at=row.last_seen,
            expires_at=self._ends(row),
        )

    def _forget_expired(self, session: Session, user_id: UUID | None, now: datetime) -> int:
        idle = SessionRow.remember.is_(False) & (SessionRow.last_seen <= now - self._terms.idle)
        chosen = delete(SessionRow).where((SessionRow.expires_at <= now) | idle)
        if user_id is not None:
            chosen = chosen.where(SessionRow.user_id == user_id)
        return len(session.scalars(chosen.returning(SessionRow.id_hash)).all())

    def _note(self, session: Session, actor: Actor, user_id: UUID | None, ended: int) -> None:
        subject = Subject("user", user_id) if user_id else None
        self._audit.append(
            session, "session.revoke", actor=actor, subject=subject, details={"ended": ended}
        )


def end_sessions(session: Session, user_id: UUID | None, keep: str | None = None) -> int:
    """End an account's sessions in the caller's transaction, but the one with this token."""
    chosen = delete(SessionRow).where(SessionRow.user_id == user_id)
    if keep:
        chosen = chosen.where(SessionRow.id_hash != _hash(keep))
    return len(session.scalars(chosen.returning(SessionRow.id_hash)).all())


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _public_id(hashed: bytes) -> UUID:
    """A name for the list of sessions; half of a hash of 256 random bits opens nothing."""
    return UUID(bytes=hashed[:16])


def _storable(text: str) -> str:
    """What a client sent as a header: cut, and without lone surrogates."""
    return text[:MAX_AGENT].encode("utf-8", "replace").decode()
