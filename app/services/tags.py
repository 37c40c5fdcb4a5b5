"""Tags: short words of a collection, sealed, found by opening the collection's short list.

Two spellings that differ only in case are one tag; the first one stays. A tag that no
picture has any more is taken off the list.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, delete, exists, insert, select
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.domain.access import Action, Actor
from app.domain.ids import new_id
from app.domain.names import clean_tag
from app.errors import Conflict
from app.models import ImageTag, Tag
from app.services.audit import AuditLog, Subject
from app.services.collection_access import require_collection
from app.services.picture_access import require_picture

MAX_TAGS: Final = 2000
MAX_TAGS_OF_IMAGE: Final = 64


@dataclass(frozen=True, slots=True)
class TagView:
    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class _TaggedImage:
    id: UUID
    collection_id: UUID
    sort_at: datetime


class Tags:
    """Methods that take a session work in the caller's transaction and ask no permission."""

    def __init__(self, uow: UnitOfWork, audit: AuditLog) -> None:
        self._uow = uow
        self._audit = audit

    def list(self, actor: Actor, slug: str) -> tuple[TagView, ...]:
        """The tags of a collection, by name."""
        with self._uow.read_rows() as connection:
            found = require_collection(connection, actor, Action.SEE_COLLECTION, slug)
            tags = _tags_of(connection, found.id)
        return tuple(sorted(tags, key=lambda tag: tag.name.casefold()))

    def find(
        self, source: Session | Connection, collection_id: UUID, name: str
    ) -> TagView | None:
        """The tag that a name means in a collection."""
        wanted = name.strip().casefold()
        return next((t for t in _tags_of(source, collection_id) if _key(t) == wanted), None)

    def of_image(self, source: Session | Connection, image_id: UUID) -> tuple[TagView, ...]:
        """The tags of one picture, by name."""
        rows = source.execute(
            select(Tag.id, Tag.name)
            .join(ImageTag, ImageTag.tag_id == Tag.id)
            .where(ImageTag.image_id == image_id)
        )
        tags = [TagView(row.id, row.name.of(row.id)) for row in rows]
        return tuple(sorted(tags, key=_key))

    def replace(
        self, actor: Actor, image_id: UUID, names: Iterable[str]
    ) -> tuple[TagView, ...]:
        """Give a picture exactly these tags; what it has then."""
        wanted = _clean(names)
        with self._uow.write() as session:
            image = _taggable(session, actor, image_id)
            had = self.of_image(session, image_id)
            keys = {name.casefold() for name in wanted}
            self._take(session, image_id, [tag for tag in had if _key(tag) not in keys])
            self._give(session, image, wanted)
            return self._noted(session, actor, image_id)

    def add(self, actor: Actor, image_id: UUID, names: Iterable[str]) -> tuple[TagView, ...]:
        """Give a picture these tags beside those that it has; what it has then."""
        wanted = _clean(names)
        with self._uow.write() as session:
            self._give(session, _taggable(session, actor, image_id), wanted)
            return self._noted(session, actor, image_id)

    def remove(self, actor: Actor, image_id: UUID, names: Iterable[str]) -> tuple[TagView, ...]:
        """Take these tags off a picture; what it has then."""
        keys = {name.casefold() for name in _clean(names)}
        with self._uow.write() as session:
            _taggable(session, actor, image_id)
            had = self.of_image(session, image_id)
            self._take(session, image_id, [tag for tag in had if _key(tag) in keys])
            return self._noted(session, actor, image_id)

    def attach(
        self,
        session: Session,
        *,
        image_id: UUID,
        collection_id: UUID,
        sort_at: datetime,
        names: Iterable[str],
    ) -> None:
        """Give a picture tags in the caller's transaction; ``sort_at`` is the picture's."""
        self._give(session, _TaggedImage(image_id, collection_id, sort_at), _clean(names))

    def drop_all(self, session: Session, image_id: UUID) -> tuple[str, ...]:
        """Take every tag off a picture in the caller's transaction; their names."""
        had = self.of_image(session, image_id)
        self._take(session, image_id, had)
        return tuple(tag.name for tag in had)

    def _give(self, session: Session, image: _TaggedImage, names: builtins.list[str]) -> None:
        if not names:
            return
        tags = _get_or_create(session, image.collection_id, names)
        has = {tag.id for tag in self.of_image(session, image.id)}
        new = [tag for tag in tags if tag.id not in has]
        if len(has) + len(new) > MAX_TAGS_OF_IMAGE:
            raise Conflict(
                f"A picture has at most {MAX_TAGS_OF_IMAGE} tags.", operation="tags.attach"
            )
        if new:
            rows = [
                {"image_id": image.id, "tag_id": tag.id, "sort_at": image.sort_at}
                for tag in new
            ]
            session.execute(insert(ImageTag), rows)

    def _take(self, session: Session, image_id: UUID, tags: Iterable[TagView]) -> None:
        ids = [tag.id for tag in tags]
        if not ids:
            return
        session.execute(
            delete(ImageTag).where(ImageTag.image_id == image_id, ImageTag.tag_id.in_(ids))
        )
        unused = ~exists().where(ImageTag.tag_id == Tag.id)
        session.execute(
            delete(Tag)
            .where(Tag.id.in_(ids), unused)
            .execution_options(synchronize_session=False)
        )

    def _noted(self, session: Session, actor: Actor, image_id: UUID) -> tuple[TagView, ...]:
        tags = self.of_image(session, image_id)
        self._audit.append(
            session,
            "image.tags",
            actor=actor,
            subject=Subject("image", image_id),
            details={"tags": len(tags)},
        )
        return tags


def _taggable(session: Session, actor: Actor, image_id: UUID) -> _TaggedImage:
    picture = require_picture(session, actor, Action.EDIT_METADATA, image_id)
    return _TaggedImage(picture.id, picture.collection_id, picture.sort_at)


def _clean(names: Iterable[str]) -> list[str]:
    """The names, each once, the first spelling of each."""
    unique: dict[str, str] = {}
    for place, name in enumerate(names):
        clean = clean_tag(name, f"tags[{place}]")
        unique.setdefault(clean.casefold(), clean)
    return list(unique.values())


def _key(tag: TagView) -> str:
    return tag.name.casefold()


def _tags_of(source: Session | Connection, collection_id: UUID) -> list[TagView]:
    rows = source.execute(select(Tag.id, Tag.name).where(Tag.collection_id == collection_id))
    return [TagView(row.id, row.name.of(row.id)) for row in rows]


def _get_or_create(session: Session, collection_id: UUID, names: list[str]) -> list[TagView]:
    known = {_key(tag): tag for tag in _tags_of(session, collection_id)}
    missing = [TagView(new_id(), name) for name in names if name.casefold() not in known]
    if len(known) + len(missing) > MAX_TAGS:
        raise Conflict(f"A collection has at most {MAX_TAGS} tags.", operation="tags.create")
    if missing:
        rows = [{"id": t.id, "collection_id": collection_id, "name": t.name} for t in missing]
        session.execute(insert(Tag), rows)
    known |= {_key(tag): tag for tag in missing}
    return [known[name.casefold()] for name in names]
