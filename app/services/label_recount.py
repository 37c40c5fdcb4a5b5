"""The tallies of label classes against a count of the annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import DecryptionFailed
from app.models import Annotation, Image, LabelSchema
from app.models.image import LIVE, NOT_DESTROYED
from app.services.label_tallies import opened_label, write_tallies
from app.services.schema_rows import made_row

Key = tuple[UUID, UUID, str]
"""Collection, class, and which of `KINDS`."""
KINDS: Final = ("annotations", "pictures")
_AT_ONCE = 1000


def kept_tallies(session: Session) -> dict[Key, int]:
    """What the rows say; one that does not open says nothing."""
    found: dict[Key, int] = {}
    rows = session.execute(
        select(LabelSchema.id, LabelSchema.collection_id, LabelSchema.tallies)
    )
    for row in rows:
        for name, counts in _opened(row).items():
            for kind, count in zip(KINDS, counts, strict=True):
                found[row.collection_id, UUID(name), kind] = count
    return found


def counted_tallies(session: Session) -> Counter[Key]:
    """What there is; opens the label of every annotation of every live picture."""
    found: Counter[Key] = Counter()
    for _, rows in groupby(_annotations(session), key=lambda row: row.image_id):
        seen = set()
        for row in rows:
            label = opened_label(row)
            if label is not None:
                found[row.collection_id, label, KINDS[0]] += 1
                seen.add((row.collection_id, label, KINDS[1]))
        found.update(seen)
    return found


def count_tallies_anew(session: Session) -> None:
    """Write what there is, for the collections where something else is kept."""
    kept, counted = kept_tallies(session), counted_tallies(session)
    for collection_id in {key[0] for key in kept.keys() | counted.keys()}:
        old, new = (_of(collection_id, counts) for counts in (kept, counted))
        if old != new:
            write_tallies(session, made_row(session, collection_id).id, new)


def _annotations(session: Session) -> Iterator[Any]:
    wanted = (
        select(Annotation.id, Annotation.label, Annotation.image_id, Image.collection_id)
        .join(Image, Image.id == Annotation.image_id)
        .where(LIVE, NOT_DESTROYED)
        .order_by(Annotation.image_id)
    )
    return iter(session.execute(wanted.execution_options(yield_per=_AT_ONCE)))


def _opened(row: Any) -> Mapping[str, Any]:
    with suppress(DecryptionFailed):
        return row.tallies.of(row.id) if row.tallies is not None else {}
    return {}


def _of(collection_id: UUID, counts: Mapping[Key, int]) -> dict[str, list[int]]:
    labels = {key[1] for key, count in counts.items() if key[0] == collection_id and count}
    return {
        label.hex: [counts.get((collection_id, label, kind), 0) for kind in KINDS]
        for label in labels
    }
