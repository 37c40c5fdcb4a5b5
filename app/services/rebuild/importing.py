"""Rows of a new database, in one transaction: the directory first, then the pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from app.crypto.blind_index import dedupe_index
from app.domain.directory_record import KINDS, Entry
from app.models import (
    AgreementRound,
    Collection,
    CollectionMember,
    ExchangeNote,
    FileKey,
    Image,
    LabelClass,
    LabelSchema,
    LabelSchemaVersion,
    MonthCount,
    Preference,
    SavedFilter,
    StaleRecord,
    Tag,
    User,
)
from app.services.counters import month_of
from app.services.email_index import EmailIndex
from app.services.rebuild.apart import Unusable, apart
from app.services.rebuild.finding import Found
from app.services.rebuild.labels import LabelsOfRebuild
from app.services.rebuild.parts import UNUSABLE, PictureParts
from app.services.rebuild.pictures import sha256_of
from app.services.rebuild.report import Tally
from app.services.rebuild.stand_ins import StandIns
from app.storage.object_paths import DIRECTORY_RECORD

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from app.services.keys import RootKeys

AT_ONCE = 500
MODELS: dict[str, Any] = {
    "account": User,
    "collection": Collection,
    "member": CollectionMember,
    "label": LabelClass,
    "schema": LabelSchema,
    "tag": Tag,
    "filter": SavedFilter,
    "preference": Preference,
    "note": ExchangeNote,
    "round": AgreementRound,
    "version": LabelSchemaVersion,
}


class Importer:
    """Fills the tables of an empty database; ``session`` is the one transaction of it all."""

    def __init__(self, session: Session, roots: RootKeys, tally: Tally, now: datetime) -> None:
        self._session = session
        self._roots = roots
        self._emails = EmailIndex(roots)
        self._tally = tally
        self._now = now
        self._stand_ins = StandIns(session, self._emails, tally, now)
        self._labels = LabelsOfRebuild(session, roots)
        self._parts = PictureParts(session, tally, self._stand_ins, self._labels)
        self._months: Counter[tuple[UUID, str]] = Counter()
        self._live: Counter[UUID] = Counter()
        self._used: Counter[UUID] = Counter()

    def directory(self, entries: Iterable[Entry]) -> None:
        """Accounts come back disabled and without anything that lets somebody in."""
        rest = iter(entries)
        while batch := list(islice(rest, AT_ONCE)):
            for kind in KINDS:
                rows = [dict(row) for each, row in batch if each == kind]
                if rows:
                    self._add(kind, rows)

    def _add(self, kind: str, rows: list[dict[str, Any]]) -> None:
        if kind == "account":
            self._tally.disabled_before += sum(row["state"] == "disabled" for row in rows)
            for row in rows:
                row |= {
                    "email_index": self._emails.current(row["email"]),
                    "state": "disabled",
                    "updated_at": self._now,
                }
        rows = self._referring(kind, rows)
        try:
            self._insert(kind, rows)
        except Unusable:
            for row in rows:
                self._add_one(kind, row)

    def _referring(self, kind: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those that name what is there. References are checked at the commit, which would
        be all that comes back: who may be nobody is nobody, any other row is named."""
        for key in MODELS[kind].__table__.foreign_keys:
            name, target = key.parent.name, key.column
            told = {row[name] for row in rows if row.get(name) is not None}
            known = set(self._session.scalars(select(target).where(target.in_(told))))
            for row in rows:
                if row.get(name) in told - known and key.parent.nullable:
                    row[name] = None
            fitting = [row for row in rows if row.get(name) not in told - known]
            for _ in rows[len(fitting) :]:
                self._refuse(kind)
            rows = fitting
        return rows

    def _insert(self, kind: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        with apart(self._session, self._tally):
            self._session.execute(insert(MODELS[kind]), rows)
            self._tally.rows[kind] += len(rows)

    def _add_one(self, kind: str, row: dict[str, Any]) -> None:
        try:
            self._insert(kind, [row])
        except Unusable:
            self._refuse(kind)

    def _refuse(self, kind: str) -> None:
        """It is named, and the directory no longer tells everything."""
        self._tally.directory = "damaged"
        self._tally.note(DIRECTORY_RECORD, UNUSABLE + kind)

    def is_known(self, found: Found) -> bool:
        """Whether its id or its name is taken: of two copies the first one counts."""
        path = found.path
        same = (Image.id == path.image_id) | (Image.stored_name == str(path.stored_name))
        return self._session.scalar(select(Image.id).where(same)) is not None

    def picture(
        self, found: Found, row: dict[str, Any], keys: Sequence[dict[str, Any]]
    ) -> None:
        """One picture with its keys, boxes and tags; ``row`` may lack its collection.

        ``Unusable`` where the row itself does not fit: then there is nothing of it.
        """
        with apart(self._session, self._tally):
            self._stand_ins.settle(found, row)
            sha256 = sha256_of(row)
            row["dedupe"] = self._dedupe(row["collection_id"], sha256) if sha256 else None
            self._session.execute(insert(Image), [row])
            self._session.execute(insert(FileKey), list(keys))
        self._count(row)
        if found.record is not None:
            self._parts.add(found, found.record, row)
        if not found.lacks or any(map(_is_to_mend, found.lacks)):
            self._leave_record(found.path.image_id)

    def _dedupe(self, collection_id: UUID, sha256: bytes) -> bytes | None:
        """None where another picture of the collection has the same bytes already."""
        mark = dedupe_index(self._roots.active("blind").key, collection_id, sha256)
        twin = select(Image.id).where(
            Image.collection_id == collection_id, Image.dedupe == mark
        )
        return None if self._session.scalar(twin) is not None else mark

    def _count(self, row: dict[str, Any]) -> None:
        if row["uploader_id"] is not None:
            self._used[row["uploader_id"]] += row["size"]
        if row["trashed_at"] is None:
            self._live[row["collection_id"]] += 1
            self._months[row["collection_id"], month_of(row["sort_at"])] += 1

    def _leave_record(self, file_id: UUID) -> None:
        """Its record says all of this; a damaged one is left for whoever can mend it."""
        self._session.execute(delete(StaleRecord).where(StaleRecord.file_id == file_id))

    def counters(self) -> None:
        """What pages show and what limits ask for, from what was counted on the way."""
        self._labels.write()
        for collection_id, count in self._live.items():
            self._session.execute(
                update(Collection)
                .where(Collection.id == collection_id)
                .values(image_count=count)
            )
        for user_id, size in self._used.items():
            self._session.execute(
                update(User).where(User.id == user_id).values(quota_used=size)
            )
        months = [
            {"collection_id": collection_id, "month": month, "count": count}
            for (collection_id, month), count in self._months.items()
        ]
        if months:
            self._session.execute(insert(MonthCount), months)


def _is_to_mend(lack: str) -> bool:
    """Whether the record says more than what came back: it is left to whoever can mend it."""
    return lack == "damaged record" or lack.startswith(UNUSABLE)
