"""A label set as people look at it: the classes, how often each is used, which version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.domain.labels import LabelClass
from app.services.label_rows import living
from app.services.schema_rows import SchemaRow


@dataclass(frozen=True, slots=True)
class Tally:
    """How many annotations have a class, on how many pictures; none in the trash count."""

    annotations: int = 0
    pictures: int = 0


@dataclass(frozen=True, slots=True)
class LabelSet:
    """``offered`` in order, ``removed`` (deprecated, merged) by number; ``tallies`` by id."""

    version: int
    offered: tuple[LabelClass, ...]
    removed: tuple[LabelClass, ...]
    tallies: Mapping[UUID, Tally]
    is_indexed: bool

    def tally(self, label_id: UUID) -> Tally:
        return self.tallies.get(label_id, Tally())


def label_set(row: SchemaRow, classes: Mapping[UUID, LabelClass]) -> LabelSet:
    """All of it; what was deleted is shown only where something has it nevertheless."""
    tallies = tallies_of(row.tallies)
    removed = [
        label
        for label in classes.values()
        if label.removed and (not label.deleted or label.id in tallies)
    ]
    return LabelSet(
        version=row.version,
        offered=living(classes),
        removed=tuple(sorted(removed, key=lambda label: label.number)),
        tallies=tallies,
        is_indexed=row.is_indexed,
    )


def tallies_of(kept: Mapping[str, Any]) -> dict[UUID, Tally]:
    """The tallies that a schema's row keeps, by class."""
    return {UUID(name): Tally(*counts) for name, counts in kept.items()}
