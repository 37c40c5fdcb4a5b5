"""An import made ready, then written: every annotation and note in one transaction, or none.

What costs (opening, comparing, sealing) is done before, a page of pictures at a time, from
what is there then. The transaction looks whether the pictures and the labels are still so,
and writes each page in a few statements. A page that somebody changed meanwhile is made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.annotation import Annotation, merge
from app.domain.labels import LabelClass
from app.domain.operations import SaveKind
from app.domain.states import AnnotationState
from app.jobs.watch import Watch
from app.services.annotation_batch import SavesAhead, WholeSave
from app.services.annotation_planning import planned
from app.services.annotation_rows import read_many, read_rows
from app.services.attribute_checks import check_complete
from app.services.exchange.applying import (
    Outcome,
    document_of,
    note_of,
    plan_picture,
    state_of,
)
from app.services.exchange.matching import Match, place_of
from app.services.exchange.notes import (
    NotesAhead,
    PictureNote,
    notes_ahead,
    write_document,
    write_notes,
)
from app.services.exchange.options import ImportOptions
from app.services.exchange.planning import Plan
from app.services.exchange.reading import Reading
from app.services.label_rows import (
    MadeClasses,
    all_classes,
    living,
    plan_classes,
    write_classes,
)
from app.services.picture_access import PictureAccess, find_pictures
from app.services.schema_rows import version_of

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.annotation_writing import AnnotationWriting

Source = Session | Connection
PAGE: Final = 100
"""Pictures that are read, and written, at once."""


@dataclass(frozen=True, slots=True)
class Page:
    """``seen``: the pictures as they were when the rest was made from them."""

    matches: tuple[Match, ...]
    seen: Mapping[UUID, PictureAccess]
    outcome: Outcome
    saves: SavesAhead
    notes: NotesAhead


@dataclass
class Prepared:
    """``again``: pictures that the file means a second time, as one of the archive; made after
    the first was written."""

    actor: Actor
    reading: Reading
    stored: Mapping[str, UUID]
    options: ImportOptions
    made: MadeClasses
    classes: Mapping[str, LabelClass]
    pages: list[Page] = field(default_factory=list)
    again: list[Match] = field(default_factory=list)

    @property
    def collection_id(self) -> UUID:
        return self.reading.access.id

    def image_of(self, match: Match) -> UUID:
        meant = match.meant
        return meant.id or self.stored[meant.twin or meant.entry or ""]


class TakingIn:
    """Makes an import ready and writes it in the transaction that it is given."""

    def __init__(self, uow: UnitOfWork, writing: AnnotationWriting) -> None:
        self._uow = uow
        self._writing = writing

    def prepare(
        self,
        actor: Actor,
        reading: Reading,
        stored: Mapping[str, UUID],
        options: ImportOptions,
        watch: Watch,
    ) -> Prepared:
        """Raises ``NotFound``, ``NotPermitted``; ``InvalidInput`` for too many annotations,
        and for what a label needs and nobody said."""
        chosen = reading.classes
        with self._uow.read_rows() as connection:
            known = all_classes(connection, reading.access.id)
        made = plan_classes(chosen.new, known, chosen.details)
        classes = chosen.with_new({label.name: label for label in living(made.all)})
        prepared = Prepared(actor, reading, stored, options, made, classes)
        first: dict[UUID, Match] = {}
        for match in reading.matches:
            if first.setdefault(prepared.image_of(match), match) is not match:
                prepared.again.append(match)
        matches = tuple(first.values())
        for start in range(0, len(matches), PAGE):
            watch.advance(start, len(matches))
            with self._uow.read_rows() as connection:
                page = self._page(connection, prepared, matches[start : start + PAGE])
            prepared.pages.append(page)
        return prepared

    def labels_hold(self, session: Session, prepared: Prepared) -> bool:
        """Whether the labels are still those for which the file was read."""
        return version_of(session, prepared.collection_id) == prepared.reading.version

    def stale(self, session: Session, prepared: Prepared) -> list[int]:
        """The numbers of the pages that do not hold any more."""
        return [
            n for n, page in enumerate(prepared.pages) if not _holds(session, prepared, page)
        ]

    def make_again(
        self, prepared: Prepared, pages: Sequence[int], session: Session | None = None
    ) -> None:
        """These pages, from what is there now; ``session``: in the transaction that writes,
        for who has tried often enough before it."""
        for n in pages:
            matches = prepared.pages[n].matches
            if session is not None:
                prepared.pages[n] = self._page(session, prepared, matches)
                continue
            with self._uow.read_rows() as connection:
                prepared.pages[n] = self._page(connection, prepared, matches)

    def write(self, session: Session, prepared: Prepared, at: datetime) -> Outcome:
        """All of it; the pages hold."""
        actor, reading, where = prepared.actor, prepared.reading, prepared.collection_id
        write_classes(session, where, prepared.made, at, actor.user_id)
        outcome = Outcome()
        for page in self._pages(session, prepared):
            self._writing.write_sets(session, actor, where, page.saves)
            write_notes(session, where, reading.format.NAME, page.notes, at)
            outcome.add(page.outcome)
        document = document_of(reading, prepared.classes)
        write_document(session, where, reading.format.NAME, document)
        return outcome

    def _pages(self, session: Session, prepared: Prepared) -> Iterator[Page]:
        yield from prepared.pages
        for match in prepared.again:
            yield self._page(session, prepared, (match,))

    def _page(self, source: Source, prepared: Prepared, matches: tuple[Match, ...]) -> Page:
        ids = [prepared.image_of(match) for match in matches]
        seen = find_pictures(source, prepared.actor, ids)
        drawn = read_many(source, ids, prepared.made.all)
        outcome = Outcome()
        saves: list[WholeSave] = []
        notes: dict[UUID, PictureNote] = {}
        for match, image_id in zip(matches, ids, strict=True):
            picture = seen.get(image_id)
            if picture is None or picture.collection_id != prepared.collection_id:
                outcome.missing += 1
                continue
            current = drawn.get(image_id)
            if current is None:  # a damaged one: told by its opening
                current = read_rows(source, image_id, prepared.made.all)
            given = _planned(source, prepared, match, picture, current, outcome)
            if given is not None:
                saves.append(given[0])
                notes[image_id] = given[1]
        engine, format_ = self._uow.engine, prepared.reading.format.NAME
        return Page(
            matches,
            seen,
            outcome,
            self._writing.ahead(engine, prepared.actor, saves, SaveKind.IMPORT),
            notes_ahead(engine, prepared.collection_id, format_, notes),
        )


def _planned(
    source: Source,
    prepared: Prepared,
    match: Match,
    picture: PictureAccess,
    current: Sequence[Annotation],
    outcome: Outcome,
) -> tuple[WholeSave, PictureNote] | None:
    """What is written about a picture; None where it stays as it is."""
    actor, reading, options = prepared.actor, prepared.reading, prepared.options
    made = plan_picture(
        reading, match, picture, current, prepared.classes, options.mode, outcome
    )
    if made is None or made.left_alone:
        return None
    require(actor, Action.ANNOTATE, picture.facts)
    accepted = picture.annotation_state is AnnotationState.ACCEPTED
    save = planned(
        source,
        actor,
        picture,
        merge(current, made.wanted),
        kind=SaveKind.IMPORT,
        # Whoever reopens what was accepted says so by itself.
        state=None if accepted else state_of(options, actor, picture, match.picture),
        at=utc_now(),
    )
    if save.becomes_done:
        check_complete(made.wanted, prepared.made.all, _places(match, made), save.state)
    note = note_of(match, made, reading.notes.next_place + match.place, save.state)
    return WholeSave.of(save, current, made.wanted), note


def _places(match: Match, made: Plan) -> dict[UUID, str]:
    return {id_: place_of(match, n) for n, id_ in enumerate(made.ids)}


def _holds(session: Session, prepared: Prepared, page: Page) -> bool:
    """A picture's annotations are the same as long as its revision is."""
    ids = [prepared.image_of(match) for match in page.matches]
    now = find_pictures(session, prepared.actor, ids)
    same = {id_: _facts(one) for id_, one in now.items()} == {
        id_: _facts(one) for id_, one in page.seen.items()
    }
    return same and page.saves.is_fresh and page.notes.sealed.is_fresh


def _facts(picture: PictureAccess) -> tuple[Any, ...]:
    return (
        picture.collection_id,
        picture.facts,
        picture.annotation_rev,
        picture.annotation_state,
        picture.annotation_count,
    )
