"""``/gallery`` and ``/trash``: keyset pages that work as links and load on as one scrolls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flask import Response, current_app, request, url_for

from app.blueprints.gallery.base import blueprint
from app.domain.access import Role
from app.domain.states import AnnotationState
from app.services.cursor import decode_cursor
from app.services.library import Place
from app.services.listing import ListQuery, Page, Sort
from app.web import forms, gallery_view, pages
from app.web.context import services
from app.web.frame import FrameCollection, set_collection
from app.web.guards import PAGE, gate
from app.web.identity import actor

PAGE_SIZE = 90
KEPT = ("collection", "tag", "state", "view", "sort", "month")
SORTS = {"date": (Sort.UPLOADED_DESC, Sort.UPLOADED), "size": (Sort.SIZE_DESC, Sort.SIZE)}
TITLES = {"date": "Date", "size": "Size"}


@dataclass(frozen=True, slots=True)
class SortLink:
    """A column of the list that can be sorted; ``direction`` is None if it is not active."""

    key: str
    title: str
    url: str
    direction: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """An active filter, and the page without it."""

    name: str
    value: str
    remove_url: str


@blueprint.get("/gallery")
@gate(PAGE)
def page() -> Response:
    """One page of the time line."""
    arguments = _arguments()
    slug = arguments.get("collection")
    set_collection(slug)
    query = _query(arguments)
    found = services().library.page(actor(), query, slug=slug, tag=arguments.get("tag"))
    return pages.render("gallery/page.html", **_context(arguments, query, found))


@blueprint.get("/trash")
@gate(PAGE)
def trash() -> Response:
    """What can be restored, with the date of its destruction."""
    query = ListQuery(
        limit=PAGE_SIZE, trashed=True, cursor=decode_cursor(request.args.get("cursor"))
    )
    found = services().library.page(actor(), query, least=Role.EDITOR)
    places = services().library.places(actor())
    return pages.render(
        "gallery/trash.html",
        tiles=tuple(gallery_view.trash_tile(card) for card in found.cards),
        next_url=url_for("gallery.trash", cursor=found.next_cursor)
        if found.next_cursor
        else None,
        trash_days=current_app.config["SETTINGS"].trash_days,
        can_destroy=any(place.role >= Role.EDITOR for place in places),
    )


def _arguments() -> dict[str, str]:
    return {name: request.args[name] for name in KEPT if request.args.get(name)}


def _query(arguments: Mapping[str, str]) -> ListQuery:
    sort = forms.one_of(arguments.get("sort"), "sort", [order.value for order in Sort])
    state = [state.value for state in AnnotationState]
    return ListQuery(
        sort=Sort(sort or Sort.UPLOADED_DESC.value),
        limit=PAGE_SIZE,
        cursor=decode_cursor(request.args.get("cursor")),
        state=forms.one_of(arguments.get("state"), "state", state),
        until=_end_of(arguments.get("month")),
    )


def _end_of(month: str | None) -> datetime | None:
    """Return the first moment after a month such as ``2026-11``."""
    if month is None:
        return None
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", month, re.ASCII)
    if match is None or int(match[1]) == 0 or match[1] == "9999":
        raise forms.wrong("month", "must be a month such as 2026-11")
    year, number = int(match[1]), int(match[2])
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def _context(arguments: dict[str, str], query: ListQuery, found: Page) -> dict[str, Any]:
    slug = arguments.get("collection")
    places = services().library.places(actor())
    here = [place for place in places if slug in {None, place.slug}]
    totals = services().library.months(actor(), slug)
    is_filtered = any(name in arguments for name in ("tag", "state"))
    counts = {} if is_filtered else {total.month: total.count for total in totals}
    begun = {name: value for name, value in arguments.items() if name != "month"}
    inside = query.cursor is not None or "month" in arguments
    return {
        "months": gallery_view.months(found.cards, counts),
        "view": "list" if arguments.get("view") == "list" else "grid",
        "sorts": _sorts(arguments, query.sort),
        "grid_url": gallery_view.page_url(arguments, view="grid"),
        "list_url": gallery_view.page_url(arguments, view="list"),
        "next_url": gallery_view.page_url(arguments, cursor=found.next_cursor)
        if found.next_cursor
        else None,
        "newer_url": gallery_view.page_url(begun) if inside else None,
        "filters": _filters(arguments),
        "scrubber": () if is_filtered else gallery_view.scrubber(totals, begun),
        "total": None if is_filtered else sum(total.count for total in totals),
        "suggested_tags": services().library.tag_names(actor(), slug),
        **_abilities(here, places),
    }


def _abilities(here: list[Place], places: tuple[Place, ...]) -> dict[str, Any]:
    editable = any(place.role >= Role.EDITOR for place in here)
    targets = tuple(
        FrameCollection(place.slug, place.name) for place in places if place.role >= Role.EDITOR
    )
    return {
        "can_edit": editable,
        "can_trash": editable,
        "can_upload": editable,
        "max_upload_bytes": current_app.config["SETTINGS"].upload_max_size,
        "move_targets": targets,
    }


def _sorts(arguments: Mapping[str, str], active: Sort) -> tuple[SortLink, ...]:
    links = []
    for key, (down, up) in SORTS.items():
        direction = {down: "desc", up: "asc"}.get(active)
        follow = up if active is down else down
        url = gallery_view.page_url(arguments, sort=follow.value)
        links.append(SortLink(key, TITLES[key], url, direction))
    return tuple(links)


def _filters(arguments: Mapping[str, str]) -> tuple[Filter, ...]:
    titles = {"tag": "Tag", "state": "State"}
    return tuple(
        Filter(
            titles[name],
            arguments[name].replace("_", " "),
            gallery_view.page_url({k: v for k, v in arguments.items() if k != name}),
        )
        for name in titles
        if name in arguments
    )
