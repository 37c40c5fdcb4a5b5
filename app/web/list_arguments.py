"""The query of a list of images, as pages and API understand it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.access import Role
from app.domain.limits import DEFAULT_PAGE, MAX_PAGE
from app.domain.media_kinds import MediaKind
from app.domain.states import AnnotationState, ImageStatus
from app.services.cursor import decode_cursor
from app.services.listing import ListQuery, Sort
from app.web import forms

LATER = ("label", "q")
"""Filters over sealed columns come with the search; asked for, they are refused."""

_STATUSES = [status.value for status in ImageStatus if status is not ImageStatus.DESTROYED]


@dataclass(frozen=True, slots=True)
class ListArguments:
    """``least`` is the role from which on the asked-for images are listed at all."""

    query: ListQuery
    collection: str | None
    tag: str | None
    least: Role
    wants_total: bool


def list_arguments(arguments: Mapping[str, str]) -> ListArguments:
    """Read the query string; InvalidInput names the field that is wrong."""
    for name in LATER:
        if arguments.get(name):
            raise forms.wrong(name, "cannot be searched yet: names and labels are sealed")
    status = forms.one_of(arguments.get("status"), "status", _STATUSES)
    trashed = status == ImageStatus.TRASHED
    sort = forms.one_of(arguments.get("sort"), "sort", [order.value for order in Sort])
    query = ListQuery(
        sort=Sort(sort or Sort.UPLOADED_DESC.value),
        limit=forms.number(arguments.get("limit"), "limit", 1, MAX_PAGE, DEFAULT_PAGE),
        cursor=decode_cursor(arguments.get("cursor")),
        trashed=trashed,
        kind=forms.one_of(arguments.get("kind"), "kind", [kind.value for kind in MediaKind]),
        status=None if trashed else status,
        state=forms.one_of(
            arguments.get("state"), "state", [state.value for state in AnnotationState]
        ),
        since=forms.moment(arguments.get("from"), "from"),
        until=forms.moment(arguments.get("to"), "to"),
    )
    return ListArguments(
        query=query,
        collection=arguments.get("collection") or None,
        tag=arguments.get("tag") or None,
        least=Role.EDITOR if trashed else Role.VIEWER,
        wants_total=forms.flag(arguments.get("total"), "total"),
    )
