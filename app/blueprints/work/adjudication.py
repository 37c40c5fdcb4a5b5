"""``…/agreement/<round>/<picture>/adjudicate``: of what two people have, choose."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from flask import Response, request, url_for

from app.blueprints.work.base import blueprint, person
from app.errors import Conflict, InvalidInput
from app.services.agreement.adjudication import CHOICES
from app.web import forms, pages, picture_view
from app.web.adjudication_view import things
from app.web.context import services
from app.web.frame import set_collection
from app.web.guards import PAGE, gate
from app.web.identity import actor

TEMPLATE = "work/adjudicate.html"
PLACE = "/collections/<slug>/agreement/<uuid:round_id>/<uuid:image_id>/adjudicate"
_CHOICE = re.compile(r"choice-([0-9]{1,6})")


@blueprint.get(PLACE)
@gate(PAGE)
def adjudicate(slug: str, round_id: UUID, image_id: UUID) -> Response:
    """Both sets over the picture, and a choice for each thing."""
    return pages.render(TEMPLATE, **_context(slug, round_id, image_id, _pair(request.args)))


@blueprint.post(PLACE)
@gate(PAGE)
def decide(slug: str, round_id: UUID, image_id: UUID) -> Response:
    """Write what was chosen as a new version of the picture's annotations."""
    pair = _pair(request.form)
    try:
        if pair is None:
            raise forms.wrong("a", "is missing")
        services().adjudication.decide(
            actor(), slug, round_id, image_id, pair, choices_of_form()
        )
    except (InvalidInput, Conflict) as error:
        return pages.again(TEMPLATE, error, **_context(slug, round_id, image_id, pair))
    return pages.done(
        url_for("work.round", slug=slug, round_id=round_id), "Settled, and accepted."
    )


def _context(
    slug: str, round_id: UUID, image_id: UUID, pair: tuple[UUID, UUID] | None
) -> dict[str, Any]:
    who, rooms = actor(), services()
    view = rooms.adjudication.of(who, slug, round_id, image_id, pair)
    detail = rooms.library.detail(who, image_id)
    set_collection(slug)
    return {
        "collection": rooms.collections.get(who, slug),
        "round_id": round_id,
        "picture": picture_view.picture(detail, who),
        "view": view,
        "things": things(view, detail.card.width, detail.card.height),
        "choices": CHOICES,
    }


def _pair(values: Any) -> tuple[UUID, UUID] | None:
    a, b = (person(values.get(name), name) for name in ("a", "b"))
    return (a, b) if a is not None and b is not None else None


def choices_of_form() -> dict[int, str]:
    """What was chosen, by the place of each thing."""
    found = ((_CHOICE.fullmatch(name), value) for name, value in request.form.items())
    return {int(match[1]): value for match, value in found if match is not None}
