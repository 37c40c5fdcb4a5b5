"""One's own API keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.blueprints.auth.base import blueprint
from app.domain.scopes import SCOPE_TITLES, Scope, grantable
from app.errors import DarkroomError
from app.web import pages
from app.web.context import services
from app.web.forms import wrong
from app.web.guards import PAGE, gate
from app.web.identity import actor

LIFETIMES = {"30": 30, "90": 90, "365": 365, "": None}


@dataclass(frozen=True, slots=True)
class ScopeChoice:
    """A box to tick."""

    value: str
    title: str
    checked: bool


@blueprint.get("/auth/api-keys")
@gate(PAGE)
def api_keys() -> Response:
    """The keys, and the form that makes one."""
    return pages.render("auth/api_keys.html", new_key=None, **_context(frozenset()))


@blueprint.post("/auth/api-keys", endpoint="create_api_key")
@gate(PAGE)
def create_api_key() -> Response:
    """Make a key; it is on this answer and on no other."""
    scopes = request.form.getlist("scopes")
    try:
        made = services().api_keys.create(
            actor(),
            name=request.form.get("name", ""),
            scopes=scopes,
            expires=_lifetime(request.form.get("expires_days", "")),
        )
    except DarkroomError as error:
        context = _context(frozenset(scopes))
        return pages.again("auth/api_keys.html", error, new_key=None, **context)
    return pages.render("auth/api_keys.html", 201, new_key=made.key, **_context(frozenset()))


@blueprint.post("/auth/api-keys/<uuid:key_id>/revoke")
@gate(PAGE)
def revoke_api_key(key_id: UUID) -> Response:
    """End a key at once."""
    services().api_keys.revoke(actor(), key_id)
    return pages.done(url_for("auth.api_keys"), "The key is revoked.")


def _context(checked: frozenset[str]) -> dict[str, Any]:
    who = actor()
    allowed = grantable(who.is_admin)
    choices = [
        ScopeChoice(scope.value, SCOPE_TITLES[scope], scope.value in checked)
        for scope in Scope
        if scope in allowed
    ]
    return {"keys": services().api_keys.list(who), "scopes": choices}


def _lifetime(days: str) -> timedelta | None:
    if days not in LIFETIMES:
        raise wrong("expires_days", "must be 30, 90, 365 or empty")
    chosen = LIFETIMES[days]
    return timedelta(days=chosen) if chosen is not None else None
