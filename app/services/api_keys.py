"""API keys: ``dk_``, eight hex digits that lists show, and 256 random bits in hex.

The key is shown once; its SHA-256 is kept (a hash without salt is enough for 256 bits).
"""

from __future__ import annotations

import builtins
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, allows, require
from app.domain.ids import new_id
from app.domain.limits import MAX_API_KEYS, clean_rate
from app.domain.names import clean_name, refuse
from app.domain.scopes import Scope, grantable, parse_scopes
from app.errors import Conflict, DatabaseUnavailable, NotFound, StoreFull
from app.models import ApiKey, User
from app.services.audit import AuditLog, Subject
from app.services.caller import UNREADABLE, CurrentUser

MARK: Final = "dk_"
PREFIX_DIGITS: Final = 8
SECRET_BYTES: Final = 32
KEY_LENGTH: Final = len(MARK) + PREFIX_DIGITS + 2 * SECRET_BYTES
USED_EVERY: Final = timedelta(minutes=5)
LONGEST: Final = timedelta(days=3650)

_RESOLVED = (
    select(
        ApiKey.id.label("key_id"),
        ApiKey.scopes,
        ApiKey.rate,
        ApiKey.expires_at,
        ApiKey.last_used_at,
        User.id,
        User.is_admin,
        User.must_change_password,
        User.name,
        User.email,
    )
    .join(User, User.id == ApiKey.user_id)
    .where(User.state == "active", ApiKey.revoked_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """``key`` is shown this once."""

    id: UUID
    key: str
    prefix: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    rate: str | None

    def __repr__(self) -> str:
        return f"<NewApiKey {self.prefix}>"


@dataclass(frozen=True, slots=True)
class ApiKeyView:
    id: UUID
    user_id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None


class ApiKeys:
    """Makes, resolves, lists and revokes keys."""

    def __init__(
        self, uow: UnitOfWork, audit: AuditLog, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._uow = uow
        self._audit = audit
        self._clock = clock

    def create(
        self,
        actor: Actor,
        *,
        name: str,
        scopes: Iterable[str],
        expires: timedelta | None = None,
        rate: str | None = None,
    ) -> NewApiKey:
        """Make a key for the actor's own account; ``expires`` None: never.

        ``rate`` ("600 per minute") is the key's own limit; only an administrator gives one.

        Raises ``InvalidInput`` for a bad name, scope or time, ``Conflict`` at 100 keys.
        """
        require(actor, Action.WRITE_ACCOUNT)
        if rate is not None:
            require(actor, Action.MANAGE_USERS)
        return self._make(actor, actor, name, scopes, expires, rate)

    def create_for(
        self,
        operator: Actor,
        owner: Actor,
        *,
        name: str,
        scopes: Iterable[str],
        expires: timedelta | None = None,
        rate: str | None = None,
    ) -> NewApiKey:
        """Make a key for another's account, on the command line: with such a key an
        administrator would see what only its owner sees.
        """
        require(operator, Action.ACT_FOR_OTHERS)
        return self._make(operator, owner, name, scopes, expires, rate)

    def _make(
        self,
        maker: Actor,
        actor: Actor,
        name: str,
        scopes: Iterable[str],
        expires: timedelta | None,
        rate: str | None,
    ) -> NewApiKey:
        granted = parse_scopes(scopes, grantable(actor.is_admin, actor.scopes))
        prefix = MARK + secrets.token_hex(PREFIX_DIGITS // 2)
        new = NewApiKey(
            id=new_id(),
            key=prefix + secrets.token_hex(SECRET_BYTES),
            prefix=prefix,
            name=clean_name(name),
            scopes=_in_order(granted),
            expires_at=self._expiry(expires),
            rate=clean_rate(rate),
        )
        with self._uow.write() as session:
            self._check_number(session, actor)
            session.execute(insert(ApiKey), [self._row(new, actor)])
            self._note(session, "api_key.create", maker, new.id)
        return new

    def resolve(self, key: str | None) -> CurrentUser | None:
        """Who a key belongs to; None for one that is revoked, expired or was never made.

        One SELECT. The scope ``admin`` is void once its owner is no administrator.
        """
        if not key or len(key) != KEY_LENGTH or not key.startswith(MARK):
            return None
        now = self._clock()
        with self._uow.read_rows() as connection:
            row = connection.execute(_RESOLVED.where(ApiKey.key_hash == _hash(key))).first()
        if row is None or (row.expires_at is not None and now >= row.expires_at):
            return None
        if row.last_used_at is None or now - row.last_used_at >= USED_EVERY:
            self._touch(row.key_id, now)
        scopes = frozenset(Scope(word) for word in _words(row.scopes))
        return CurrentUser(
            id=row.id,
            is_admin=row.is_admin,
            must_change_password=row.must_change_password,
            session_id=None,
            api_key_id=row.key_id,
            scopes=scopes & grantable(row.is_admin),
            rate=row.rate,
            sealed_name=row.name,
            sealed_email=row.email,
        )

    def list(self, actor: Actor) -> tuple[ApiKeyView, ...]:
        """The actor's own keys, newest first; revoked ones too."""
        require(actor, Action.READ_ACCOUNT)
        return self._views(ApiKey.user_id == actor.user_id)

    def list_of(self, actor: Actor, user_id: UUID) -> tuple[ApiKeyView, ...]:
        """The keys of an account, for an administrator."""
        require(actor, Action.MANAGE_USERS)
        return self._views(ApiKey.user_id == user_id)

    def revoke(self, actor: Actor, key_id: UUID) -> None:
        """End a key of one's own, or anybody's as an administrator. Twice is no error.

        Raises ``NotFound`` for a key that there is not, or that is another's.
        """
        anybodys = allows(actor, Action.MANAGE_USERS)
        if not anybodys:
            require(actor, Action.WRITE_ACCOUNT)
        chosen = select(ApiKey.user_id, ApiKey.revoked_at).where(ApiKey.id == key_id)
        with self._uow.write() as session:
            row = session.execute(chosen).first()
            if row is None or not (anybodys or row.user_id == actor.user_id):
                raise NotFound("There is no such key.", operation="api_key.revoke")
            if row.revoked_at is None:
                self._revoke(session, ApiKey.id == key_id)
                self._note(session, "api_key.revoke", actor, key_id)

    def revoke_everyone(self, actor: Actor) -> int:
        """End every key of the site, for an administrator; how many."""
        require(actor, Action.MANAGE_USERS)
        with self._uow.write() as session:
            ended = self._revoke(session, ApiKey.revoked_at.is_(None))
            self._audit.append(
                session, "api_key.revoke_all", actor=actor, details={"ended": ended}
            )
        return ended

    def _revoke(self, session: Session, which: Any) -> int:
        chosen = update(ApiKey).where(which).values(revoked_at=self._clock())
        done = chosen.returning(ApiKey.id).execution_options(synchronize_session=False)
        return len(session.execute(done).all())

    def _expiry(self, expires: timedelta | None) -> datetime | None:
        if expires is None:
            return None
        if not timedelta(0) < expires <= LONGEST:
            raise refuse("expires", "A key lives for at least a moment and at most ten years.")
        return self._clock() + expires

    def _check_number(self, session: Session, actor: Actor) -> None:
        living = session.scalar(
            select(func.count())
            .select_from(ApiKey)
            .where(ApiKey.user_id == actor.user_id, ApiKey.revoked_at.is_(None))
        )
        if (living or 0) >= MAX_API_KEYS:
            raise Conflict(
                f"An account has at most {MAX_API_KEYS} keys. Revoke one first.",
                operation="api_key.create",
            )

    def _row(self, new: NewApiKey, actor: Actor) -> dict[str, Any]:
        return {
            "id": new.id,
            "user_id": actor.user_id,
            "key_hash": _hash(new.key),
            "prefix": new.prefix,
            "name": new.name,
            "scopes": json.dumps(new.scopes),
            "created_at": self._clock(),
            "expires_at": new.expires_at,
            "rate": new.rate,
        }

    def _touch(self, key_id: UUID, now: datetime) -> None:
        """Only a convenience: a database that cannot be written now refuses no key."""
        with suppress(DatabaseUnavailable, StoreFull), self._uow.write() as session:
            session.execute(update(ApiKey).where(ApiKey.id == key_id).values(last_used_at=now))

    def _note(self, session: Session, action: str, actor: Actor, key_id: UUID) -> None:
        self._audit.append(session, action, actor=actor, subject=Subject("api_key", key_id))

    def _views(self, which: Any) -> tuple[ApiKeyView, ...]:
        chosen = select(ApiKey.__table__).where(which).order_by(ApiKey.created_at.desc())
        with self._uow.read_rows() as connection:
            return tuple(_view(row) for row in connection.execute(chosen))


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def _in_order(scopes: frozenset[Scope]) -> tuple[str, ...]:
    return tuple(scope.value for scope in Scope if scope in scopes)


def _words(kept: str) -> builtins.list[str]:
    """The scopes of a row; a word that is none any more grants nothing."""
    return [word for word in json.loads(kept) if word in frozenset(Scope)]


def _view(row: Row[Any]) -> ApiKeyView:
    return ApiKeyView(
        id=row.id,
        user_id=row.user_id,
        name=row.name.told(row.id, UNREADABLE),
        prefix=row.prefix,
        scopes=tuple(_words(row.scopes)),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
