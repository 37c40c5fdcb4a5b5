"""``…/agreement/<round>/hand-over``: a copy that waits goes to another, or is left out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.blueprints.work.base import blueprint, person
from app.domain.ids import read_id
from app.errors import InvalidInput
from app.services.agreement.handover import Handing
from app.web import forms, pages
from app.web.context import services
from app.web.frame import set_collection
from app.web.guards import PAGE, gate
from app.web.identity import actor

TEMPLATE = "work/round.html"
PLACE = "/collections/<slug>/agreement/<uuid:round_id>"


@blueprint.get(PLACE, endpoint="round")
@gate(PAGE)
def show_round(slug: str, round_id: UUID) -> Response:
    """Figures of every pair, every picture, and whose copies wait; ``image`` names the one
    picture whose copies are to be handed over."""
    only = read_id(request.args.get("image", ""))
    return pages.render(TEMPLATE, **_context(slug, round_id, only))


@blueprint.post(f"{PLACE}/hand-over")
@gate(PAGE)
def hand_over(slug: str, round_id: UUID) -> Response:
    """Hand a person's copies to ``to``, or go on without them; of ``images``, or all."""
    text = request.form.get("images", "")
    only = read_id(text)
    try:
        if text and only is None:
            raise forms.wrong("images", "is not an id")
        handing = _handing(only)
        count = services().handover.hand(actor(), slug, round_id, handing)
    except InvalidInput as error:
        return pages.again(TEMPLATE, error, **_context(slug, round_id, only))
    copies = "1 copy" if count == 1 else f"{count} copies"
    words = "left out" if handing.to is None else "handed over"
    url = url_for("work.round", slug=slug, round_id=round_id)
    return pages.done(url, f"{copies} {words}.")


def _handing(only: UUID | None) -> Handing:
    source = person(request.form.get("from"), "from")
    if source is None:
        raise forms.wrong("from", "is missing")
    if request.form.get("deed") == "go_on":
        to = None
    elif (to := person(request.form.get("to"), "to")) is None:
        raise forms.wrong("to", "must name a member")
    return Handing(source, to, (only,) if only is not None else ())


def _context(slug: str, round_id: UUID, only: UUID | None) -> dict[str, Any]:
    who, rooms = actor(), services()
    view = rooms.rounds.of(who, slug, round_id, only)
    set_collection(slug)
    waiting = rooms.rounds.next(who, slug, round_id)
    cards = {line.card.id: line.card for line in view.pictures}
    return {
        "collection": rooms.collections.get(who, slug),
        "round": view,
        "next_image": waiting[0] if waiting else None,
        "only": cards.get(only) if only is not None else None,
    }
