"""Lists of images, a page at a time by key: the gallery, the API's list and the trash.

Every page is a walk along one index. Several collections are walked separately and merged,
because one index cannot serve a union in order: what a page costs does not depend on how
many images there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from functools import partial
from itertools import zip_longest
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, func, select, tuple_, union_all
from sqlalchemy.orm import Session

from app.db.times import utc_now
from app.models import Image, ImageTag
from app.models.image import LIVE, NOT_DESTROYED
from app.services.cursor import Cursor, microseconds
from app.services.expiry import run_out, unexpired
from app.services.image_card import COLUMNS, ImageCard, card_of

IN_TRASH = Image.trashed_at.is_not(None)
# SQLite takes at most 500 terms in one compound SELECT.
WALKS_AT_ONCE = 100
IDS_AT_ONCE = 1000


class Sort(Enum):
    """The orders that an index serves; the minus means the largest or newest first."""

    UPLOADED = "uploaded"
    UPLOADED_DESC = "-uploaded"
    SIZE = "size"
    SIZE_DESC = "-size"

    @property
    def descending(self) -> bool:
        return self.value.startswith("-")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """What to list; ``since`` is inclusive, ``until`` exclusive; ``limit`` in rows.

    ``tag_ids``, if not empty, names one tag for each of ``collections``, in their order.
    ``now`` decides which pictures are past their time.
    """

    collections: tuple[UUID, ...] = ()
    tag_ids: tuple[UUID, ...] = ()
    sort: Sort = Sort.UPLOADED_DESC
    limit: int = 20
    cursor: Cursor | None = None
    trashed: bool = False
    kind: str | None = None
    status: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    now: datetime = field(default_factory=utc_now)

    @property
    def is_filtered(self) -> bool:
        """Whether the list is less, or something else, than all live images."""
        wishes = (self.kind, self.status, self.state, self.since, self.until)
        return self.trashed or bool(self.tag_ids) or any(wish is not None for wish in wishes)


@dataclass(frozen=True, slots=True)
class _Line:
    """Images that one index has in order: which they are, and by what they are sorted."""

    condition: ColumnElement[bool]
    key: ColumnElement[Any]


@dataclass(frozen=True, slots=True)
class Page:
    """One page and where the next begins (None: it was the last)."""

    cards: tuple[ImageCard, ...]
    next_cursor: str | None


def list_images(session: Session, query: ListQuery) -> Page:
    """Return one page of the images in these collections."""
    if not query.collections:
        return Page((), None)
    pairs = zip_longest(query.collections, query.tag_ids)
    walks = [walk for collection, tag in pairs for walk in walks_of(query, collection, tag)]
    rows: Sequence[Row[Any]] = ()
    for walked in _batches(walks, WALKS_AT_ONCE):
        rows = _first_of(query, [*rows, *_walked(session, query, walked)])
    cards = tuple(card_of(row, query.now) for row in rows[: query.limit])
    more = len(rows) > query.limit
    return Page(cards, cursor_of(query, cards[-1]).encode() if more else None)


def cards_of(
    session: Session, query: ListQuery, ids: Sequence[UUID], size: int
) -> Iterator[Sequence[ImageCard]]:
    """Those of these images that the query lists, in its order, so many at a time.

    All are looked up by their ids, whatever the page: for few. Tags are not looked at.
    """
    (line,) = _lines(query)
    rows: list[Row[Any]] = []
    for start in range(0, len(ids), IDS_AT_ONCE):
        chosen = select(Image.id, line.key.label("key")).where(
            Image.id.in_(ids[start : start + IDS_AT_ONCE]),
            Image.collection_id.in_(query.collections),
            line.condition,
            *_filters(query),
        )
        if query.cursor is not None:
            chosen = chosen.where(_beyond(query, query.cursor, line.key))
        rows.extend(session.execute(chosen))
    rows.sort(key=lambda row: (row.key, row.id), reverse=_descending(query))
    for start in range(0, len(rows), size):
        wanted = [row.id for row in rows[start : start + size]]
        found = session.execute(select(*COLUMNS).where(Image.id.in_(wanted)))
        cards = {row.id: card_of(row, query.now) for row in found}
        yield [cards[image_id] for image_id in wanted]


def count_images(session: Session, query: ListQuery) -> int:
    """How many images the list has on all of its pages: exact, and as dear as a walk of it."""
    return sum(
        session.scalar(select(func.count()).select_from(walk.subquery())) or 0
        for walk in map(partial(_counted, query), _lines(query))
    )


def _counted(query: ListQuery, line: _Line) -> Select[Any]:
    chosen = select(Image.id).where(
        Image.collection_id.in_(query.collections), line.condition, *_filters(query)
    )
    if not query.tag_ids:
        return chosen
    tagged = select(ImageTag.image_id).where(ImageTag.tag_id.in_(query.tag_ids))
    return chosen.where(Image.id.in_(tagged))


def _batches(walks: list[Select[Any]], size: int) -> Iterator[list[Select[Any]]]:
    for start in range(0, len(walks), size):
        yield walks[start : start + size]


def _first_of(query: ListQuery, rows: list[Row[Any]]) -> list[Row[Any]]:
    """The rows of one page, and one more, out of those of several batches."""
    name = _key_name(query)
    rows.sort(key=lambda row: (getattr(row, name), row.id), reverse=_descending(query))
    return rows[: query.limit + 1]


def _walked(session: Session, query: ListQuery, walks: list[Select[Any]]) -> Sequence[Row[Any]]:
    if len(walks) == 1:
        return session.execute(walks[0]).all()
    together = union_all(*[select(walk.subquery()) for walk in walks]).subquery()
    key, row_id = together.c[_key_name(query)], together.c["id"]
    order = (key.desc(), row_id.desc()) if _descending(query) else (key, row_id)
    return session.execute(select(together).order_by(*order).limit(query.limit + 1)).all()


def walks_of(query: ListQuery, collection_id: UUID, tag_id: UUID | None) -> list[Select[Any]]:
    """One walk for each line of the query, through one collection."""
    return [_walk(query, collection_id, tag_id, line) for line in _lines(query)]


def _lines(query: ListQuery) -> list[_Line]:
    """One line along an index; for the trash two: what was put there, and what ran out."""
    if not query.trashed:
        return [_Line(and_(LIVE, unexpired(query.now), NOT_DESTROYED), _key(query))]
    return [
        _Line(and_(IN_TRASH, NOT_DESTROYED), Image.trashed_at.expression),
        _Line(run_out(query.now), Image.expires_at.expression),
    ]


def _walk(
    query: ListQuery, collection_id: UUID, tag_id: UUID | None, line: _Line
) -> Select[Any]:
    """Select one page's rows of one collection, one more than asked for."""
    key = line.key
    chosen = select(*_columns(query, key)).where(
        Image.collection_id == collection_id, line.condition, *_filters(query)
    )
    if tag_id is not None:
        chosen = chosen.join(ImageTag, ImageTag.image_id == Image.id).where(
            ImageTag.tag_id == tag_id
        )
    if query.cursor is not None:
        chosen = chosen.where(_beyond(query, query.cursor, key))
    order = (key.desc(), Image.id.desc()) if _descending(query) else (key, Image.id)
    return chosen.order_by(*order).limit(query.limit + 1)


def _columns(query: ListQuery, key: ColumnElement[Any]) -> list[Any]:
    """The columns of a card; in the trash the key of the walk stands for ``trashed_at``."""
    instead = {"trashed_at": key.label("trashed_at")} if query.trashed else {}
    return [instead.get(column.key, column) for column in COLUMNS]


def _filters(query: ListQuery) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if query.kind is not None:
        wanted.append(Image.kind == query.kind)
    if query.status is not None:
        wanted.append(Image.status == query.status)
    if query.state is not None:
        wanted.append(Image.annotation_state == query.state)
    if query.since is not None:
        wanted.append(Image.sort_at >= query.since)
    if query.until is not None:
        wanted.append(Image.sort_at < query.until)
    return wanted


def _key(query: ListQuery) -> ColumnElement[Any]:
    if query.tag_ids and _key_name(query) == "sort_at":
        return ImageTag.sort_at.expression
    return getattr(Image, _key_name(query)).expression  # type: ignore[no-any-return]


def _key_name(query: ListQuery) -> str:
    if query.trashed:
        return "trashed_at"
    return "size" if query.sort in {Sort.SIZE, Sort.SIZE_DESC} else "sort_at"


def _descending(query: ListQuery) -> bool:
    return query.trashed or query.sort.descending


def _beyond(query: ListQuery, cursor: Cursor, key: ColumnElement[Any]) -> ColumnElement[bool]:
    by_size = _key_name(query) == "size"
    here = tuple_(key, Image.id)
    there = (cursor.key if by_size else cursor.moment, cursor.row_id)
    return here < there if _descending(query) else here > there


def cursor_of(query: ListQuery, last: ImageCard) -> Cursor:
    """Where the list goes on after this image."""
    name = _key_name(query)
    value = getattr(last, name)
    return Cursor(value if name == "size" else microseconds(value), last.id)
