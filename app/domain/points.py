"""How many points the outlines and sets of points of a picture have together, and may have.

However many documents they come in: whoever reads a picture reads all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from app.domain.annotation import Annotation
from app.domain.names import refuse
from app.domain.shapes import Points, Polygon, Shape

#: In all outlines and sets of points of a picture: about 4 MB of JSON.
MAX_SET_POINTS: Final = 200_000
#: Bytes of JSON that a point takes at least: ``[0,0]`` and a comma.
LEAST_BYTES: Final = 6


def points_of(shape: Shape) -> int:
    """Of one shape; boxes have none."""
    return len(shape.points) if isinstance(shape, Polygon | Points) else 0


def points_in(annotations: Iterable[Annotation | None]) -> int:
    """Of all of these; None is nothing."""
    return sum(points_of(each.shape) for each in annotations if each is not None)


def check_points(before: int, after: int, path: str = "$.ops") -> None:
    """``InvalidInput`` where there are too many, and more than before."""
    if after > max(before, MAX_SET_POINTS):
        raise refuse(path, f"At most {MAX_SET_POINTS} points fit into one picture.")
