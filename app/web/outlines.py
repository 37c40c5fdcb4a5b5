"""Annotations as a page draws them over a picture: SVG outlines in pixels of the picture."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.annotation import Annotation
from app.domain.shapes import Box, Points, Polygon, RotatedBox

FALLBACK = "#e69f00"


@dataclass(frozen=True, slots=True)
class Outline:
    """``points`` as the attribute of an SVG polygon; None for what has no area. ``dots`` are
    single points."""

    label: str
    colour: str
    points: str | None
    dots: tuple[tuple[float, float], ...]


def outline(
    annotation: Annotation, label: str | None = None, colour: str | None = None
) -> Outline:
    """The outline of an annotation with the name and the colour that its class has now."""
    shape = annotation.shape
    return Outline(
        label=label or annotation.label,
        colour=colour or FALLBACK,
        points=_points(annotation),
        dots=shape.points if isinstance(shape, Points) else (),
    )


def _points(annotation: Annotation) -> str | None:
    shape = annotation.shape
    if isinstance(shape, Polygon):
        points = shape.points
    elif isinstance(shape, RotatedBox):
        points = shape.corners
    elif isinstance(shape, Box):
        right, bottom = shape.x + shape.w, shape.y + shape.h
        points = ((shape.x, shape.y), (right, shape.y), (right, bottom), (shape.x, bottom))
    else:
        return None
    return " ".join(f"{x:.2f},{y:.2f}" for x, y in points)
