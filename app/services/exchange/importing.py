"""A data set taken into a collection: looked at first, then applied whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.errors import Conflict, InvalidInput, Mistake, QuotaExceeded
from app.formats.losses import Loss, LossCode
from app.jobs.watch import UNWATCHED, Watch
from app.services.audit import Subject
from app.services.collection_access import require_collection
from app.services.exchange.applying import Outcome, preview
from app.services.exchange.archive import Upload
from app.services.exchange.classes import stand_ins
from app.services.exchange.options import ImportOptions, Mode
from app.services.exchange.reading import Reader, Reading
from app.services.exchange.report import Report, losses_json, mistakes_json, refused_report
from app.services.exchange.taking_in import Prepared, TakingIn

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.audit import AuditLog
    from app.services.exchange.stored_pictures import StoredPictures

MOST_NAMES = 200
TRIES = 3
"""So often what others changed meanwhile is made again before the transaction, not in it."""
Finish = Callable[[Session, Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Importing:
    """Used by jobs and by the command line alike; keeps no state."""

    uow: UnitOfWork
    reader: Reader
    pictures: StoredPictures
    taking_in: TakingIn
    audit: AuditLog
    clock: Callable[[], datetime] = field(default=utc_now)

    def open(self, file: Any, name: str) -> Upload:
        """``InvalidInput`` with the entry that is wrong, ``FileTooLarge``."""
        return self.reader.open(file, name)

    def examine(
        self,
        actor: Actor,
        slug: str,
        upload: Upload,
        options: ImportOptions,
        watch: Watch = UNWATCHED,
    ) -> Report:
        """What an import would do, in every mode, and what it would lose; writes nothing.

        What is wrong in the documents, or has no room, stands in ``mistakes`` of the report.
        Raises ``NotFound``, ``NotPermitted``, ``FileTooLarge``.
        """
        try:
            reading = self.reader.read(actor, slug, upload, options, watch)
        except InvalidInput as refusal:
            found = refusal.mistakes or (Mistake("", refusal.message),)
        except QuotaExceeded as refusal:
            found = (Mistake("archive", refusal.message),)
        else:
            return self._report(actor, reading, options)
        return refused_report(options.told(), found)

    def _report(self, actor: Actor, reading: Reading, options: ImportOptions) -> Report:
        modes: dict[str, Any] = {}
        read_only = 0
        if not reading.mistakes:
            classes = reading.classes.with_new(stand_ins(reading.classes))
            with self.uow.read() as session:
                for mode in Mode:
                    outcome = preview(session, actor, reading, reading.matches, mode, classes)
                    modes[mode.value] = outcome.told()
                    read_only = max(read_only, outcome.read_only)
        if read_only:
            reading.ledger.add(LossCode.READ_ONLY, count=read_only)
        return _told(reading, options, modes)

    def apply(
        self,
        actor: Actor,
        slug: str,
        upload: Upload,
        options: ImportOptions,
        *,
        accepted: bool,
        origin: str,
        since: datetime | None = None,
        finish: Finish | None = None,
        watch: Watch = UNWATCHED,
    ) -> Mapping[str, Any]:
        """Take it in; the counts. Either all of it is there afterwards, or nothing is.

        ``origin`` names this import and no other, ``since`` is when it began, its earlier
        tries included. ``finish`` is called in the transaction that writes, with what is
        returned. Raises ``InvalidInput`` with the places of mistakes, ``Conflict`` for losses
        that nobody has accepted, ``QuotaExceeded``, and as `examine`.
        """
        began = since or self.clock()
        given = (actor, slug, upload, options, watch)
        reading = self._accepted(*given, accepted=accepted)
        fresh = {path: each for path, each in reading.stored.items() if each.is_fresh}
        with self.pictures.taken_back_on_failure(actor, reading.access.id, origin, began):
            stored = self.pictures.store(actor, slug, upload, fresh, origin, watch)
            for _ in range(TRIES):
                prepared = self.taking_in.prepare(actor, reading, stored, options, watch)
                told = self._write(prepared, finish)
                if told is not None:
                    return told
                reading = self._accepted(*given, accepted=accepted)
            raise Conflict(
                "The labels of this collection change all the time. Try again later.",
                operation="exchange.apply",
            )

    def _accepted(
        self,
        actor: Actor,
        slug: str,
        upload: Upload,
        options: ImportOptions,
        watch: Watch,
        *,
        accepted: bool,
    ) -> Reading:
        reading = self.reader.read(actor, slug, upload, options, watch)
        if reading.mistakes:
            raise InvalidInput("This data set has mistakes.", mistakes=reading.mistakes)
        if reading.ledger.losses and not accepted:
            raise Conflict(
                "Something of this data set would be lost. Read the report, then accept it.",
                operation="exchange.accept",
            )
        return reading

    def _write(self, prepared: Prepared, finish: Finish | None) -> Mapping[str, Any] | None:
        """None where the labels changed since the file was read."""
        for last in (*[False] * TRIES, True):
            with self.uow.write() as session:
                stale = self._stale(session, prepared)
                if stale is None:
                    return None
                if last:
                    self.taking_in.make_again(prepared, stale, session)
                if last or not stale:
                    return self._commit(session, prepared, finish)
            self.taking_in.make_again(prepared, stale)
        raise AssertionError("the last try writes")

    def _stale(self, session: Session, prepared: Prepared) -> list[int] | None:
        read = prepared.reading.access
        now = require_collection(session, prepared.actor, Action.IMPORT, read.slug)
        same = (now.id, now.labels_closed) == (read.id, read.labels_closed)
        if not same or not self.taking_in.labels_hold(session, prepared):
            return None
        return self.taking_in.stale(session, prepared)

    def _commit(
        self, session: Session, prepared: Prepared, finish: Finish | None
    ) -> Mapping[str, Any]:
        reading, at = prepared.reading, self.clock()
        outcome = self.taking_in.write(session, prepared, at)
        told = _result(reading, outcome, len(prepared.stored))
        self.audit.append(
            session,
            "collection.import",
            actor=prepared.actor,
            subject=Subject("collection", reading.access.id),
            details={
                "format": reading.format.NAME,
                "mode": prepared.options.mode.value,
                "losses": sorted(loss.code.value for loss in reading.ledger.losses),
                **outcome.told(),
            },
        )
        if finish is not None:
            finish(session, told)
        return told


def _result(reading: Reading, outcome: Outcome, stored: int) -> dict[str, Any]:
    return {
        "collection": reading.access.slug,
        "format": reading.format.NAME,
        "stored": stored,
        **outcome.told(),
        "losses": losses_json(reading.ledger.losses),
    }


def _told(reading: Reading, options: ImportOptions, modes: Mapping[str, Any]) -> Report:
    pictures = reading.dataset.pictures
    losses: tuple[Loss, ...] = reading.ledger.losses
    back = reading.classes.back
    return {
        "options": options.told(),
        "collection": reading.access.slug,
        "format": reading.format.NAME,
        "words": reading.format.WORDS,
        "documents": reading.documents,
        "pictures": len(pictures),
        "annotations": sum(len(picture.items) for picture in pictures),
        "matched": len(reading.matches),
        "to_store": sum(each.is_fresh for each in reading.stored.values()),
        "classes": {
            "known": sorted({label.name for label in reading.classes.known.values()})[
                :MOST_NAMES
            ],
            "new": [name for name in reading.classes.new if name not in back][:MOST_NAMES],
            "back": list(back)[:MOST_NAMES],
        },
        "modes": dict(modes),
        "losses": losses_json(losses),
        "mistakes": mistakes_json(reading.mistakes),
        "needs_acceptance": bool(losses),
        "can_apply": not reading.mistakes and bool(reading.matches or reading.stored),
    }
