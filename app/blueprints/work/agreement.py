"""``/collections/<slug>/agreement``: blind rounds, and the editor of one's own copy."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.blueprints.work.base import blueprint, person
from app.domain.access import Action, CollectionFacts, allows, require
from app.domain.agreement import DEFAULT_IOU
from app.domain.blind_copies import WAITING
from app.domain.ids import read_id
from app.errors import InvalidInput
from app.services.agreement.rounds import MOST_PICTURES, Draw
from app.web import forms, pages, picture_view
from app.web.context import services
from app.web.editor_view import EditorPage, copy_addresses, key_parts
from app.web.frame import set_collection
from app.web.guards import PAGE, gate
from app.web.identity import actor

TEMPLATE = "work/agreement.html"
PLACE = "/collections/<slug>/agreement"


@blueprint.get(PLACE)
@gate(PAGE)
def agreement(slug: str) -> Response:
    """The rounds, and the form that makes one."""
    return pages.render(TEMPLATE, **_context(slug))


@blueprint.post(PLACE)
@gate(PAGE)
def make_round(slug: str) -> Response:
    """Give copies of pictures to several people."""
    try:
        made = services().rounds.make(actor(), slug, _draw())
    except InvalidInput as error:
        return pages.again(TEMPLATE, error, **_context(slug))
    return pages.done(url_for("work.round", slug=slug, round_id=made), "The round is made.")


@blueprint.post(f"{PLACE}/chosen")
@gate(PAGE)
def choose_round(slug: str) -> Response:
    """The form, for the pictures that were ticked in the gallery (``ids``); makes nothing."""
    context = _context(slug)
    require(actor(), Action.LEAD_WORK, CollectionFacts(context["collection"].role))
    if not context["images"]:
        raise forms.wrong("ids", "must name pictures: tick them in the gallery")
    return pages.render(TEMPLATE, **context)


@blueprint.get(f"{PLACE}/<uuid:round_id>/<uuid:image_id>", endpoint="copy")
@gate(PAGE)
def edit_copy(slug: str, round_id: UUID, image_id: UUID) -> Response:
    """One's own copy of a picture, in the box editor."""
    who, rooms = actor(), services()
    copy_id = rooms.rounds.mine(who, slug, round_id, image_id)
    detail = rooms.library.detail(who, image_id)
    shown = picture_view.picture(detail, who)
    set_collection(slug)
    source = "serving.original" if shown.original_displays else "serving.preview"
    home = url_for("work.round", slug=slug, round_id=round_id)
    state = rooms.copies.get(who, copy_id).state
    editor = EditorPage(
        name=f"{shown.name} · your blind copy",
        width=shown.width,
        height=shown.height,
        placeholder=shown.placeholder,
        preview_url=url_for("serving.preview", image_id=image_id),
        back_url=home,
        newer_url=None,
        older_url=None,
        addresses=copy_addresses(
            copy_id, slug, full=url_for(source, image_id=image_id), home=home
        ),
        can_write=shown.can_annotate and state in WAITING,
        label_set_open=not rooms.collections.get(who, slug).labels_closed,
        **key_parts(rooms.preferences.keymap(who), can_write=shown.can_annotate),
    )
    return pages.render("annotate/page.html", editor=editor)


def _draw() -> Draw:
    form = request.form
    people = [person(text, "annotators") for text in form.getlist("annotators")]
    seed = form.get("seed", "").strip()
    iou = form.get("iou", "").strip() or str(DEFAULT_IOU)
    try:
        least = float(iou)
    except ValueError:
        raise forms.wrong("iou", "must be a number") from None
    return Draw(
        name=form.get("name", ""),
        annotators=tuple(each for each in people if each is not None),
        count=forms.number(form.get("count"), "count", 1, MOST_PICTURES, 20),
        images=_images("images"),
        seed=forms.number(seed, "seed", 0, 2**31 - 1, 0) if seed else None,
        iou=least,
    )


def _images(field: str) -> tuple[UUID, ...]:
    """Pictures that a form names, each once."""
    told = dict.fromkeys(map(read_id, request.form.getlist(field)))
    if None in told:
        raise forms.wrong(field, "must be ids of pictures")
    return tuple(each for each in told if each is not None)


def _context(slug: str) -> dict[str, Any]:
    who, rooms = actor(), services()
    lines = rooms.rounds.list(who, slug)
    collection = rooms.collections.get(who, slug)
    set_collection(slug)
    leads = allows(who, Action.LEAD_WORK, CollectionFacts(collection.role))
    return {
        "collection": collection,
        "rounds": lines,
        "annotators": rooms.rounds.able(who, slug) if leads else (),
        "leads": leads,
        "chosen": frozenset(request.form.getlist("annotators")),
        "images": _images("ids") or _images("images"),
        "default_iou": DEFAULT_IOU,
    }
