"""``/images/<id>/annotate``: the box editor."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, url_for

from app.domain.access import Action, require
from app.web import pages, picture_view
from app.web.context import services
from app.web.editor_view import EditorPage, key_parts, picture_addresses
from app.web.frame import set_collection
from app.web.guards import PAGE, gate
from app.web.identity import actor

blueprint = Blueprint("annotate", __name__)


@blueprint.get("/images/<uuid:image_id>/annotate")
@gate(PAGE)
def page(image_id: UUID) -> Response:
    """The canvas; boxes come and go through the API."""
    who = actor()
    detail = services().library.detail(who, image_id)
    require(who, Action.READ_ANNOTATIONS, detail.access.facts)
    slug = detail.place.slug if detail.place is not None else None
    set_collection(slug)
    services().views.note(who, image_id)
    shown = picture_view.picture(detail, who)
    beside = services().library.neighbours(who, detail.card)
    source = "serving.original" if shown.original_displays else "serving.preview"
    closed = slug is not None and services().collections.get(who, slug).labels_closed
    editor = EditorPage(
        name=shown.name,
        width=shown.width,
        height=shown.height,
        placeholder=shown.placeholder,
        preview_url=url_for("serving.preview", image_id=image_id),
        back_url=url_for("gallery.show", image_id=image_id),
        newer_url=_url_of(beside.newer),
        older_url=_url_of(beside.older),
        addresses=picture_addresses(
            image_id,
            slug,
            full=url_for(source, image_id=image_id),
            previous=beside.newer,
        ),
        can_write=shown.can_annotate and services().tasks.may_write(who, image_id),
        label_set_open=not closed,
        **key_parts(services().preferences.keymap(who), can_write=shown.can_annotate),
    )
    return pages.render("annotate/page.html", editor=editor)


def _url_of(image_id: UUID | None) -> str | None:
    return url_for("annotate.page", image_id=image_id) if image_id is not None else None
