"""What ``/`` is: set-up page, login page or gallery."""

from __future__ import annotations

from typing import Any

from flask import Response, request, url_for

from app.domain.credentials import MIN_PASSWORD
from app.web import pages
from app.web.context import services
from app.web.identity import caller

LOOPBACK = frozenset({"127.0.0.1", "::1"})


def front_door() -> Response:
    """Return the page that whoever comes needs next."""
    if caller() is not None:
        return pages.done(url_for("gallery.page"))
    if services().accounts.is_empty():
        return pages.render("auth/setup.html", **setup_context())
    return pages.render("auth/login.html", next=None)


def needs_code() -> bool:
    """Whoever is not on this machine itself shows that they can read the server's log."""
    forwarded = request.environ.get("darkroom.forwarded", False)
    return request.remote_addr not in LOOPBACK or bool(forwarded)


def setup_context() -> dict[str, Any]:
    """Return what the set-up page is given."""
    return {"needs_code": needs_code(), "min_password": MIN_PASSWORD}
