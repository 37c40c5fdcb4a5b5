"""The one way by which annotations are written, whoever writes them.

A save is one transaction: rows, log, counts by label, the picture's row and the audit log.
It costs what it changes, not what the picture has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, update
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.domain.access import Actor
from app.domain.annotation import Change, Changes
from app.domain.operations import SaveKind
from app.domain.states import AnnotationState
from app.models import Image
from app.services import annotation_log
from app.services.annotation_batch import SavesAhead, WholeSave, make_ahead
from app.services.annotation_planning import Planned, event_details, planned
from app.services.annotation_rows import delete_rows, write_rows
from app.services.attribute_checks import require_complete
from app.services.audit import AuditLog, Subject
from app.services.label_counts import LabelCounts
from app.services.picture_access import PictureAccess
from app.services.task_rows import TaskRows


@dataclass(frozen=True, slots=True)
class Written:
    """The set after a save; ``steps`` are those of the save with their revision and places.

    Nothing was to be changed: the revision is the one from before, and there are no steps.
    """

    revision: int
    state: AnnotationState
    count: int
    steps: tuple[Change, ...] = ()


class AnnotationWriting:
    """Every service that writes annotations has this one."""

    def __init__(
        self,
        audit: AuditLog,
        counts: LabelCounts,
        clock: Callable[[], datetime] = utc_now,
        tasks: TaskRows | None = None,
    ) -> None:
        self._audit = audit
        self._counts = counts
        self._clock = clock
        self._tasks = tasks or TaskRows()

    def write_set(
        self,
        session: Session,
        actor: Actor,
        picture: PictureAccess,
        changes: Changes,
        *,
        kind: SaveKind,
        state: AnnotationState | None = None,
        came_from: PictureAccess | None = None,
        paths: Mapping[UUID, str] | None = None,
    ) -> Written:
        """Write what a save changes, in the caller's write transaction.

        ``picture`` was read in this transaction, and the caller has seen to it that ``actor``
        may do this. ``before`` of each step is what the rows say now. The revision of what is
        new is set here; so is its place where it has none: on top, or where it was.
        ``state`` is what the save asks for, None for nothing. ``came_from`` is the picture in
        the collection that it left just now, all of its annotations among the steps.
        ``paths`` are the places of annotations in what was sent, by their ids.

        Raises ``NotPermitted`` for a state that is not theirs to give, ``PictureSubmitted`` for
        a picture that is read-only to them, ``InvalidInput`` for too many boxes, and for one
        that becomes done or accepted and lacks an attribute that a label needs.
        """
        at = self._clock()
        made = planned(session, actor, picture, changes, kind=kind, state=state, at=at)
        save = made.save
        annotation_log.append(session, save)
        if not save.says_more:
            return Written(save.seq, made.state, picture.annotation_count)
        self._write(session, made, came_from or picture)
        if made.becomes_done:
            require_complete(session, picture, paths, made.state)
        self._tasks.note(session, picture.id, actor.user_id, save.states, kind, save.at)
        self._note(session, actor, save)
        return Written(save.seq, made.state, made.count, save.changes.steps)

    def ahead(
        self, engine: Engine, actor: Actor, saves: Sequence[WholeSave], kind: SaveKind
    ) -> SavesAhead:
        """What `write_sets` writes, made before its transaction; no picture stands twice.

        Whoever planned the saves has seen to it that who becomes done lacks nothing.
        """
        return make_ahead(engine, self._audit, actor, saves, kind)

    def write_sets(
        self, session: Session, actor: Actor, collection_id: UUID, ahead: SavesAhead
    ) -> None:
        """`write_set` for many pictures of a collection, in a few statements for all.

        The caller has seen to it, in this transaction, that every picture is as it was when
        its save was planned, and that what was sealed is fresh.
        """
        at = self._clock()
        ahead.log.write(session, at=at)
        delete_rows(session, ahead.gone)
        ahead.added.write(session, created_at=at, updated_at=at)
        ahead.updated.write(session, updated_at=at)
        ahead.moved.write(session)
        self._counts.note_all(session, collection_id, ahead.moves)
        ahead.images.write(session, updated_at=at)
        self._tasks.note_all(session, actor.user_id, ahead.states, ahead.way, at)
        self._audit.append_all(session, ahead.events)

    def _write(self, session: Session, made: Planned, came_from: PictureAccess) -> None:
        picture, net = made.picture, made.net
        before = [change.before for change in net if change.before]
        after = [change.after for change in net if change.after]
        write_rows(session, made.rows(), made.save.at)
        if came_from is not picture:
            self._counts.note(session, came_from, before, ())
            self._counts.note(session, picture, (), after)
        elif net:
            self._counts.note(session, picture, before, after)
        session.execute(
            update(Image)
            .where(Image.id == picture.id)
            .values(updated_at=made.save.at, **made.image_row())
        )

    def _note(self, session: Session, actor: Actor, save: annotation_log.Save) -> None:
        self._audit.append(
            session,
            f"annotations.{save.way.value}",
            actor=actor,
            subject=Subject("image", save.image_id),
            details=event_details(save),
        )
