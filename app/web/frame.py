"""What every page shows around its content; see app/templates/README.md."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, request

from app.domain.access import Role
from app.errors import DarkroomError
from app.services.accounts import THEMES
from app.web.collection_tabs import Tab, tabs_of
from app.web.context import services
from app.web.identity import caller

log = logging.getLogger("darkroom.pages")
THEME_COOKIE = "theme"


@dataclass(frozen=True, slots=True)
class FrameUser:
    """Who is signed in."""

    id: UUID
    name: str
    email: str
    is_admin: bool


@dataclass(frozen=True, slots=True)
class FrameCollection:
    """A collection of the switcher; ``role``: the caller's, where somebody asks for it."""

    slug: str
    name: str
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """``collection`` is the one that the page is about, ``tabs`` its other pages; None: all
    pictures."""

    user: FrameUser | None
    theme: str
    collections: tuple[FrameCollection, ...]
    collection: FrameCollection | None
    tabs: tuple[Tab, ...]
    open_jobs: int
    registration_open: bool


def install(app: Flask) -> None:
    """Give every template ``frame``; an error page does without if it cannot be had."""
    app.context_processor(_context)


def set_collection(slug: str | None) -> None:
    """Say which collection this page is about."""
    g.frame_slug = slug


def frame_collections() -> tuple[FrameCollection, ...]:
    """Return the caller's collections, asked once a request."""
    if "frame_collections" not in g:
        who = caller()
        places = services().library.places(who.actor) if who is not None else ()
        g.frame_collections = tuple(FrameCollection(p.slug, p.name, p.role) for p in places)
    found: tuple[FrameCollection, ...] = g.frame_collections
    return found


def theme() -> str:
    """Return the theme that the account chose, else the one that this browser asked for."""
    who = caller()
    chosen = who.user.theme if who is not None else None
    wanted = chosen or request.cookies.get(THEME_COOKIE, "")
    return wanted if wanted in THEMES else "system"


def _context() -> dict[str, Any]:
    try:
        return {"frame": _frame()}
    except DarkroomError as error:
        log.warning("a page is shown without its frame", exc_info=error)
        return {}


def _frame() -> Frame:
    who = caller()
    own = frame_collections()
    slug = g.get("frame_slug")
    about = next((each for each in own if each.slug == slug), None)
    return Frame(
        user=None
        if who is None
        else FrameUser(who.user.id, who.user.name, who.user.email, who.user.is_admin),
        theme=theme(),
        collections=own,
        collection=about,
        tabs=tabs_of(who.actor, about.role) if who and about and about.role else (),
        open_jobs=services().jobs.count_open(who.actor) if who is not None else 0,
        registration_open=current_app.config["SETTINGS"].registration_open,
    )
