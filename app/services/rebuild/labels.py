"""What is known by label of a rebuilt database: tallies, tokens where there was an index."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from app.services.label_index import LabelIndex
from app.services.label_tallies import add_tallies
from app.services.schema_rows import is_indexed

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.services.keys import RootKeys


class LabelsOfRebuild:
    """Hears of every picture, writes at the end; memory grows with the classes."""

    def __init__(self, session: Session, roots: RootKeys) -> None:
        self._session = session
        self._index = LabelIndex(roots)
        self._annotations: dict[UUID, Counter[UUID]] = defaultdict(Counter)
        self._pictures: dict[UUID, Counter[UUID]] = defaultdict(Counter)

    def note(self, row: Mapping[str, Any], labels: Iterable[str]) -> None:
        """A picture's row is there with annotations of these classes, told in hex."""
        counts, place = Counter(map(UUID, labels)), row["collection_id"]
        if is_indexed(self._session, place):
            pairs = [(row["id"], label) for label in counts]
            self._index.add(self._session, place, pairs)
        if row["trashed_at"] is None:
            self._annotations[place].update(counts)
            self._pictures[place].update(counts.keys())

    def write(self) -> None:
        """The tallies of all collections."""
        for place, counts in self._annotations.items():
            steps = {label: (n, self._pictures[place][label]) for label, n in counts.items()}
            add_tallies(self._session, place, steps)
