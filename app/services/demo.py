"""Sample pictures with labels in a collection of their own, through the usual doors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from app.domain.access import Actor
from app.media.samples import Sample, sample
from app.services.examination import Offer
from app.services.new_image import Wishes

if TYPE_CHECKING:
    from app.services.annotations import Annotations
    from app.services.collections import Collections
    from app.services.ingest import IngestService

NAME = "Sample landscapes"
DESCRIPTION = "Drawn on the spot by the demonstration. Remove it whenever you like."
LABELLED = 3
"""Every so many pictures one is left without boxes, as work to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """One picture of the demonstration; ``slug`` is where it is."""

    slug: str
    done: int


class Demo:
    """Fills a collection that the actor owns."""

    def __init__(
        self, collections: Collections, ingest: IngestService, annotations: Annotations
    ) -> None:
        self._collections = collections
        self._ingest = ingest
        self._annotations = annotations

    def fill(self, actor: Actor, count: int) -> Iterator[Step]:
        """Store ``count`` pictures one after the other; again goes on where it was."""
        slug = self._slug(actor)
        for number in range(count):
            self._store(actor, slug, number, sample(number))
            yield Step(slug, number + 1)

    def _slug(self, actor: Actor) -> str:
        known = [view.slug for view in self._collections.list(actor) if view.name == NAME]
        if known:
            return known[0]
        return self._collections.create(actor, name=NAME, description=DESCRIPTION).slug

    def _store(self, actor: Actor, slug: str, number: int, drawn: Sample) -> None:
        wishes = Wishes(collection=slug, tags=("sample",), uploaded_from="demo")
        offer = Offer(drawn.name, BytesIO(drawn.content), len(drawn.content))
        stored = self._ingest.accept(actor, offer, wishes)
        if not stored.duplicate and number % LABELLED:
            self._annotations.put(actor, stored.id, _document(drawn), "*")


def _document(drawn: Sample) -> dict[str, Any]:
    return {
        "state": "done",
        "annotations": [
            {"label": label, "box": {"x": x, "y": y, "w": width, "h": height}}
            for label, x, y, width, height in drawn.boxes
        ],
    }
