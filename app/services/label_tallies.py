"""How many annotations each class of a collection has, and on how many pictures.

Kept sealed beside the collection (`LabelSchema.tallies`: {class id in hex: [annotations,
pictures]}), in the transactions that change them. Pictures in the trash do not count. What
does not open is left out of the sum: a recount puts that right when it is mended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update
from sqlalchemy.orm import Session

from app.errors import DecryptionFailed
from app.models import Annotation, LabelSchema
from app.services.counters import count_image
from app.services.schema_rows import made_row

Steps = Mapping[UUID, tuple[int, int]]
"""By class: so many annotations and so many pictures more (or, below 0, less)."""


def count_with_labels(
    session: Session, image_id: UUID, collection_id: UUID, sort_at: datetime, step: int
) -> None:
    """A picture with all that is on it came (1) to a collection or left it (-1)."""
    count_image(session, collection_id, sort_at, step)
    counts = Counter(labels_of(session, [image_id]))
    add_tallies(session, collection_id, {k: (step * n, step) for k, n in counts.items()})


def labels_of(source: Session | Connection, image_ids: Iterable[UUID]) -> list[UUID]:
    """The class of every annotation of these pictures, but of those that do not open."""
    rows = source.execute(
        select(Annotation.id, Annotation.label).where(Annotation.image_id.in_(list(image_ids)))
    )
    return [label for row in rows if (label := opened_label(row)) is not None]


def opened_label(row: Any) -> UUID | None:
    """The class of a row with ``id`` and ``label``; None if it does not open."""
    with suppress(DecryptionFailed, ValueError):
        return UUID(row.label.of(row.id))
    return None


def add_tallies(session: Session, collection_id: UUID, steps: Steps) -> None:
    """Change the tallies of a collection, in the caller's transaction."""
    if any(step != (0, 0) for step in steps.values()):
        row = made_row(session, collection_id)
        write_tallies(session, row.id, _added(row.tallies, steps))


def write_tallies(session: Session, row_id: UUID | None, tallies: Mapping[str, Any]) -> None:
    # The sealed value is bound to its row: the id is among the parameters.
    session.execute(update(LabelSchema), [{"id": row_id, "tallies": dict(tallies)}])


def _added(kept: Mapping[str, Any], steps: Steps) -> dict[str, list[int]]:
    result: dict[str, list[int]] = {name: list(counts) for name, counts in kept.items()}
    for label_id, step in steps.items():
        old = result.pop(label_id.hex, [0, 0])
        new = [max(0, old[0] + step[0]), max(0, old[1] + step[1])]
        if any(new):
            result[label_id.hex] = new
    return result
