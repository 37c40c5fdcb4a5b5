"""The gallery's filters: what its address says, the chips, the panel that sets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Request

from app.domain.labels import LabelClass
from app.domain.media_kinds import MediaKind
from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.services.listing import Sort
from app.services.members import MemberView
from app.services.saved_filters import KEPT as KEPT_BY_NAME
from app.services.saved_filters import FilterView
from app.web import forms, gallery_view
from app.web.list_arguments import ME

Arguments = dict[str, Any]
"""By name a text, or for ``attribute`` a list of texts."""
KEPT = (
    "collection", "tag", "label", "annotator", "state", "kind", "from", "to", "q", "view",
    "sort", "month",
)  # fmt: skip
TITLES = {
    "q": "Name",
    "label": "Label",
    "attribute": "Attribute",
    "annotator": "By",
    "tag": "Tag",
    "state": "State",
    "kind": "Kind",
    "from": "From",
    "to": "To",
}
STATES = tuple(state.value for state in AnnotationState)
KINDS = tuple(kind.value for kind in MediaKind)
SORTS = tuple(order.value for order in Sort)


@dataclass(frozen=True, slots=True)
class Filter:
    """An active filter, and the page without it."""

    name: str
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True)
class KeptFilter:
    """A filter that one keeps, and the page with it. ``place``: the name of its collection,
    where that is not told by the page."""

    id: UUID
    name: str
    url: str
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Panel:
    """What the panel of filters offers. ``annotators``: pairs of value and name, for one
    collection; ``query``: what is kept when this view is, as pairs."""

    values: Mapping[str, str]
    labels: tuple[str, ...]
    annotators: tuple[tuple[str, str], ...]
    states: tuple[str, ...]
    kinds: tuple[str, ...]
    kept: tuple[KeptFilter, ...]
    query: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Looked:
    """How far a search came: pictures opened on the pages so far, and of how many."""

    at: int
    total: int | None


def arguments_of(request: Request) -> Arguments:
    """What the address says; what is empty is not there."""
    told: Arguments = {
        name: request.args[name] for name in KEPT if request.args.get(name, "").strip()
    }
    attributes = [text for text in request.args.getlist("attribute") if text.strip()]
    return told | ({"attribute": attributes} if attributes else {})


def wrong_fields(error: InvalidInput) -> dict[str, str] | None:
    """A sentence for each field of the panel that is wrong; None where it is something else,
    such as a page of the list, or a person: that list is not always there."""
    told = {
        mistake.path.removeprefix("$.").partition("[")[0]: mistake.message
        for mistake in error.mistakes
    }
    return told if told and told.keys() <= TITLES.keys() - {"annotator"} else None


def is_filtered(arguments: Arguments) -> bool:
    """Whether the list is less than all pictures of its place."""
    return any(name in arguments for name in TITLES)


def day(text: str | None, path: str, *, end: bool = False) -> datetime | None:
    """A moment, or a day; of a last day the end."""
    found = forms.moment(text, path)
    if found is not None and end and len((text or "").strip()) == len("2026-11-22"):
        return min(found, datetime.max.replace(tzinfo=UTC) - timedelta(days=1)) + timedelta(
            days=1
        )
    return found


def chips(arguments: Arguments, people: Mapping[str, str]) -> tuple[Filter, ...]:
    """A chip for each filter that is active."""
    found = []
    for name, title in TITLES.items():
        told = arguments.get(name, [])
        for value in told if isinstance(told, list) else [told]:
            words = people.get(value, value).replace("_", " ") if name != "q" else value
            without = _without(arguments, name, value)
            found.append(Filter(title, words, gallery_view.page_url(without)))
    return tuple(found)


def _without(arguments: Arguments, name: str, value: str) -> Arguments:
    rest = {key: told for key, told in arguments.items() if key != name}
    others = arguments[name]
    if isinstance(others, list) and len(others) > 1:
        rest[name] = [one for one in others if one != value]
    return rest


def panel(
    arguments: Arguments,
    *,
    labels: Iterable[LabelClass],
    members: Sequence[MemberView],
    kept: Iterable[FilterView],
    places: Mapping[str, str],
) -> Panel:
    """What the panel shows; ``places``: names of collections by their addresses."""
    values = {name: _text(told) for name, told in arguments.items()}
    query = [(name, one) for name in KEPT_BY_NAME for one in _texts(arguments.get(name))]
    return Panel(
        values=values,
        labels=tuple(label.name for label in labels),
        annotators=annotators_of(members),
        states=STATES,
        kinds=KINDS,
        kept=tuple(
            KeptFilter(one.id, one.name, _url(one), places.get(one.collection or ""))
            for one in kept
        ),
        query=tuple(query),
    )


def annotators_of(members: Sequence[MemberView]) -> tuple[tuple[str, str], ...]:
    """Whom a collection's annotations may be by, oneself first."""
    others = tuple((str(each.id), each.name) for each in members if not each.is_you)
    return ((ME, "you"), *others)


def _url(kept: FilterView) -> str:
    place = {"collection": kept.collection} if kept.collection else {}
    return gallery_view.page_url({**place, **kept.query})


def _texts(told: Any) -> list[str]:
    if told is None:
        return []
    return list(told) if isinstance(told, list) else [told]


def _text(told: Any) -> str:
    return ", ".join(told) if isinstance(told, list) else told
