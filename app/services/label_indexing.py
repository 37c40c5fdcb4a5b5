"""Switching a collection's index of labels on and off, and filling it.

It counts as on only once every picture is in it: until then a search opens pictures as
without one. Filling is a job that may be stopped and begun again; what is saved meanwhile is
caught up with in the transaction that switches the index on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.jobs.watch import UNWATCHED, Watch
from app.models import Annotation, Image, LabelSchema, LabelToken
from app.models.image import NOT_DESTROYED
from app.services.audit import AuditLog, Subject
from app.services.collection_access import require_collection
from app.services.label_tallies import opened_label
from app.services.schema_rows import made_row

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.jobs import Queueing
    from app.services.label_index import LabelIndex

JOB: Final = "labels.index"
AT_ONCE: Final = 200
#: A save that took its time before the work began has committed by then.
LONGEST_SAVE: Final = timedelta(minutes=5)


class LabelIndexing:
    """A collection's owner decides; a job does the work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        index: LabelIndex,
        jobs: Queueing,
        audit: AuditLog,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._index = index
        self._jobs = jobs
        self._audit = audit
        self._clock = clock

    def switch(self, actor: Actor, slug: str, *, on: bool) -> UUID:
        """Build the index, or drop it; the job that does. Off is off at once."""
        with self._uow.write() as session:
            found = require_collection(session, actor, Action.MANAGE_COLLECTION, slug)
            if not on:
                _set(session, made_row(session, found.id).id, on=False)
            self._audit.append(
                session,
                "collection.label_index",
                actor=actor,
                subject=Subject("collection", found.id),
                details={"on": on},
            )
            params = {"collection": str(found.id), "on": on}
            return self._jobs.enqueue(session, JOB, params, owner=actor.user_id)

    def run(self, collection_id: UUID, *, on: bool, watch: Watch = UNWATCHED) -> int:
        """The job's part: how many pictures were put in, or rows dropped."""
        if on:
            return self._build(collection_id, watch)
        return self._drop(collection_id, watch)

    def _build(self, collection_id: UUID, watch: Watch) -> int:
        begun = self._clock() - LONGEST_SAVE
        with self._uow.read() as session:
            ids = _drawn_on(session, collection_id)
        for done, batch in _batches(ids):
            watch.advance(done, len(ids))
            with self._uow.write() as session:
                self._fill(session, collection_id, batch)
        with self._uow.write() as session:
            row = made_row(session, collection_id)
            late = _drawn_on(session, collection_id, since=begun)
            for _, batch in _batches(late):
                self._fill(session, collection_id, batch)
            _set(session, row.id, on=True)
        return len({*ids, *late})

    def _fill(self, session: Session, collection_id: UUID, ids: Sequence[UUID]) -> None:
        """The tokens of these pictures, and no others; those that were moved are left out."""
        session.execute(
            delete(LabelToken).where(
                LabelToken.collection_id == collection_id, LabelToken.image_id.in_(ids)
            )
        )
        rows = session.execute(
            select(Annotation.id, Annotation.label, Annotation.image_id)
            .join(Image, Image.id == Annotation.image_id)
            .where(Annotation.image_id.in_(ids), Image.collection_id == collection_id)
        )
        pairs = {
            (row.image_id, label) for row in rows if (label := opened_label(row)) is not None
        }
        self._index.add(session, collection_id, sorted(pairs))

    def _drop(self, collection_id: UUID, watch: Watch) -> int:
        gone = 0
        chosen = (
            select(LabelToken.token, LabelToken.image_id)
            .where(LabelToken.collection_id == collection_id)
            .limit(AT_ONCE)
        )
        while True:
            watch.advance(gone)
            with self._uow.write() as session:
                if made_row(session, collection_id).is_indexed:
                    return gone  # it was switched on again meanwhile
                rows: Sequence[Any] = session.execute(chosen).all()
                session.execute(
                    delete(LabelToken).where(
                        LabelToken.collection_id == collection_id,
                        LabelToken.token.in_({row.token for row in rows}),
                        LabelToken.image_id.in_({row.image_id for row in rows}),
                    )
                )
            if not rows:
                return gone
            gone += len(rows)


def _drawn_on(
    session: Session, collection_id: UUID, since: datetime | None = None
) -> list[UUID]:
    """The pictures that have annotations; with ``since`` those that changed, and may have
    none any more."""
    wanted = select(Image.id).where(Image.collection_id == collection_id, NOT_DESTROYED)
    if since is None:
        wanted = wanted.where(Image.annotation_count > 0)
    else:
        wanted = wanted.where(Image.updated_at >= since)
    return sorted(session.scalars(wanted))


def _batches(ids: Sequence[UUID]) -> Iterator[tuple[int, Sequence[UUID]]]:
    return ((n, ids[n : n + AT_ONCE]) for n in range(0, len(ids), AT_ONCE))


def _set(session: Session, row_id: UUID | None, *, on: bool) -> None:
    session.execute(
        update(LabelSchema)
        .where(LabelSchema.id == row_id)
        .values(is_indexed=on)
        .execution_options(synchronize_session=False)
    )
