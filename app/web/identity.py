"""Who is asking: a signed-in browser by its cookie, or a program by its API key.

The cookie is Flask's signed one and holds an opaque session id and the CSRF token; the
table holds the hash of that id. Flask-Login only resolves it: its own cookies would go on
working after a logout.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Request, g, session
from flask_login import UserMixin, current_user

from app.domain.access import ANONYMOUS, Actor
from app.errors import AuthenticationFailed, DarkroomError
from app.web.context import services

if TYPE_CHECKING:
    from app.services.caller import CurrentUser

log = logging.getLogger("darkroom.web")
SESSION_ID = "sid"
BEARER = "Bearer "


@dataclass(frozen=True, slots=True)
class Caller(UserMixin):  # type: ignore[misc]
    """The account behind this request, and how it showed who it is."""

    user: CurrentUser

    def get_id(self) -> str:
        return str(self.user.id)

    @property
    def by(self) -> str:
        """``session`` or ``key``."""
        return "session" if self.user.api_key_id is None else "key"

    @property
    def user_id(self) -> UUID:
        return self.user.id

    @property
    def actor(self) -> Actor:
        return self.user.actor


def resolve(request: Request) -> Caller | None:
    """Flask-Login's request loader; AuthenticationFailed for a key that is none.

    A request that shows a key is judged by that key alone, whatever cookie comes along.
    """
    header = request.headers.get("Authorization")
    if header is not None:
        return _by_key(header)
    token = session.get(SESSION_ID)
    user = services().sessions.resolve(token) if isinstance(token, str) else None
    return Caller(user) if user is not None else None


def _by_key(header: str) -> Caller:
    scheme, _, key = header.partition(" ")
    user = services().api_keys.resolve(key.strip()) if scheme.lower() == "bearer" else None
    if user is None:
        raise AuthenticationFailed(
            "This API key is not valid. It may have expired or been revoked.",
            operation="identity.key",
        )
    return Caller(user)


def caller() -> Caller | None:
    """Return who is asking, resolved once a request; None for nobody."""
    user: Any = current_user
    return cast("Caller", user._get_current_object()) if user.is_authenticated else None  # noqa: SLF001


def actor() -> Actor:
    """Return who is asking as `domain.access` wants it."""
    who = caller()
    return who.actor if who is not None else ANONYMOUS


def session_token() -> str | None:
    """Return the session id of this browser's cookie."""
    token = session.get(SESSION_ID)
    return token if isinstance(token, str) else None


def sign_in(user_id: UUID, *, remember: bool, address: str, agent: str) -> None:
    """Begin a session in this browser; whatever its cookie held before is gone."""
    new = services().sessions.create(user_id, remember=remember, address=address, agent=agent)
    session.clear()
    session[SESSION_ID] = new.token
    session.permanent = remember
    g.pop("_login_user", None)


def sign_out() -> bool:
    """Empty the cookie and end the session on the server; False if only the cookie went.

    A full disk or a database that is away must not leave somebody signed in here.
    """
    token = session_token()
    session.clear()
    g.pop("_login_user", None)
    try:
        services().sessions.revoke(token)
    except DarkroomError as error:
        log.warning("a session could not be ended on the server", exc_info=error)
        return False
    return True
