"""The history of a picture's annotations: who, when, what; and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import and_, or_
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.domain.annotation import Annotation, merge
from app.domain.ids import new_id
from app.domain.label_schema import names_of, present
from app.domain.labels import LabelClass, unknown_names
from app.domain.limits import clean_page_size
from app.domain.names import refuse
from app.domain.operations import SaveKind
from app.errors import Conflict
from app.models import AnnotationOp
from app.services.annotation_log import KEPT
from app.services.annotation_past import Entry, entries, entry_of, reaches_back_to, undone
from app.services.annotation_rows import ids_of_other_pictures, read_rows
from app.services.annotation_writing import AnnotationWriting
from app.services.annotations import AnnotationSet
from app.services.cursor import Cursor
from app.services.label_rows import all_classes, living, make_classes
from app.services.people import Person, people
from app.services.picture_access import PictureAccess, require_picture
from app.services.schema_rows import version_of

#: Of a cursor's key, for the place within a save: ten thousand boxes may go and come in one.
_PLACES: Final = 20
_NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Newest first; ``people`` are those of the entries that still have an account."""

    entries: tuple[Entry, ...]
    people: Mapping[UUID, Person]
    next_cursor: str | None


class AnnotationHistory:
    """Read by whoever reads the annotations; going back is a change like any other."""

    def __init__(
        self,
        uow: UnitOfWork,
        writing: AnnotationWriting,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._writing = writing
        self._clock = clock

    def history(
        self,
        actor: Actor,
        image_id: UUID,
        cursor: Cursor | None = None,
        limit: int | None = None,
        annotation_id: UUID | None = None,
    ) -> HistoryPage:
        """What was done, newest first, to one annotation if told.

        Raises ``NotFound``, ``NotPermitted``.
        """
        size = clean_page_size(limit)
        chosen = (
            entries()
            .where(AnnotationOp.image_id == image_id, AnnotationOp.kind != KEPT)
            .order_by(AnnotationOp.seq.desc(), AnnotationOp.place.desc())
            .limit(size + 1)
        )
        if annotation_id is not None:
            chosen = chosen.where(AnnotationOp.annotation_id == annotation_id)
        if cursor is not None:
            seq, place = divmod(cursor.key, 1 << _PLACES)
            earlier = and_(AnnotationOp.seq == seq, AnnotationOp.place < place)
            chosen = chosen.where(or_(AnnotationOp.seq < seq, earlier))
        with self._uow.read_rows() as connection:
            require_picture(connection, actor, Action.READ_ANNOTATIONS, image_id)
            rows = connection.execute(chosen).all()
            found = tuple(entry_of(row) for row in rows[:size])
            known = people(connection, actor, (entry.actor_id for entry in found))
        if len(rows) <= size:
            return HistoryPage(found, known, None)
        more = Cursor(found[-1].seq << _PLACES | found[-1].place, _NOBODY)
        return HistoryPage(found, known, more.encode())

    def restore(self, actor: Actor, image_id: UUID, seq: int) -> AnnotationSet:
        """Make the annotations what they were at revision ``seq``, as a new change.

        The state stays, as after any save. Classes that were merged since are those that they
        went into; removed ones stay removed; of another collection, they are found or made by
        name. A box whose id another picture has by now gets another one.

        Raises ``InvalidInput`` for a revision that is none, ``Conflict`` for one that is older
        than the log, ``NotFound``, ``NotPermitted``.
        """
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.ANNOTATE, image_id)
            now = picture.annotation_rev
            if not 0 <= seq <= now:
                raise refuse("$.seq", f"The revisions of this set are 0 to {now}.")
            if not reaches_back_to(session, image_id, seq, now):
                raise Conflict("The history does not reach back that far.", operation="restore")
            classes = all_classes(session, picture.collection_id)
            current = read_rows(session, image_id, classes)
            then = undone(session, image_id, seq, current)
            then = _with_free_ids(session, image_id, then, current)
            wanted = self._labelled(session, actor, picture, then, classes)
            written = self._writing.write_set(
                session, actor, picture, merge(current, wanted), kind=SaveKind.RESTORE
            )
            classes = all_classes(session, picture.collection_id)
            result = read_rows(session, image_id, classes)
            schema = version_of(session, picture.collection_id)
        return AnnotationSet(image_id, written.revision, written.state, result, schema)

    def _labelled(
        self,
        session: Session,
        actor: Actor,
        picture: PictureAccess,
        then: tuple[Annotation, ...],
        classes: Mapping[UUID, LabelClass],
    ) -> list[Annotation]:
        foreign = {one.label: "$.seq" for one in then if one.label_id not in classes}
        names = unknown_names(foreign, living(classes), is_open=not picture.labels_closed)
        if names:
            where, now = picture.collection_id, self._clock()
            classes = make_classes(session, where, names, classes, now, actor.user_id)
        by_name = names_of(living(classes))
        found = []
        for one in then:
            label = present(classes, one.label_id) or by_name[one.label]
            found.append(replace(one, label_id=label.id, label=label.name))
        return found


def _with_free_ids(
    session: Session,
    image_id: UUID,
    then: tuple[Annotation, ...],
    current: tuple[Annotation, ...],
) -> tuple[Annotation, ...]:
    """Who sees a history can give the id of a deleted box to one on another picture."""
    there = {one.id for one in current}
    gone = [one.id for one in then if one.id not in there]
    taken = ids_of_other_pictures(session, image_id, gone)
    return tuple(replace(one, id=new_id()) if one.id in taken else one for one in then)
