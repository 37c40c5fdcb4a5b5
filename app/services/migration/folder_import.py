"""One source after the other: opened, looked at, stored as any upload, its boxes added."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final
from uuid import UUID

from app.domain.access import Actor
from app.errors import DarkroomError, DecryptionFailed, InvalidInput, RefusedError
from app.media.probe import TWO_BYTE_TYPES
from app.services.examination import ACCEPTED_TYPES, Offer
from app.services.migration.boxes import BoxMoves, boxes_of_file
from app.services.migration.label_files import read_labels
from app.services.migration.opened import Opened, Opener
from app.services.migration.outcome import Outcome, Verdict
from app.services.migration.sources import Source
from app.services.new_image import Wishes

if TYPE_CHECKING:
    from app.formats.labelled_box import LabelledBox
    from app.services.ingest import IngestService, Stored

NO_PICTURE: Final = "The picture that this file belongs to is missing."
UNREADABLE: Final = "It cannot be read."
LONGEST_ORIGIN: Final = 120
NOISE: Final = frozenset({"cut", "damaged", "crash"})
"""What a decoder says about bytes that a wrong key made, as about damaged ones."""


class FolderImport:
    """Stores through the same door as every upload; keeps no state of its own."""

    def __init__(self, ingest: IngestService, boxes: BoxMoves) -> None:
        self._ingest = ingest
        self._boxes = boxes

    def take(
        self, actor: Actor, source: Source, opener: Opener, wishes: Wishes, *, dry_run: bool
    ) -> Outcome:
        """Import one source, or say why not. What is there already is not stored again.

        Faults that are not the source's own (the store, the vault, the database) go on as
        the errors that they are.
        """
        try:
            return self._take(actor, source, opener, wishes, dry_run=dry_run)
        except (RefusedError, DecryptionFailed, OSError) as failure:
            return refused(source.name, failure)

    def _take(
        self, actor: Actor, source: Source, opener: Opener, wishes: Wishes, *, dry_run: bool
    ) -> Outcome:
        if source.alone:
            raise InvalidInput(NO_PICTURE)
        labels = read_labels(source)
        with opener.open(source) as opened:
            try:
                return self._store(actor, source.name, opened, labels, wishes, dry_run=dry_run)
            except RefusedError as refusal:
                raise failure_of(opened, refusal) from None

    def _store(
        self,
        actor: Actor,
        name: str,
        opened: Opened,
        labels: tuple[LabelledBox, ...],
        wishes: Wishes,
        *,
        dry_run: bool,
    ) -> Outcome:
        offer = Offer(opened.name, opened.content, opened.size)
        origin = f"import:{name[-LONGEST_ORIGIN:]}"
        wishes = replace(wishes, uploaded_from=origin, provenance=opened.provenance)
        if dry_run:
            known = self._ingest.try_out(actor, offer, wishes)
            return Outcome(name, Verdict.THERE if known else Verdict.READY, boxes=len(labels))
        stored = self._ingest.accept(actor, offer, wishes)
        added = self._add(actor, stored, labels)
        new = not stored.duplicate or added
        verdict = Verdict.IMPORTED if new else Verdict.THERE
        return Outcome(name, verdict, image_id=stored.id, boxes=added)

    def _add(self, actor: Actor, stored: Stored, labels: tuple[LabelledBox, ...]) -> int:
        if not labels:
            return 0
        boxes = boxes_of_file(stored.id, labels, stored.width, stored.height)
        return self._boxes.add(actor, stored.id, boxes)


def refused(
    name: str, failure: DarkroomError | OSError, image_id: UUID | None = None
) -> Outcome:
    """The outcome for a source that was not taken."""
    return Outcome(name, Verdict.REFUSED, reason_of(failure), image_id)


def reason_of(failure: DarkroomError | OSError) -> str:
    """One line: the sentence, and the first places of what is wrong."""
    if isinstance(failure, OSError):
        return UNREADABLE
    if isinstance(failure, InvalidInput) and failure.mistakes:
        first = failure.mistakes[0]
        return f"{failure.message} {first.path}: {first.message}".strip()
    return failure.message


def failure_of(opened: Opened, refusal: RefusedError) -> DarkroomError:
    """What a refused picture means where its key is unproven: noise is a failed decryption.

    Without a tag nothing tells a wrong key from a damaged file, so both are one error. What
    is plainly something else (a clip, a document, a picture over a limit) keeps its reason.
    """
    by_chance = (None, *ACCEPTED_TYPES, *TWO_BYTE_TYPES)
    noise = refusal.details.get("reason") in NOISE
    recognised = refusal.details.get("recognised", "")
    unknown = refusal.code == "unsupported_type" and recognised in by_chance
    empty = refusal.operation == "ingest.size" and opened.size == 0
    if opened.unproven and (noise or unknown or empty):
        return DecryptionFailed(operation="legacy.open")
    return refusal
