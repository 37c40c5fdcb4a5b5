"""What stands before a view: every view declares its gate, and nothing passes without one.

Order: host (routing) - authentication - rate - Content-Length against limit and quota -
CSRF. The form is read last: an anonymous client's body is never read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar
from urllib.parse import quote, urlencode

from flask import Flask, Response, current_app, redirect, request, url_for
from flask_wtf import CSRFProtect
from werkzeug.exceptions import SecurityError

from app.domain.scopes import Scope
from app.errors import (
    AuthenticationFailed,
    FileTooLarge,
    NotFound,
    NotPermitted,
    QuotaExceeded,
)
from app.web.context import services
from app.web.hosts import is_ours
from app.web.identity import Caller, caller
from app.web.request_class import FORM_BYTES

View = TypeVar("View", bound=Callable[..., Any])
Who = Literal["anyone", "signed_in"]
Rate = Literal["none", "page", "api", "media", "upload", "limits"]

_IN_ADDRESSES = "/?&=%:@!$'()*+,;~-._"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
RENEWAL_PAGE = "auth.password"
BOXES_BYTES = 8 << 20
"""The most that a whole set of boxes may hold: 10,000 take 3 MiB as they are answered."""
SLACK = 1 << 20
"""Bytes that a multipart body may hold beside its files."""


@dataclass(frozen=True, slots=True)
class Gate:
    """``by_key``: whether API keys count as signed in. ``files``: the body may be large.
    ``body``: the bytes that a body without files may hold.

    ``scope``: what a key needs before its body is read; elsewhere the services ask.
    ``plain_http``: answered over http even where the site is https.
    ``takes``: a GET of it changes something, so that no link of another site may send it.
    """

    who: Who
    rate: Rate = "page"
    by_key: bool = False
    files: bool = False
    body: int = FORM_BYTES
    scope: Scope | None = None
    plain_http: bool = False
    takes: bool = False


NO_GATE_NEEDED = {
    "static": Gate("anyone", "none"),
    "bootstrap.static": Gate("anyone", "none"),
    "openapi.spec": Gate("anyone", "page"),
}
PAGE = Gate("signed_in", "page")
OPEN_PAGE = Gate("anyone", "page")
MEDIA = Gate("signed_in", "media", by_key=True)
API = Gate("signed_in", "api", by_key=True)
API_TAKES = Gate("signed_in", "api", by_key=True, takes=True)
API_BOXES = Gate("signed_in", "api", by_key=True, body=BOXES_BYTES)
API_UPLOAD = Gate("signed_in", "upload", by_key=True, files=True, scope=Scope.IMAGES_WRITE)
API_LIMITS = Gate("signed_in", "limits", by_key=True, scope=Scope.IMAGES_WRITE)
PROBE = Gate("anyone", "none", plain_http=True)


def gate(declared: Gate) -> Callable[[View], View]:
    """Declare who may call a view, how it is counted and how large its body may be."""

    def declare(view: View) -> View:
        view.gate = declared  # type: ignore[attr-defined]
        return view

    return declare


def gate_of(app: Flask, endpoint: str | None) -> Gate | None:
    """Return the gate of an endpoint; None if it declares none."""
    if endpoint is None:
        return None
    declared: Gate | None = getattr(app.view_functions.get(endpoint), "gate", None)
    return declared or NO_GATE_NEEDED.get(endpoint)


def current_gate() -> Gate | None:
    """Return the gate of the view that this request is for."""
    return gate_of(current_app, request.endpoint)


def check_host() -> None:
    """Refuse a request for another site: links and redirects would lead there."""
    if not is_ours(request.host, current_app.config.get("ALLOWED_HOSTS", ())):
        raise SecurityError


def check_scheme() -> Response | None:
    """Send whoever comes by http to PUBLIC_URL, probes excepted."""
    wanted = current_gate()
    if request.is_secure or (wanted is not None and wanted.plain_http):
        return None
    public_url: str = current_app.config["SETTINGS"].public_url
    asked = request.full_path.rstrip("?")
    return redirect(public_url + quote(asked, safe=_IN_ADDRESSES), 302)  # type: ignore[return-value]


def check_who() -> Response | None:
    """Let nobody in who is not signed in; people are sent to the login page."""
    if request.endpoint is None:
        return None  # routing failed: the 404 or 405 says so
    wanted = current_gate()
    if wanted is None:
        raise NotFound("There is nothing here.", operation="guard.gate")
    if wanted.who == "anyone":
        return None
    who = caller()
    if who is not None and (who.by == "session" or wanted.by_key):
        return _check_standing(who, wanted)
    if who is not None or not _is_a_person():
        raise AuthenticationFailed("Sign in first.", operation="guard.who")
    asked = request.full_path.rstrip("?")
    query = urlencode({"next": asked}) if asked != "/" else ""
    return redirect(f"/auth/login?{query}".rstrip("?"), 303)  # type: ignore[return-value]


def _check_standing(who: Caller, wanted: Gate) -> Response | None:
    """Hold a key to the scope of its gate, and whoever was given a password to changing it."""
    scopes = who.actor.scopes
    if wanted.scope is not None and scopes is not None and wanted.scope not in scopes:
        raise NotPermitted(
            f"This API key may not do that: it takes {wanted.scope.value}.",
            operation="guard.scope",
        )
    if who.by == "key" or not who.user.must_change_password:
        return None
    if request.endpoint == RENEWAL_PAGE:
        return None
    if not _is_a_person():
        raise NotPermitted("Change your password first.", operation="guard.password")
    return redirect(url_for(RENEWAL_PAGE), 303)  # type: ignore[return-value]


def _is_a_person() -> bool:
    """Whoever asks for a page by GET is sent to sign in; programs and forms get a 401."""
    if request.method not in {"GET", "HEAD"} or request.path.startswith("/api/"):
        return False
    return request.headers.get("Authorization") is None and "text/html" in (
        request.accept_mimetypes.values()
    )


def check_length() -> None:
    """Refuse a body by its announced length before a byte of it is read."""
    if request.endpoint is None:
        return  # nobody will read the body
    wanted = current_gate()
    length = request.content_length or 0
    if wanted is None or not wanted.files:
        limit = wanted.body if wanted is not None else FORM_BYTES
        request.max_content_length = limit
    else:
        limit = int(current_app.config["BODY_BYTES"])
        request.max_content_length = limit
        _check_quota(length)
    if length > limit:
        raise FileTooLarge(
            f"The request is larger than {limit >> 20} MiB, the limit for this address.",
            operation="guard.length",
        )


def _check_quota(length: int) -> None:
    who = caller()
    if who is None:
        return
    left = services().ingest.room_left(who.actor)
    if left is not None and length > left + SLACK:
        raise QuotaExceeded(
            "The upload is larger than the space that you have left.", operation="guard.quota"
        )


def check_csrf(csrf: CSRFProtect) -> None:
    """Ask every writing request of a browser for its token; a key needs none."""
    reads, wanted = request.method in READING, current_gate()
    takes = wanted is not None and wanted.takes
    if request.endpoint is None or (reads and not takes):
        return  # who asks is no question here: probes and signed addresses take any header
    who = caller()
    if who is not None and who.by == "key":
        return
    if reads:
        _check_sender()
    else:
        csrf.protect()


def _check_sender() -> None:
    """Refuse a GET that changes something where a browser says that another site sent it.

    https://www.w3.org/TR/fetch-metadata/: every current browser does; a program sends none.
    """
    if request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}:
        raise NotPermitted(
            "This takes something, and another site asked for it. Send it as POST.",
            operation="guard.sender",
        )
