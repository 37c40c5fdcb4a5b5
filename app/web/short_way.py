"""The short way of thumbnails and previews: what browsers ask for most, without Flask.

Flask and its guards cost a thumbnail more than the decision, the read and the decryption
together. This asks the same services in the same order and knows two answers: the picture
(200) and "you have it" (304). Whatever else there is to say (nobody is signed in, no such
picture, damage, a vault that is down) is left to Flask, which asks again and says it as
always: nothing is refused here, and nothing is let through that Flask would not.

Who a cookie belongs to and what was decided for them is remembered for as long as nobody has
committed anything to the database; the file itself is read and verified every time.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadSignature
from werkzeug.http import parse_cookie, parse_etags

from app import metrics
from app.db.times import utc_now
from app.domain.access import Actor
from app.errors import DarkroomError
from app.services.delivery import Ticket
from app.web.context import House
from app.web.headers import media_headers, name_of_request
from app.web.hosts import is_ours
from app.web.identity import SESSION_ID
from app.web.media_types import derivative_type
from app.web.remembered import Remembered

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Answer = tuple[str, list[tuple[str, str]], bytes]

_DERIVATIVE = re.compile(
    r"/images/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/(?:preview|thumb/([1-9]\d{0,3}))"
)
# Nothing but time ends what is remembered without a commit, and that is reckoned with; yet
# ``last_seen`` of a session has to be written now and then.
REMEMBER_SECONDS = 30.0
# With one of these a request is no plain look at a picture: a key, or a body to be read.
_UNUSUAL = ("HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING")


class ShortWay:
    """WSGI middleware between the trusted proxies and Flask."""

    def __init__(self, app: Flask, cache: str) -> None:
        """``cache``: the Cache-Control of a derivative."""
        self._next: WSGIApplication = app.wsgi_app
        self._house = cast("House", app.extensions["darkroom"])
        self._https = bool(app.config["SESSION_COOKIE_SECURE"])
        self._cookie = str(app.config["SESSION_COOKIE_NAME"])
        self._signer = SecureCookieSessionInterface().get_signing_serializer(app)
        self._cookie_age = int(app.permanent_session_lifetime.total_seconds())
        self._cache = cache
        self._callers: Remembered[tuple[Actor, datetime | None]] = Remembered(REMEMBER_SECONDS)
        self._tickets: Remembered[Ticket] = Remembered(REMEMBER_SECONDS)
        self._media_headers = media_headers(https=self._https)
        hosts = app.config["ALLOWED_HOSTS"]
        self._is_ours = lru_cache(64)(lambda host: is_ours(host, hosts))

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        began = time.perf_counter()
        asked = _DERIVATIVE.fullmatch(environ.get("PATH_INFO", ""))
        answer = self._answer(environ, asked) if asked is not None else None
        if asked is None or answer is None:
            return self._next(environ, start_response)
        status, headers, body = answer
        start_response(status, headers)
        endpoint = "serving.thumb" if asked[2] else "serving.preview"
        metrics.observe_request(endpoint, "GET", int(status[:3]), began)
        return [body]

    def _answer(self, environ: WSGIEnvironment, asked: re.Match[str]) -> Answer | None:
        """The 200 or 304; None: let Flask decide."""
        if not self._is_plain(environ):
            return None
        try:
            return self._media(environ, asked)
        except (DarkroomError, UnicodeError):  # the latter of a cookie that is no UTF-8
            return None

    def _is_plain(self, environ: WSGIEnvironment) -> bool:
        """A GET without a body, for a host of ours, and by https where that is asked for."""
        return (
            environ["REQUEST_METHOD"] == "GET"
            and environ.get("CONTENT_LENGTH") in (None, "", "0")
            and not any(name in environ for name in _UNUSUAL)
            and (not self._https or environ["wsgi.url_scheme"] == "https")
            and self._is_ours(environ.get("HTTP_HOST", ""))
        )

    def _ticket(self, environ: WSGIEnvironment, asked: re.Match[str]) -> Ticket | None:
        """The decision; None where it is not ours."""
        stamp = self._house.freshness.stamp()
        signed = parse_cookie(environ.get("HTTP_COOKIE", "")).get(self._cookie)
        if signed is None:
            return None
        known = self._tickets.get((signed, asked[0]), stamp)
        if known is not None:
            return known
        caller = self._callers.get(signed, stamp) or self._caller(signed)
        if caller is None:
            return None
        left = _seconds_until(caller[1])
        self._callers.put(signed, stamp, caller, left)
        ticket = self._decide(caller[0], asked)
        ends = min(filter(None, (caller[1], ticket.image.expires_at)), default=None)
        self._tickets.put((signed, asked[0]), stamp, ticket, _seconds_until(ends))
        return ticket

    def _caller(self, signed: str) -> tuple[Actor, datetime | None] | None:
        """Who is signed in; None also for whoever has to change the password first."""
        if self._signer is None:
            return None
        try:
            held: dict[str, Any] = self._signer.loads(signed, max_age=self._cookie_age)
        except BadSignature:
            return None
        token = held.get(SESSION_ID)
        user = self._house.services.sessions.resolve(token) if isinstance(token, str) else None
        if user is None or user.must_change_password:
            return None
        return user.actor, user.ends_at

    def _decide(self, actor: Actor, asked: re.Match[str]) -> Ticket:
        delivery, image_id = self._house.services.delivery, UUID(asked[1])
        if asked[2]:
            return delivery.thumbnail(actor, image_id, int(asked[2]))
        return delivery.preview(actor, image_id)

    def _media(self, environ: WSGIEnvironment, asked: re.Match[str]) -> Answer | None:
        ticket = self._ticket(environ, asked)
        if ticket is None:
            return None
        headers = self._headers(environ, ticket)
        if parse_etags(environ.get("HTTP_IF_NONE_MATCH")).contains_weak(ticket.etag):
            return "304 NOT MODIFIED", headers, b""
        data = self._house.services.delivery.read(ticket)
        headers += (
            ("Content-Type", derivative_type(data)),
            ("Content-Length", str(len(data))),
            ("Accept-Ranges", "none"),
            ("Content-Disposition", "inline"),
        )
        return "200 OK", headers, data

    def _headers(self, environ: WSGIEnvironment, ticket: Ticket) -> list[tuple[str, str]]:
        return [
            *self._media_headers,
            ("X-Request-ID", name_of_request(environ.get("HTTP_X_REQUEST_ID", ""))),
            ("ETag", f'"{ticket.etag}"'),
            ("Cache-Control", self._cache),
            ("Vary", "Cookie, Authorization"),
        ]


def _seconds_until(*moments: datetime | None) -> float:
    """Until the first of them; None never comes."""
    known = [moment for moment in moments if moment is not None]
    return (min(known) - utc_now()).total_seconds() if known else math.inf
