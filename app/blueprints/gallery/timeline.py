"""``/gallery`` and ``/trash``: keyset pages that work as links and load on as one scrolls."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask import Response, current_app, request, url_for

from app.blueprints.gallery.base import blueprint
from app.domain.access import Action, CollectionFacts, Role, allows
from app.domain.search_terms import SearchTerms
from app.errors import InvalidInput
from app.services.cursor import decode_cursor
from app.services.library import Place
from app.services.listing import ListQuery, Sort
from app.services.saved_filters import KEPT
from app.services.search import Found
from app.web import forms, gallery_filters, gallery_view, pages
from app.web.context import services
from app.web.frame import FrameCollection, set_collection
from app.web.gallery_filters import Arguments, Looked
from app.web.guards import PAGE, gate
from app.web.identity import actor
from app.web.list_arguments import search_terms

PAGE_SIZE = 90
MOST_LOOKED = 10**9
SORTS = {"date": (Sort.UPLOADED_DESC, Sort.UPLOADED), "size": (Sort.SIZE_DESC, Sort.SIZE)}
TITLES = {"date": "Date", "size": "Size"}


@dataclass(frozen=True, slots=True)
class SortLink:
    """A column of the list that can be sorted; ``direction`` is None if it is not active."""

    key: str
    title: str
    url: str
    direction: str | None


@blueprint.get("/gallery")
@gate(PAGE)
def page() -> Response:
    """One page of the time line."""
    arguments = gallery_filters.arguments_of(request)
    slug = arguments.get("collection")
    set_collection(slug)
    try:
        query, terms = _query(arguments), search_terms(request.args)
    except InvalidInput as error:
        return _again(arguments, error)
    found = services().search.page(actor(), query, terms, slug=slug, tag=arguments.get("tag"))
    return pages.render("gallery/page.html", **_context(arguments, query, terms, found))


def _again(arguments: Arguments, error: InvalidInput) -> Response:
    """The panel with what was typed and no pictures; other mistakes are none of its."""
    errors = gallery_filters.wrong_fields(error)
    if errors is None:
        raise error
    context = _context(arguments, ListQuery(limit=PAGE_SIZE), SearchTerms(), Found((), None))
    return pages.render("gallery/page.html", 422, **context | {"errors": errors})


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


def _query(arguments: Arguments) -> ListQuery:
    sort = forms.one_of(arguments.get("sort"), "sort", gallery_filters.SORTS)
    since = gallery_filters.day(arguments.get("from"), "from")
    last = gallery_filters.day(arguments.get("to"), "to", end=True)
    forms.check_span(since, last)
    ends = (last, _end_of(arguments.get("month")))
    return ListQuery(
        sort=Sort(sort or Sort.UPLOADED_DESC.value),
        limit=PAGE_SIZE,
        cursor=decode_cursor(request.args.get("cursor")),
        state=forms.one_of(arguments.get("state"), "state", gallery_filters.STATES),
        kind=forms.one_of(arguments.get("kind"), "kind", gallery_filters.KINDS),
        since=since,
        until=min((end for end in ends if end is not None), default=None),
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


def _context(
    arguments: Arguments, query: ListQuery, terms: SearchTerms, found: Found
) -> dict[str, Any]:
    slug = arguments.get("collection")
    places = services().library.places(actor())
    here = [place for place in places if slug in {None, place.slug}]
    totals = services().library.months(actor(), slug)
    is_filtered = gallery_filters.is_filtered(arguments)
    counts = {} if is_filtered else {total.month: total.count for total in totals}
    begun = {name: value for name, value in arguments.items() if name != "month"}
    inside = query.cursor is not None or "month" in arguments
    everything = sum(total.count for total in totals)
    return {
        "months": gallery_view.months(found.cards, counts),
        "view": "list" if arguments.get("view") == "list" else "grid",
        "sorts": _sorts(arguments, query.sort),
        "grid_url": gallery_view.page_url(arguments, view="grid"),
        "list_url": gallery_view.page_url(arguments, view="list"),
        "newer_url": gallery_view.page_url(begun) if inside else None,
        "scrubber": () if is_filtered else gallery_view.scrubber(totals, begun),
        "total": _total(arguments, query, terms) if is_filtered else everything,
        "suggested_tags": services().library.tag_names(actor(), slug),
        **_onward(arguments, found, everything),
        **_panel(arguments, slug, places),
        **_abilities(here, places, slug),
    }


def _total(arguments: Arguments, query: ListQuery, terms: SearchTerms) -> int | None:
    """Of a label alone the tallies tell; anything else is not counted for a page."""
    if not terms.only_label or query.is_filtered or "tag" in arguments:
        return None
    return services().search.count(actor(), query, terms, slug=arguments.get("collection"))


def _onward(arguments: Arguments, found: Found, everything: int) -> dict[str, Any]:
    """Where the next page begins, and how far this one looked."""
    before = forms.number(request.args.get("looked"), "looked", 0, MOST_LOOKED, 0)
    cut = found.looked_at is not None
    so_far = before + (found.looked_at or 0)
    more = {"looked": str(so_far)} if cut else {}
    filtered = any(name in arguments for name in ("state", "kind", "tag", "from", "to"))
    return {
        "next_url": gallery_view.page_url(arguments, cursor=found.next_cursor, **more)
        if found.next_cursor
        else None,
        "looked": Looked(so_far, None if filtered else everything) if cut else None,
    }


def _panel(arguments: Arguments, slug: str | None, places: tuple[Place, ...]) -> dict[str, Any]:
    who = actor()
    members = services().members.list(who, slug) if slug else ()
    people = dict(gallery_filters.annotators_of(members))
    labels = services().labels.list(who, slug) if slug else ()
    return {
        "chosen_labels": tuple((label.id, label.name) for label in labels),
        "filters": gallery_filters.chips(arguments, people),
        "panel": gallery_filters.panel(
            arguments,
            labels=labels,
            members=members,
            kept=services().saved_filters.list(who, slug),
            places={} if slug else {place.slug: place.name for place in places},
        ),
    }


def _abilities(
    here: list[Place], places: tuple[Place, ...], slug: str | None
) -> dict[str, Any]:
    one = CollectionFacts(here[0].role) if slug and here else None
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
        "can_lead": one is not None and allows(actor(), Action.LEAD_WORK, one),
        "can_relabel": one is not None and allows(actor(), Action.MANAGE_LABELS, one),
    }


def _sorts(arguments: Arguments, active: Sort) -> tuple[SortLink, ...]:
    links = []
    for key, (down, up) in SORTS.items():
        direction = {down: "desc", up: "asc"}.get(active)
        follow = up if active is down else down
        url = gallery_view.page_url(arguments, sort=follow.value)
        links.append(SortLink(key, TITLES[key], url, direction))
    return tuple(links)


@blueprint.post("/gallery/filters", endpoint="keep_filter")
@gate(PAGE)
def keep_filter() -> Response:
    """Keep the filters of a page under a name."""
    slug, query = _told()
    made = services().saved_filters.add(actor(), request.form.get("name", ""), query, slug)
    place = {"collection": slug} if slug else {}
    url = gallery_view.page_url({**place, **made.query})
    return pages.done(url, f"“{made.name}” is kept.")


@blueprint.post("/gallery/filters/<uuid:filter_id>/remove")
@gate(PAGE)
def forget_filter(filter_id: UUID) -> Response:
    """Forget one of one's own; the filters that are active stay."""
    services().saved_filters.remove(actor(), filter_id)
    slug, query = _told()
    place = {"collection": slug} if slug else {}
    return pages.done(gallery_view.page_url({**place, **query}), "The filter is forgotten.")


def _told() -> tuple[str | None, dict[str, Any]]:
    """The collection and the filters that a form of the panel carries."""
    query: dict[str, Any] = {
        name: request.form.getlist(name) if name == "attribute" else request.form[name]
        for name in KEPT
        if name in request.form
    }
    return request.form.get("collection") or None, query
