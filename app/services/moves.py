"""Moving a picture to another collection: rows only, its blobs stay where they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.orm import Session

from app.crypto.blind_index import dedupe_index
from app.db.times import utc_now
from app.domain.access import Action, Actor
from app.domain.annotation import Change, Changes
from app.domain.ids import new_id
from app.domain.label_schema import names_of
from app.domain.labels import unknown_names
from app.domain.operations import SaveKind
from app.errors import Conflict
from app.models import Image, ImageTask
from app.services.annotation_rows import read_rows
from app.services.annotation_writing import AnnotationWriting
from app.services.audit import AuditLog, Subject
from app.services.collection_access import CollectionAccess, require_collection
from app.services.counters import count_image
from app.services.exchange.notes import move_notes
from app.services.label_rows import all_classes, living, make_classes
from app.services.picture_access import PictureAccess, require_picture
from app.services.task_rows import clear_desks

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.image_rows import ImageRows
    from app.services.keys import RootKeys
    from app.services.tags import Tags


class Moves:
    """Tags and labels go along by name; the collection's own lists take in new ones."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        roots: RootKeys,
        rows: ImageRows,
        tags: Tags,
        audit: AuditLog,
        writing: AnnotationWriting,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._uow = uow
        self._roots = roots
        self._rows = rows
        self._tags = tags
        self._audit = audit
        self._writing = writing
        self._clock = clock

    def move(self, actor: Actor, image_id: UUID, slug: str) -> None:
        """Move one picture; whoever does it edits here and uploads there.

        Raises Conflict if the other collection has the same file, InvalidInput if its closed
        label set lacks a label of a box.
        """
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.EDIT_METADATA, image_id)
            target = require_collection(session, actor, Action.UPLOAD, slug)
            if target.id != picture.collection_id:
                self._move(session, actor, picture, target)

    def _move(
        self, session: Session, actor: Actor, picture: PictureAccess, target: CollectionAccess
    ) -> None:
        row = session.get_one(Image, picture.id)
        sha256 = bytes.fromhex((row.meta or {})["sha256"])
        if self._rows.duplicate(session, target.id, sha256) is not None:
            raise Conflict(
                "That collection has this file already, perhaps in its trash.",
                operation="image.move",
            )
        boxes = self._boxes(session, actor, picture, target)
        names = self._tags.drop_all(session, picture.id)
        count_image(session, picture.collection_id, row.sort_at, -1)
        blind = self._roots.active("blind").key
        row.collection_id, row.dedupe = target.id, dedupe_index(blind, target.id, sha256)
        row.updated_at = self._clock()
        session.flush()
        count_image(session, target.id, row.sort_at, 1)
        self._relabel(session, actor, picture, target, boxes)
        move_notes(session, picture.id, target.id)
        clear_desks(session, ImageTask.image_id == picture.id)
        self._tags.attach(
            session,
            image_id=picture.id,
            collection_id=target.id,
            sort_at=row.sort_at,
            names=names,
        )
        self._audit.append(
            session,
            "image.move",
            actor=actor,
            subject=Subject("image", picture.id),
            details={"from": str(picture.collection_id), "to": str(target.id)},
        )

    def _boxes(
        self,
        session: Session,
        actor: Actor,
        picture: PictureAccess,
        target: CollectionAccess,
    ) -> Changes:
        """Boxes point to classes of their collection: find or make those of the same name."""
        before = all_classes(session, picture.collection_id)
        boxes = read_rows(session, picture.id, before)
        classes = all_classes(session, target.id)
        names = unknown_names(
            dict.fromkeys((box.label for box in boxes), "collection"),
            living(classes),
            is_open=not target.labels_closed,
        )
        made = make_classes(session, target.id, names, classes, self._clock(), actor.user_id)
        known = names_of(living(made))
        steps = (
            Change(new_id(), box, replace(box, label_id=known[box.label].id)) for box in boxes
        )
        return Changes(tuple(steps))

    def _relabel(
        self,
        session: Session,
        actor: Actor,
        picture: PictureAccess,
        target: CollectionAccess,
        boxes: Changes,
    ) -> None:
        if boxes.any:
            there = replace(picture, collection_id=target.id)
            self._writing.write_set(
                session, actor, there, boxes, kind=SaveKind.MOVE, came_from=picture
            )
