"""What people look through: lists of pictures, one picture with all that is known of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.domain.access import Action, Actor, Role, allows, require
from app.errors import NotFound
from app.models import (
    Collection,
    CollectionMember,
    Image,
    MonthCount,
    Tag,
)
from app.models.image import LIVE, NOT_DESTROYED
from app.services.counters import month_of
from app.services.expiry import run_out_moments, unexpired
from app.services.image_access import ImageAccess, image_by_id
from app.services.image_card import COLUMNS, ImageCard, card_of
from app.services.listing import ListQuery, Page, count_images, list_images
from app.services.picture_detail import (
    Seal,
    name_in,
    name_of_user,
    opened_meta,
    seal_of,
    tag_names_of,
)

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.tags import Tags


MOST_TAGS = 1000


@dataclass(frozen=True, slots=True)
class Place:
    """A collection as a picture names it, and the caller's role there."""

    id: UUID
    slug: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Detail:
    """One picture; ``meta`` is what was sealed of it (EXIF, checksums, origin).

    ``stored_path`` is its address at ``/dam/…``; it and ``uploaded_from`` are None for whom
    they do not concern.
    """

    card: ImageCard
    place: Place | None
    access: ImageAccess
    meta: Mapping[str, Any]
    tags: tuple[str, ...]
    uploaded_by: str | None
    annotation_rev: int
    seal: Seal | None
    stored_path: str | None
    uploaded_from: str | None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The pictures beside one in its time line."""

    newer: UUID | None
    older: UUID | None


@dataclass(frozen=True, slots=True)
class Month:
    """How many live pictures a month has; ``month`` as ``2026-11``."""

    month: str
    count: int


class Library:
    """Reads only; every method is one read transaction."""

    def __init__(self, uow: UnitOfWork, tags: Tags) -> None:
        self._uow = uow
        self._tags = tags

    def places(self, actor: Actor) -> tuple[Place, ...]:
        """Return the collections of the caller, the private one first, then by name."""
        with self._uow.read() as session:
            return self._places(session, actor)

    def page(
        self,
        actor: Actor,
        query: ListQuery,
        *,
        slug: str | None = None,
        tag: str | None = None,
        least: Role = Role.VIEWER,
    ) -> Page:
        """List one collection (by slug) or all of the caller's; ``tag`` is a tag's name.

        ``least`` leaves out collections in which the caller has a lesser role.
        """
        require(actor, Action.LIST_IMAGES)
        with self._uow.read() as session:
            return list_images(session, self.wanted(session, actor, query, slug, tag, least))

    def count(
        self,
        actor: Actor,
        query: ListQuery,
        *,
        slug: str | None = None,
        tag: str | None = None,
        least: Role = Role.VIEWER,
    ) -> int:
        """Return how many pictures all pages of such a list have; exact.

        Without a filter from counters. With one they are counted, which is as dear as
        listing them all.
        """
        if not (query.is_filtered or tag):
            return self.total(actor, slug)
        require(actor, Action.LIST_IMAGES)
        with self._uow.read() as session:
            return count_images(session, self.wanted(session, actor, query, slug, tag, least))

    def months(self, actor: Actor, slug: str | None = None) -> tuple[Month, ...]:
        """Return the months that have pictures, newest first, from counters.

        What ran out within the last minute is still counted there: it is taken off.
        """
        require(actor, Action.LIST_IMAGES)
        with self._uow.read() as session:
            ids = [p.id for p in self._places(session, actor) if slug in {None, p.slug}]
            rows = session.execute(
                select(MonthCount.month, func.sum(MonthCount.count).label("total"))
                .where(MonthCount.collection_id.in_(ids))
                .group_by(MonthCount.month)
                .order_by(MonthCount.month.desc())
            ).all()
            gone = Counter(map(month_of, run_out_moments(session, ids, utc_now())))
        counted = (Month(row.month, int(row.total) - gone[row.month]) for row in rows)
        return tuple(month for month in counted if month.count > 0)

    def tag_names(self, actor: Actor, slug: str | None = None) -> tuple[str, ...]:
        """Return the tags of one or all of the caller's collections, for completion."""
        require(actor, Action.LIST_IMAGES)
        with self._uow.read() as session:
            ids = [p.id for p in self._places(session, actor) if slug in {None, p.slug}]
            rows = session.execute(
                select(Tag.id, Tag.name).where(Tag.collection_id.in_(ids)).limit(MOST_TAGS)
            ).all()
        names = {name for row in rows if (name := name_in(row)) is not None}
        return tuple(sorted(names, key=str.casefold))

    def total(self, actor: Actor, slug: str | None = None) -> int:
        """Return how many live pictures there are, from counters."""
        return sum(month.count for month in self.months(actor, slug))

    def detail(self, actor: Actor, image_id: UUID) -> Detail:
        """Return one picture; NotFound for what one may not see."""
        with self._uow.read() as session:
            access = image_by_id(session, actor, image_id)
            require(actor, Action.SEE_IMAGE, access.facts if access is not None else None)
            if access is None:
                raise NotFound("There is nothing here.", operation="library.detail")
            row = session.execute(
                select(*COLUMNS, Image.meta, Image.annotation_rev).where(Image.id == image_id)
            ).one()
            meta = opened_meta(row)
            sees_place = allows(actor, Action.SEE_PLACE, access.facts)
            sees_origin = allows(actor, Action.SEE_ORIGIN, access.facts)
            return Detail(
                card=card_of(row, utc_now()),
                place=self._place(session, actor, access.collection_id),
                access=access,
                meta=meta,
                tags=tag_names_of(session, image_id),
                uploaded_by=name_of_user(session, access.uploader_id),
                annotation_rev=row.annotation_rev,
                seal=seal_of(session, image_id),
                stored_path=access.url if sees_place else None,
                uploaded_from=meta.get("uploaded_from") if sees_origin else None,
            )

    def neighbours(self, actor: Actor, card: ImageCard) -> Neighbours:
        """Return the next picture to both sides in the collection's time line."""
        require(actor, Action.LIST_IMAGES)
        here = (card.sort_at, card.id)
        key = tuple_(Image.sort_at, Image.id)
        line = (
            select(Image.id)
            .where(Image.collection_id == card.collection_id, LIVE, NOT_DESTROYED)
            .where(unexpired(utc_now()))
            .limit(1)
        )
        with self._uow.read() as session:
            if self._place(session, actor, card.collection_id) is None:
                return Neighbours(None, None)  # a public picture is listed to nobody else
            newer = line.where(key > here).order_by(Image.sort_at, Image.id)
            older = line.where(key < here).order_by(Image.sort_at.desc(), Image.id.desc())
            return Neighbours(session.scalar(newer), session.scalar(older))

    def wanted(
        self,
        session: Session,
        actor: Actor,
        query: ListQuery,
        slug: str | None,
        tag: str | None,
        least: Role,
    ) -> ListQuery:
        """The query with the collections that it is about; NotFound for an unknown slug."""
        places = [p for p in self._places(session, actor) if p.role >= least]
        if slug is not None:
            places = [place for place in places if place.slug == slug]
            if not places:
                raise NotFound("There is no such collection.", operation="library.page")
        wanted = replace(query, collections=tuple(place.id for place in places))
        return self._tagged(session, wanted, tag) if tag else wanted

    def _tagged(self, session: Session, query: ListQuery, tag: str) -> ListQuery:
        """A tag belongs to one collection: list those that have one of this name."""
        found = [
            (collection, known.id)
            for collection in query.collections
            if (known := self._tags.find(session, collection, tag)) is not None
        ]
        return replace(
            query,
            collections=tuple(collection for collection, _ in found),
            tag_ids=tuple(tag_id for _, tag_id in found),
        )

    def _places(self, session: Session, actor: Actor) -> tuple[Place, ...]:
        rows: Sequence[Any] = session.execute(
            select(
                Collection.id,
                Collection.slug,
                Collection.name,
                Collection.is_personal,
                CollectionMember.role,
            )
            .join(CollectionMember, CollectionMember.collection_id == Collection.id)
            .where(CollectionMember.user_id == actor.user_id, Collection.deleted_at.is_(None))
        ).all()
        named = [(not row.is_personal, _place_of(row)) for row in rows]
        named.sort(key=lambda pair: (pair[0], pair[1].name.casefold()))
        return tuple(place for _, place in named)

    def _place(self, session: Session, actor: Actor, collection_id: UUID) -> Place | None:
        return next((p for p in self._places(session, actor) if p.id == collection_id), None)


def _place_of(row: Any) -> Place:
    """A collection whose name is damaged is shown by its slug: its pictures are in order."""
    return Place(row.id, row.slug, name_in(row) or row.slug, Role.of(row.role) or Role.VIEWER)
