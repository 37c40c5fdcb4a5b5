"""Comments on a picture: about all of it, about one annotation, or about a place."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, allows, require
from app.domain.ids import new_id
from app.domain.names import clean_description, refuse
from app.errors import Conflict, NotFound, NotPermitted
from app.models import Annotation as AnnotationRow
from app.models import Comment
from app.services.audit import AuditLog, Subject
from app.services.people import Person, people
from app.services.picture_access import PictureAccess, require_picture

MOST: Final = 1000
NOT_YOURS_TO_OPEN: Final = "Its author, who resolved it or a reviewer can open it again."
_COLUMNS = (
    Comment.id,
    Comment.image_id,
    Comment.annotation_id,
    Comment.author_id,
    Comment.created_at,
    Comment.updated_at,
    Comment.resolved_at,
    Comment.resolved_by,
    Comment.body,
)


@dataclass(frozen=True, slots=True)
class CommentView:
    """``author`` and ``resolver`` None: nobody, or an account that is gone. ``point`` is in
    pixels. ``rejection``: why the picture was rejected, said with the verdict. ``can`` names
    what the caller may do with it now: edit, resolve, reopen, delete.
    """

    id: UUID
    image_id: UUID
    annotation_id: UUID | None
    point: tuple[float, float] | None
    text: str
    author: Person | None
    rejection: bool
    created_at: datetime
    updated_at: datetime
    resolved_at: datetime | None
    resolver: Person | None
    can: tuple[str, ...]


class Comments:
    """Whoever reads the annotations reads them; whoever annotates writes and resolves, since
    who has mended a thing says so. It is opened again by its author, by who resolved it, or
    by a reviewer; a text is changed by its author alone, and deleted by its author or a
    reviewer.
    """

    def __init__(
        self, uow: UnitOfWork, audit: AuditLog, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._uow = uow
        self._audit = audit
        self._clock = clock

    def list(self, actor: Actor, image_id: UUID) -> tuple[CommentView, ...]:
        """All comments on a picture, oldest first; ``NotFound``, ``NotPermitted``."""
        with self._uow.read_rows() as connection:
            picture = require_picture(connection, actor, Action.READ_ANNOTATIONS, image_id)
            chosen = select(*_COLUMNS).where(Comment.image_id == image_id)
            rows = connection.execute(chosen.order_by(Comment.created_at, Comment.id)).all()
            return _views(connection, actor, picture, rows)

    def add(
        self,
        actor: Actor,
        image_id: UUID,
        text: object,
        *,
        annotation_id: UUID | None = None,
        point: tuple[float, float] | None = None,
    ) -> CommentView:
        """Say something; ``InvalidInput`` for no text or an annotation that is none here,
        ``Conflict`` for too many, ``NotFound``, ``NotPermitted``.
        """
        words = clean_comment(text)
        with self._uow.write() as session:
            picture = require_picture(session, actor, Action.COMMENT, image_id)
            _check_there(session, image_id, annotation_id)
            counted = select(func.count()).where(Comment.image_id == image_id)
            if (session.scalar(counted) or 0) >= MOST:
                raise Conflict(f"A picture has at most {MOST} comments.", operation="comment")
            now = self._clock()
            body = {"text": words, "point": list(point) if point else None}
            row = comment_row(image_id, actor.user_id, now, body)
            session.execute(insert(Comment), [row | {"annotation_id": annotation_id}])
            self._note(session, "comment.add", actor, picture, row["id"])
            return _one(session, actor, picture, row["id"])

    def change(
        self,
        actor: Actor,
        comment_id: UUID,
        *,
        text: object = None,
        resolved: bool | None = None,
    ) -> CommentView:
        """Say it otherwise, or mark it as done or open; None leaves as it is.

        Raises ``NotPermitted`` for another's text, and for opening again what is not theirs.
        """
        words = clean_comment(text) if text is not None else None
        with self._uow.write() as session:
            picture, row = _found(session, actor, comment_id, Action.COMMENT)
            now = self._clock()
            told: dict[str, Any] = {}
            may = _may(actor, picture, row)
            if words is not None:
                if "edit" not in may:
                    raise NotPermitted("Only who wrote a comment can change it.")
                told |= {"body": row.body.of(row.id) | {"text": words}, "updated_at": now}
            if resolved is not None and resolved != (row.resolved_at is not None):
                if not resolved and "reopen" not in may:
                    raise NotPermitted(NOT_YOURS_TO_OPEN)
                told["resolved_at"] = now if resolved else None
                told["resolved_by"] = actor.user_id if resolved else None
            if told:
                session.execute(update(Comment), [{"id": comment_id, **told}])
                self._note(session, "comment.change", actor, picture, comment_id)
            return _one(session, actor, picture, comment_id)

    def remove(self, actor: Actor, comment_id: UUID) -> None:
        """Delete it for everybody; its author, or a reviewer."""
        with self._uow.write() as session:
            picture, row = _found(session, actor, comment_id, Action.COMMENT)
            if "delete" not in _may(actor, picture, row):
                raise NotPermitted("Only its author or a reviewer can delete a comment.")
            session.execute(delete(Comment).where(Comment.id == comment_id))
            self._note(session, "comment.remove", actor, picture, comment_id)

    def _note(
        self,
        session: Session,
        action: str,
        actor: Actor,
        picture: PictureAccess,
        comment_id: UUID,
    ) -> None:
        subject, details = Subject("image", picture.id), {"comment": str(comment_id)}
        self._audit.append(session, action, actor=actor, subject=subject, details=details)


def comment_row(
    image_id: UUID, author_id: UUID | None, at: datetime, body: dict[str, Any]
) -> dict[str, Any]:
    """A new comment as a row; ``body`` is {text, point, of?}, see the model."""
    return {
        "id": new_id(),
        "image_id": image_id,
        "author_id": author_id,
        "created_at": at,
        "updated_at": at,
        "body": body,
    }


def clean_comment(text: object) -> str:
    """1 to 2,000 characters in lines; ``InvalidInput``."""
    words = clean_description(text, "$.text")
    if not words:
        raise refuse("$.text", "This must not be empty.")
    return words


def _check_there(session: Session, image_id: UUID, annotation_id: UUID | None) -> None:
    there = select(AnnotationRow.id).where(
        AnnotationRow.id == annotation_id, AnnotationRow.image_id == image_id
    )
    if annotation_id is not None and session.scalar(there) is None:
        raise refuse("$.annotation_id", "There is no such annotation on this picture.")


def _found(
    session: Session, actor: Actor, comment_id: UUID, action: Action
) -> tuple[PictureAccess, Any]:
    row: Any = session.execute(select(*_COLUMNS).where(Comment.id == comment_id)).first()
    if row is None:
        require(actor, action, None)  # a scope that is missing is told before what there is
        raise NotFound("There is nothing here.", operation="comment.find")
    return require_picture(session, actor, action, row.image_id), row


def _may(actor: Actor, picture: PictureAccess, row: Any) -> tuple[str, ...]:
    """What somebody may do with a comment as it is."""
    if not allows(actor, Action.COMMENT, picture.facts):
        return ()
    own = row.author_id is not None and row.author_id == actor.user_id
    reviews = allows(actor, Action.REVIEW, picture.facts)
    done_by_them = row.resolved_by is not None and row.resolved_by == actor.user_id
    told = {
        "edit": own,
        "resolve": row.resolved_at is None,
        "reopen": row.resolved_at is not None and (own or done_by_them or reviews),
        "delete": own or reviews,
    }
    return tuple(word for word, may in told.items() if may)


def _one(
    session: Session, actor: Actor, picture: PictureAccess, comment_id: UUID
) -> CommentView:
    rows = session.execute(select(*_COLUMNS).where(Comment.id == comment_id)).all()
    return _views(session, actor, picture, rows)[0]


def _views(
    source: Session | Connection,
    actor: Actor,
    picture: PictureAccess,
    rows: builtins.list[Any] | Any,
) -> tuple[CommentView, ...]:
    ids = [id_ for row in rows for id_ in (row.author_id, row.resolved_by)]
    known = people(source, actor, ids)
    return tuple(_view(row, known, _may(actor, picture, row)) for row in rows)


def _view(row: Any, known: dict[UUID, Person], may: tuple[str, ...]) -> CommentView:
    body = row.body.of(row.id)
    point = body.get("point")
    return CommentView(
        id=row.id,
        image_id=row.image_id,
        annotation_id=row.annotation_id,
        point=(point[0], point[1]) if point else None,
        text=body["text"],
        author=known.get(row.author_id),
        rejection=body.get("of") == "rejected",
        created_at=row.created_at,
        updated_at=row.updated_at,
        resolved_at=row.resolved_at,
        resolver=known.get(row.resolved_by),
        can=may,
    )
