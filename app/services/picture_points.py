"""The limit of points in one picture, asked where operations add some."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import LargeBinary, column, func, select
from sqlalchemy.orm import Session

from app.domain.annotation import Change
from app.domain.points import LEAST_BYTES, MAX_SET_POINTS, check_points, points_in, points_of
from app.domain.shape_document import read_shape
from app.models import Annotation
from app.services.annotation_rows import net_changes

_SEALED: Final = column("shape", LargeBinary)
"""The column without its type, which lets nobody look at what is sealed: its length is told."""


def check_all_points(session: Session, image_id: UUID, steps: Sequence[Change]) -> None:
    """``InvalidInput`` where these steps, not written yet, give a picture too many points.

    Shapes are opened only where their size in the database says that there may be too many.
    """
    net = net_changes(steps)
    more = points_in(one.after for one in net) - points_in(one.before for one in net)
    if more <= 0:
        return
    here = Annotation.image_id == image_id
    sizes = select(func.sum(func.length(_SEALED))).select_from(Annotation).where(here)
    size = session.scalar(sizes) or 0
    if int(size) // LEAST_BYTES + more <= MAX_SET_POINTS:
        return
    wanted = select(Annotation.id, Annotation.shape).where(here, Annotation.shape.is_not(None))
    rows: Any = session.execute(wanted)
    held = sum(points_of(read_shape(row.shape.of(row.id), "shape")) for row in rows)
    check_points(held, held + more)
