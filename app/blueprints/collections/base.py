"""The blueprint that the modules beside it add their views to, and the page they share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app.domain.labels import PALETTE
from app.domain.states import AnnotationState
from app.errors import DarkroomError
from app.services.listing import ListQuery
from app.web import collection_view, pages
from app.web.context import services
from app.web.frame import set_collection
from app.web.identity import actor

blueprint = Blueprint("collections", __name__)
TEMPLATE = "collections/show.html"
COVERS = 6


def show_context(slug: str) -> dict[str, Any]:
    """Return what the page of one collection is given."""
    who, all_services = actor(), services()
    view = all_services.collections.get(who, slug)
    set_collection(view.slug)
    counts = all_services.collections.progress(who, slug)
    worked = {AnnotationState.IN_PROGRESS, AnnotationState.REJECTED}
    progress = collection_view.Progress(
        new=counts.get(AnnotationState.NEW, 0),
        in_progress=sum(counts.get(state, 0) for state in worked),
        done=sum(counts.values())
        - counts.get(AnnotationState.NEW, 0)
        - sum(counts.get(state, 0) for state in worked),
    )
    covers = all_services.library.page(who, ListQuery(limit=COVERS), slug=slug).cards
    collection = collection_view.page(
        view,
        who,
        progress=progress,
        members=all_services.members.list(who, slug),
        labels=all_services.labels.whole(who, slug),
        covers=covers,
    )
    return {"collection": collection, "roles": collection_view.ROLES, "palette": PALETTE}


def show_again(slug: str, error: DarkroomError) -> Response:
    """Render the page of a collection again after one of its forms failed."""
    return pages.again(TEMPLATE, error, **show_context(slug))
