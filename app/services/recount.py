"""The counters that pages show, against what a count of the rows gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.orm import Session

from app.models import Collection, Image, MonthCount, User
from app.models.image import LIVE, NOT_DESTROYED
from app.services.label_recount import count_tallies_anew, counted_tallies, kept_tallies

if TYPE_CHECKING:
    from app.db.session import UnitOfWork

Counted = Mapping[Any, int]


@dataclass(frozen=True, slots=True)
class Miscount:
    """``what`` names a counter by ids; ``kept`` stands in the database."""

    what: str
    kept: int
    counted: int


class Recount:
    """Pictures of collections and of months, bytes of accounts, annotations of label classes.
    Reads every row of images and opens every label once, in one transaction; memory grows
    with collections, months, classes and accounts."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    def look(self) -> tuple[Miscount, ...]:
        """Every counter that is wrong."""
        with self._uow.read() as session:
            return _miscounts(session)

    def repair(self) -> tuple[Miscount, ...]:
        """Put the wrong ones right, in one transaction; return what they were."""
        with self._uow.write() as session:
            wrong = _miscounts(session)
            if wrong:
                _count_anew(session)
        return wrong


def _miscounts(session: Session) -> tuple[Miscount, ...]:
    pairs = (
        ("collection {}", _kept_pictures(session), _pictures(session)),
        ("month {0[1]} of collection {0[0]}", _kept_months(session), _months(session)),
        ("bytes of account {}", _kept_bytes(session), _bytes(session)),
        (
            "{0[2]} of label {0[1]} in collection {0[0]}",
            kept_tallies(session),
            counted_tallies(session),
        ),
    )
    return tuple(
        Miscount(words.format(name), kept.get(name, 0), counted.get(name, 0))
        for words, kept, counted in pairs
        for name in sorted(kept.keys() | counted.keys(), key=str)
        if kept.get(name, 0) != counted.get(name, 0)
    )


def _kept_pictures(session: Session) -> Counted:
    rows = session.execute(select(Collection.id, Collection.image_count))
    return {row.id: row.image_count for row in rows}


def _pictures(session: Session) -> Counted:
    counted = select(Image.collection_id, func.count()).where(LIVE, NOT_DESTROYED)
    rows = session.execute(counted.group_by(Image.collection_id))
    return {row[0]: row[1] for row in rows}


def _kept_months(session: Session) -> Counted:
    rows = session.execute(select(MonthCount.collection_id, MonthCount.month, MonthCount.count))
    return {(row.collection_id, row.month): row[2] for row in rows}


def _months(session: Session) -> Counted:
    month = _month(session)
    counted = select(Image.collection_id, month, func.count()).where(LIVE, NOT_DESTROYED)
    rows = session.execute(counted.group_by(Image.collection_id, month))
    return {(row[0], row[1]): row[2] for row in rows}


def _month(session: Session) -> ColumnElement[str]:
    """``YYYY-MM`` of ``sort_at`` in UTC, as ``counters.month_of`` gives it."""
    if session.get_bind().dialect.name == "postgresql":
        return func.to_char(func.timezone("UTC", Image.sort_at), "YYYY-MM")
    return func.strftime("%Y-%m", Image.sort_at)


def _kept_bytes(session: Session) -> Counted:
    rows = session.execute(select(User.id, User.quota_used))
    return {row.id: row.quota_used for row in rows}


def _bytes(session: Session) -> Counted:
    summed = select(Image.uploader_id, func.sum(Image.size))
    rows = session.execute(
        summed.where(Image.uploader_id.is_not(None)).group_by(Image.uploader_id)
    )
    return {user_id: int(size) for user_id, size in rows}


def _count_anew(session: Session) -> None:
    pictures, used = _pictures(session), _bytes(session)
    _set(session, Collection.id, Collection.image_count, _kept_pictures(session), pictures)
    _set(session, User.id, User.quota_used, _kept_bytes(session), used)
    count_tallies_anew(session)
    months = _months(session)
    session.execute(delete(MonthCount))
    rows = [
        {"collection_id": collection, "month": month, "count": count}
        for (collection, month), count in months.items()
    ]
    if rows:
        session.execute(insert(MonthCount), rows)


def _set(
    session: Session, key: Any, counter: Any, kept: Counted, counted: Mapping[UUID, int]
) -> None:
    for name in kept:
        if kept[name] != counted.get(name, 0):
            session.execute(
                update(key.class_)
                .where(key == name)
                .values({counter: counted.get(name, 0)})
                .execution_options(synchronize_session=False)
            )
