"""Collections: made, listed, described, changed and removed."""

from __future__ import annotations

import builtins
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.times import utc_now
from app.domain.access import Action, Actor, Role, require
from app.domain.ids import new_id, new_slug
from app.domain.names import clean_description, clean_name, clean_slug, refuse
from app.domain.states import AnnotationState
from app.errors import Conflict
from app.models import LIVE, Collection, CollectionMember, Image, LabelClass, MonthCount, Tag
from app.models.collection import TIMELINES
from app.services.audit import AuditLog, Subject
from app.services.collection_access import CollectionAccess, membership_of, require_collection
from app.services.expiry import run_out

_COLUMNS = (
    Collection.id,
    Collection.slug,
    Collection.name,
    Collection.description,
    Collection.owner_id,
    Collection.is_personal,
    Collection.labels_closed,
    Collection.timeline,
    Collection.image_count,
    Collection.created_at,
    CollectionMember.role,
)


@dataclass(frozen=True, slots=True)
class CollectionView:
    """A collection as one of its members sees it; ``pictures`` are those not in the trash."""

    id: UUID
    slug: str
    name: str
    description: str
    role: Role
    owner_id: UUID
    is_personal: bool
    labels_closed: bool
    timeline: str
    pictures: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CollectionEdit:
    """What to change; None leaves a field as it is, a ``description`` of "" empties it."""

    name: str | None = None
    description: str | None = None
    labels_closed: bool | None = None
    timeline: str | None = None


class Collections:
    """Everybody may make collections; their owners change and remove them."""

    def __init__(
        self, uow: UnitOfWork, audit: AuditLog, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._uow = uow
        self._audit = audit
        self._clock = clock

    def create(
        self, actor: Actor, *, name: str, description: str = "", slug: str | None = None
    ) -> CollectionView:
        """Make a collection that the actor owns; its address is random unless typed.

        Raises ``InvalidInput``, and ``Conflict`` when the address is taken (also by a
        collection that is gone: its name stays in the addresses of moved pictures).
        """
        require(actor, Action.CREATE_COLLECTION)
        told = clean_name(name), clean_description(description)
        address = clean_slug(slug) if slug else new_slug()
        with self._uow.write() as session:
            if session.scalar(select(exists().where(Collection.slug == address))):
                raise Conflict("This address is taken.", operation="collection.create")
            add_collection(session, _owner(actor), *told, slug=address, at=self._clock())
            self._note(session, "collection.create", actor, address)
            return self._view(session, actor, address)

    def list(self, actor: Actor) -> tuple[CollectionView, ...]:
        """Every collection that the actor is a member of, in one query: the own private one
        first, then by name.
        """
        require(actor, Action.LIST_COLLECTIONS)
        with self._uow.read_rows() as connection:
            rows = connection.execute(
                select(*_COLUMNS)
                .join(CollectionMember, membership_of(actor))
                .where(Collection.deleted_at.is_(None))
            ).all()
        return tuple(sorted(map(_view, rows), key=lambda v: _order(v, actor)))

    def get(self, actor: Actor, slug: str) -> CollectionView:
        """One collection; ``NotFound`` for who is no member."""
        with self._uow.read() as session:
            require_collection(session, actor, Action.SEE_COLLECTION, slug)
            return self._view(session, actor, slug)

    def access(self, actor: Actor, slug: str) -> CollectionAccess:
        """The row and the role, for who may see the collection."""
        with self._uow.read_rows() as connection:
            return require_collection(connection, actor, Action.SEE_COLLECTION, slug)

    def progress(self, actor: Actor, slug: str) -> Mapping[AnnotationState, int]:
        """How many pictures are in each state of annotation."""
        with self._uow.read_rows() as connection:
            found = require_collection(connection, actor, Action.SEE_COLLECTION, slug)
            counted = _by_state(connection, found.id, LIVE)
            gone = _by_state(connection, found.id, run_out(self._clock()))
        return {state: counted[state] - gone[state] for state in AnnotationState}

    def edit(self, actor: Actor, slug: str, edit: CollectionEdit) -> CollectionView:
        """Rename, describe, open or close the label set, choose the time line; for owners."""
        values = _changes(edit) | {"updated_at": self._clock()}
        with self._uow.write() as session:
            found = require_collection(session, actor, Action.MANAGE_COLLECTION, slug)
            session.execute(update(Collection), [{"id": found.id, **values}])
            self._note(session, "collection.edit", actor, slug)
            return self._view(session, actor, slug)

    def remove(self, actor: Actor, slug: str) -> None:
        """Remove an empty collection: its words go, its address stays reserved.

        Raises ``Conflict`` for a private one and while pictures, trashed ones too, are in it.
        """
        with self._uow.write() as session:
            found = require_collection(session, actor, Action.MANAGE_COLLECTION, slug)
            _check_removable(session, found)
            for model in (CollectionMember, LabelClass, Tag, MonthCount):
                session.execute(delete(model).where(model.collection_id == found.id))
            gone = {
                "id": found.id,
                "name": "",
                "description": None,
                "deleted_at": self._clock(),
            }
            session.execute(update(Collection), [gone])
            self._note(session, "collection.remove", actor, slug)

    def _view(self, session: Session, actor: Actor, slug: str) -> CollectionView:
        rows = session.execute(
            select(*_COLUMNS)
            .join(CollectionMember, membership_of(actor))
            .where(Collection.slug == slug)
        )
        return _view(rows.one())

    def _note(self, session: Session, action: str, actor: Actor, slug: str) -> None:
        id_ = session.scalar(select(Collection.id).where(Collection.slug == slug))
        subject = Subject("collection", id_) if id_ else None
        self._audit.append(session, action, actor=actor, subject=subject)


def add_collection(
    session: Session,
    owner_id: UUID,
    name: str,
    description: str = "",
    *,
    slug: str | None = None,
    is_personal: bool = False,
    at: datetime,
) -> UUID:
    """Insert a collection with its owner among the members, in the caller's transaction."""
    id_ = new_id()
    row = {
        "id": id_,
        "slug": slug or new_slug(),
        "name": name,
        "description": description or None,
        "owner_id": owner_id,
        "is_personal": is_personal,
        "created_at": at,
        "updated_at": at,
    }
    member = {
        "collection_id": id_,
        "user_id": owner_id,
        "role": Role.OWNER.word,
        "created_at": at,
    }
    session.execute(insert(Collection), [row])
    session.execute(insert(CollectionMember), [member])
    return id_


def _by_state(
    connection: Connection, collection_id: UUID, condition: ColumnElement[bool]
) -> Counter[AnnotationState]:
    rows = connection.execute(
        select(Image.annotation_state, func.count())
        .where(Image.collection_id == collection_id, condition)
        .group_by(Image.annotation_state)
    )
    return Counter({AnnotationState(state): number for state, number in rows})


def _owner(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise ValueError("an account owns a collection")
    return actor.user_id


def _order(view: CollectionView, actor: Actor) -> tuple[bool, str, str]:
    mine = view.is_personal and view.owner_id == actor.user_id
    return (not mine, view.name.casefold(), view.slug)


def _changes(edit: CollectionEdit) -> builtins.dict[str, Any]:
    values: dict[str, Any] = {}
    if edit.name is not None:
        values["name"] = clean_name(edit.name)
    if edit.description is not None:
        values["description"] = clean_description(edit.description) or None
    if edit.labels_closed is not None:
        values["labels_closed"] = edit.labels_closed
    if edit.timeline is not None:
        if edit.timeline not in TIMELINES:
            raise refuse("timeline", "A time line is one of " + ", ".join(TIMELINES) + ".")
        values["timeline"] = edit.timeline
    return values


def _check_removable(session: Session, found: CollectionAccess) -> None:
    if found.is_personal:
        raise Conflict(
            "A private collection stays as long as its account.", operation="collection.remove"
        )
    if session.scalar(select(exists().where(Image.collection_id == found.id))):
        raise Conflict(
            "There are pictures here, or in the trash. Move or destroy them first.",
            operation="collection.remove",
        )


def _view(row: Any) -> CollectionView:
    return CollectionView(
        id=row.id,
        slug=row.slug,
        name=row.name.told(row.id, row.slug),
        description=row.description.told(row.id, "") if row.description is not None else "",
        role=Role[row.role.upper()],
        owner_id=row.owner_id,
        is_personal=row.is_personal,
        labels_closed=row.labels_closed,
        timeline=row.timeline,
        pictures=row.image_count,
        created_at=row.created_at,
    )
