"""``/`` and ``/images/<id>``: the front door, and one picture."""

from __future__ import annotations

from uuid import UUID

from flask import Response, jsonify, request, url_for

from app.blueprints.gallery.base import blueprint
from app.services.cursor import Cursor, microseconds
from app.services.library import Detail
from app.web import forms, pages, picture_view
from app.web.context import services
from app.web.frame import set_collection
from app.web.front_door import front_door
from app.web.gallery_view import page_url
from app.web.guards import OPEN_PAGE, PAGE, gate
from app.web.identity import actor


@blueprint.get("/")
@gate(OPEN_PAGE)
def index() -> Response:
    """The set-up page while nobody has an account; the gallery, or the login page."""
    return front_door()


@blueprint.get("/images/<uuid:image_id>")
@gate(PAGE)
def show(image_id: UUID) -> Response:
    """The picture on black, with what is known of it at the side."""
    who = actor()
    detail = services().library.detail(who, image_id)
    slug = detail.place.slug if detail.place is not None else None
    set_collection(slug)
    services().views.note(who, image_id)
    beside = services().library.neighbours(who, detail.card)
    found = services().annotations.get(who, image_id) if detail.place is not None else None
    labels = services().labels.list(who, slug) if slug is not None else ()
    return pages.render(
        "gallery/show.html",
        picture=picture_view.picture(
            detail,
            who,
            suggested=services().library.tag_names(who, slug),
            boxes=found.annotations if found is not None else (),
            classes=labels,
            views=services().views.of(who, image_id, detail.access.facts),
        ),
        newer_url=_url_of(beside.newer),
        older_url=_url_of(beside.older),
        back_url=_back(detail, slug),
    )


@blueprint.post("/images/<uuid:image_id>/tags")
@gate(PAGE)
def tags(image_id: UUID) -> Response:
    """Give a picture exactly these tags."""
    wanted = forms.tags_of(request.form.getlist("tags"))
    has = [tag.name for tag in services().tags.replace(actor(), image_id, wanted)]
    if pages.wants_json():
        return jsonify(tags=has)
    return pages.done(url_for("gallery.show", image_id=image_id), "Tags saved.")


def _url_of(image_id: UUID | None) -> str | None:
    return url_for("gallery.show", image_id=image_id) if image_id is not None else None


def _back(detail: Detail, slug: str | None) -> str:
    """The gallery in which this picture is the first one."""
    card = detail.card
    cursor = Cursor(microseconds(card.sort_at) + 1, card.id).encode()
    arguments = {"collection": slug} if slug is not None else {}
    return page_url(arguments, cursor=cursor) + f"#{card.id}"
