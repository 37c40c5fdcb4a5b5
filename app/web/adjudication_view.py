"""Things of two copies as the page draws them: outlines in pixels, words, what is proposed."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.agreement import Found
from app.domain.annotation import Annotation
from app.services.agreement.adjudication import AdjudicationView
from app.web.outlines import Outline, outline

AGREE = 0.75
"""From this overlap on two of one label are proposed as settled."""
NUMBER_PART = 36
"""Numbers are this part of the longer side high, as the page writes them."""


@dataclass(frozen=True, slots=True)
class Thing:
    """``proposed`` is chosen until somebody chooses; ``at`` is where its number stands."""

    place: int
    a: Outline | None
    b: Outline | None
    iou: float
    proposed: str | None
    at: tuple[float, float]
    agreed: bool


def things(view: AdjudicationView, width: int, height: int) -> tuple[Thing, ...]:
    """Return the things of a picture of this size."""
    return tuple(_thing(n, found, view, width, height) for n, found in enumerate(view.found))


def _thing(place: int, found: Found, view: AdjudicationView, width: int, height: int) -> Thing:
    shown = found.a or found.b
    bounds = shown.shape.bounds if shown else None
    size = max(width, height) / NUMBER_PART  # what stands above a picture is not seen
    x = min(max(bounds.x if bounds else 0, 0), max(width - 2 * size, 0))
    y = min(max(bounds.y if bounds else 0, 1.2 * size), height)
    agreed = found.agreed and found.iou >= AGREE
    return Thing(
        place=place,
        a=_side(found.a, view),
        b=_side(found.b, view),
        iou=found.iou,
        proposed="a" if agreed else None,
        at=(x, y),
        agreed=agreed,
    )


def _side(annotation: Annotation | None, view: AdjudicationView) -> Outline | None:
    if annotation is None:
        return None
    label = view.classes.get(annotation.label_id)
    if label is None:
        return outline(annotation)
    return outline(annotation, label.name, label.colour)
