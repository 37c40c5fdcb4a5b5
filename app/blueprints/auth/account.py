"""One's own account: name, theme, space used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Response, current_app, request, url_for

from app.blueprints.auth.base import blueprint
from app.errors import DarkroomError
from app.services.accounts import THEMES
from app.web import pages
from app.web.context import services
from app.web.forms import one_of
from app.web.frame import THEME_COOKIE
from app.web.guards import PAGE, gate
from app.web.identity import actor

ONE_YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What the page shows; sizes in bytes."""

    name: str
    email: str
    created_at: datetime
    used_bytes: int
    quota_bytes: int | None
    pictures: int


@blueprint.get("/account")
@gate(PAGE)
def account() -> Response:
    """Name, theme, space."""
    return pages.render("account/page.html", account=_facts())


@blueprint.post("/account", endpoint="edit_account")
@gate(PAGE)
def edit_account() -> Response:
    """Change the name, or how the pages look wherever one signs in."""
    try:
        theme = one_of(request.form.get("theme"), "theme", THEMES)
        if "name" in request.form:
            services().accounts.rename(actor(), request.form["name"])
        if theme is not None:
            services().accounts.choose_theme(actor(), theme)
    except DarkroomError as error:
        return pages.again("account/page.html", error, account=_facts())
    answer = pages.done(url_for("auth.account"), "Saved.")
    if theme is not None:
        secure = current_app.config["SETTINGS"].https
        # For pages without an account. Not HttpOnly: static/js/frame/page.js writes it too.
        answer.set_cookie(THEME_COOKIE, theme, max_age=ONE_YEAR, samesite="Lax", secure=secure)
    return answer


def _facts() -> AccountFacts:
    who = actor()
    found = services().accounts.get(who)
    return AccountFacts(
        name=found.name,
        email=found.email,
        created_at=found.created_at,
        used_bytes=found.usage.used,
        quota_bytes=found.usage.limit,
        pictures=services().accounts.pictures(who),
    )
