"""Headers on every answer: CSP without inline, framing, HSTS, caching, request id."""

from __future__ import annotations

import re
import uuid

from flask import Flask, Response, g, request
from flask_talisman import Talisman

from app.logs import request_id

CSP = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "media-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "manifest-src": "'self'",
}
MEDIA_CSP = "sandbox; default-src 'none'"
HSTS_SECONDS = 63_072_000
_REQUEST_ID = re.compile(r"[A-Za-z0-9\-]{8,64}")


def install(app: Flask, talisman: Talisman, *, https: bool) -> None:
    """Set the headers of pages; media answers replace the CSP with their own.

    ``_finish`` is registered before Talisman, hence runs after it and has the last word.
    """
    app.before_request(_name_the_request)
    app.after_request(_finish)
    talisman.init_app(
        app,
        force_https=False,  # guards.check_scheme redirects, and spares the probes
        session_cookie_secure=https,
        session_cookie_samesite="Lax",
        strict_transport_security=https,
        strict_transport_security_max_age=HSTS_SECONDS,
        content_security_policy=CSP,
        frame_options="DENY",
        referrer_policy="same-origin",  # not no-referrer: CSRF on https needs the Referer
        permissions_policy={"browsing-topics": "()", "camera": "()", "geolocation": "()"},
        x_xss_protection=False,
    )


def cache_of_media(setting: str) -> str:
    """Return the Cache-Control of a picture for the setting MEDIA_CACHE."""
    return "no-store" if setting == "off" else "private, no-cache"


def media_headers(*, https: bool) -> list[tuple[str, str]]:
    """Return what Talisman and ``_finish`` set on a media answer, for the short way."""
    always = [
        ("Permissions-Policy", "browsing-topics=(), camera=(), geolocation=()"),
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", MEDIA_CSP),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ]
    secure = ("Strict-Transport-Security", f"max-age={HSTS_SECONDS}; includeSubDomains")
    return [*always, secure] if https else always


def name_of_request(offered: str) -> str:
    """Return the request's id, the offered one if it is sound; logs name it from now on."""
    name = offered if _REQUEST_ID.fullmatch(offered) else str(uuid.uuid4())
    request_id.set(name)
    return name


def _name_the_request() -> None:
    g.request_id = name_of_request(request.headers.get("X-Request-ID", ""))


def _finish(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id", "-")
    response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if g.get("is_media", False):
        response.headers["Content-Security-Policy"] = MEDIA_CSP
    if (request.endpoint or "").endswith("static"):
        response.headers["Cache-Control"] = "public, no-cache"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    return response
