"""Where one is signed in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response, url_for

from app.blueprints.auth.base import blueprint
from app.web import pages
from app.web.context import services
from app.web.guards import PAGE, gate
from app.web.identity import actor, session_token

BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the page shows it."""

    id: UUID
    is_current: bool
    agent: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@blueprint.get("/auth/sessions")
@gate(PAGE)
def sessions() -> Response:
    """The current one first."""
    rows = [
        SessionRow(
            id=view.id,
            is_current=view.is_current,
            agent=in_words(view.agent),
            address=view.address,
            created_at=view.created_at,
            last_seen_at=view.last_seen_at,
            expires_at=view.expires_at,
        )
        for view in services().sessions.list(actor(), session_token())
    ]
    return pages.render("auth/sessions.html", sessions=rows)


@blueprint.post("/auth/sessions/<uuid:session_id>/revoke")
@gate(PAGE)
def revoke_session(session_id: UUID) -> Response:
    """End one of one's own sessions."""
    services().sessions.revoke_one(actor(), session_id)
    return pages.done(url_for("auth.sessions"), "The session has ended.")


@blueprint.post("/auth/sessions/revoke-others")
@gate(PAGE)
def revoke_other_sessions() -> Response:
    """End all but this one."""
    ended = services().sessions.revoke_others(actor(), session_token())
    what = "1 other session has" if ended == 1 else f"{ended} other sessions have"
    return pages.done(url_for("auth.sessions"), f"{what} ended.")


def in_words(agent: str) -> str:
    """Return ``Firefox on Linux``; the raw text where browser or system is unknown."""
    browser = next((name for mark, name in BROWSERS if mark in agent), None)
    system = next((name for mark, name in SYSTEMS if re.search(mark, agent)), None)
    return f"{browser} on {system}" if browser and system else agent or "Unknown browser"
