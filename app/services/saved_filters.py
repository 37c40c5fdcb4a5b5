"""Filters of the gallery that somebody keeps under a name; sealed, and their own alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from sqlalchemy import Connection, and_, delete, func, insert, or_, select

from app.db.times import utc_now
from app.domain.access import Action, Actor, require
from app.domain.ids import new_id
from app.domain.names import clean_name, refuse
from app.errors import Conflict, DecryptionFailed, NotFound
from app.models import Collection, CollectionMember, SavedFilter
from app.services.collection_access import require_collection

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.db.session import UnitOfWork

MAX_FILTERS: Final = 100
MAX_QUERY_BYTES: Final = 2048
#: What of the gallery's address a filter keeps; the collection is a column of its own.
KEPT: Final = (
    "tag", "label", "attribute", "annotator", "state", "status", "kind", "from", "to", "q",
    "sort", "view",
)  # fmt: skip
Query = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class FilterView:
    """``collection`` is a slug, None for all; ``query`` are arguments of the gallery."""

    id: UUID
    name: str
    collection: str | None
    query: Query
    created_at: datetime


class SavedFilters:
    """Everybody has their own, of the collections that they are a member of now."""

    def __init__(self, uow: UnitOfWork, clock: Callable[[], datetime] = utc_now) -> None:
        self._uow = uow
        self._clock = clock

    def list(self, actor: Actor, slug: str | None = None) -> tuple[FilterView, ...]:
        """By name; with ``slug`` those of this collection and those of all collections."""
        require(actor, Action.READ_ACCOUNT)
        with self._uow.read_rows() as connection:
            views = _views(connection, actor)
        shown = [view for view in views if slug is None or view.collection in {None, slug}]
        return tuple(sorted(shown, key=lambda view: view.name.casefold()))

    def add(
        self, actor: Actor, name: str, query: Mapping[str, Any], slug: str | None
    ) -> FilterView:
        """Keep one; of the same name and collection the newer takes the older's place.

        Raises ``InvalidInput``, ``NotFound`` for the collection, ``Conflict`` for too many.
        """
        require(actor, Action.WRITE_ACCOUNT)
        name, clean, made, at = clean_name(name), _clean(query), new_id(), self._clock()
        with self._uow.write() as session:
            known = _views(session, actor)
            old = [v.id for v in known if (v.name, v.collection) == (name, slug)]
            collection_id = None
            if slug is not None:
                found = require_collection(session, actor, Action.SEE_COLLECTION, slug)
                collection_id = found.id
            session.execute(delete(SavedFilter).where(SavedFilter.id.in_(old)))
            own = select(func.count()).where(SavedFilter.user_id == actor.user_id)
            if (session.scalar(own) or 0) >= MAX_FILTERS:
                raise Conflict(
                    f"At most {MAX_FILTERS} filters are kept.", operation="filters.add"
                )
            row = {
                "id": made,
                "user_id": actor.user_id,
                "collection_id": collection_id,
                "created_at": at,
                "body": {"name": name, "query": clean},
            }
            session.execute(insert(SavedFilter), [row])
        return FilterView(made, name, slug, clean, at)

    def remove(self, actor: Actor, filter_id: UUID) -> None:
        """Forget one; ``NotFound`` for anybody else's."""
        require(actor, Action.WRITE_ACCOUNT)
        with self._uow.write() as session:
            gone = session.execute(
                delete(SavedFilter)
                .where(SavedFilter.id == filter_id, SavedFilter.user_id == actor.user_id)
                .returning(SavedFilter.id)
            ).first()
        if gone is None:
            raise NotFound("There is no such filter.", operation="filters.remove")


def _views(source: Session | Connection, actor: Actor) -> list[FilterView]:
    mine = and_(
        CollectionMember.collection_id == SavedFilter.collection_id,
        CollectionMember.user_id == actor.user_id,
    )
    there = and_(
        Collection.id == CollectionMember.collection_id, Collection.deleted_at.is_(None)
    )
    rows = source.execute(
        select(SavedFilter.id, SavedFilter.body, SavedFilter.created_at, Collection.slug)
        .outerjoin(CollectionMember, mine)
        .outerjoin(Collection, there)
        .where(SavedFilter.user_id == actor.user_id)
        .where(or_(SavedFilter.collection_id.is_(None), Collection.id.is_not(None)))
        .order_by(SavedFilter.created_at)
    ).all()
    return [view for row in rows if (view := _view(row)) is not None]


def _view(row: Any) -> FilterView | None:
    """None for one that does not open: the others are in order."""
    try:
        body = row.body.of(row.id)
    except DecryptionFailed:
        return None
    return FilterView(row.id, body["name"], row.slug, body["query"], row.created_at)


def _clean(query: Mapping[str, Any]) -> dict[str, str | Sequence[str]]:
    """The arguments that are told, each a text or, of attributes, a list of texts."""
    clean: dict[str, str | Sequence[str]] = {}
    for name, value in query.items():
        texts = value if isinstance(value, list) else [value]
        if name not in KEPT or not all(isinstance(text, str) for text in texts):
            raise refuse(f"query.{name}", "This is no filter of the gallery.")
        told = [text for text in texts if text.strip()]
        if told:
            clean[name] = told if name == "attribute" else told[0]
    if len(json.dumps(clean)) > MAX_QUERY_BYTES:
        raise refuse("query", f"A filter takes at most {MAX_QUERY_BYTES} bytes.")
    return clean
