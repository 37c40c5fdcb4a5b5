"""The query of a list of images, as pages and API understand it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.datastructures import MultiDict

from app.domain.access import Role
from app.domain.ids import read_id
from app.domain.limits import DEFAULT_PAGE, MAX_PAGE
from app.domain.media_kinds import MediaKind
from app.domain.search_terms import (
    SearchTerms,
    read_attribute_terms,
    read_label,
    read_words,
)
from app.domain.states import AnnotationState, ImageStatus
from app.services.cursor import decode_cursor
from app.services.listing import ListQuery, Sort
from app.web import forms
from app.web.identity import actor

ME = "me"

_STATUSES = [status.value for status in ImageStatus if status is not ImageStatus.DESTROYED]


@dataclass(frozen=True, slots=True)
class ListArguments:
    """``least`` is the role from which on the asked-for images are listed at all."""

    query: ListQuery
    terms: SearchTerms
    collection: str | None
    tag: str | None
    least: Role
    wants_total: bool

    @property
    def where(self) -> dict[str, Any]:
        """What the library asks beside the query."""
        return {"slug": self.collection, "tag": self.tag, "least": self.least}


def list_arguments(arguments: MultiDict[str, str]) -> ListArguments:
    """Read the query string; InvalidInput names the field that is wrong."""
    status = forms.one_of(arguments.get("status"), "status", _STATUSES)
    trashed = status == ImageStatus.TRASHED
    sort = forms.one_of(arguments.get("sort"), "sort", [order.value for order in Sort])
    since, until = (forms.moment(arguments.get(end), end) for end in ("from", "to"))
    forms.check_span(since, until)
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
        since=since,
        until=until,
    )
    return ListArguments(
        query=query,
        terms=search_terms(arguments),
        collection=arguments.get("collection") or None,
        tag=arguments.get("tag") or None,
        least=Role.EDITOR if trashed else Role.VIEWER,
        wants_total=forms.flag(arguments.get("total"), "total"),
    )


def search_terms(arguments: MultiDict[str, str]) -> SearchTerms:
    """Read what is asked of sealed things: ``q``, ``label``, ``attribute`` (several),
    ``annotator``."""
    return SearchTerms(
        words=read_words(arguments.get("q", "")),
        label=read_label(arguments.get("label")),
        attributes=read_attribute_terms(arguments.getlist("attribute")),
        annotator=_annotator(arguments.get("annotator")),
    )


def _annotator(text: str | None) -> UUID | None:
    if not text:
        return None
    found = actor().user_id if text == ME else read_id(text)
    if found is None:
        raise forms.wrong("annotator", "must be the id of an account, or me")
    return found
