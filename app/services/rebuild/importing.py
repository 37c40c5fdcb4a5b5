"""Rows of a new database, in one transaction: the directory first, then the pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from app.crypto.blind_index import dedupe_index
from app.domain.directory_record import KINDS, Entry
from app.models import (
    AgreementCopy,
    AgreementRound,
    Annotation,
    Collection,
    CollectionMember,
    Comment,
    ExchangeNote,
    FileKey,
    Image,
    ImageTag,
    ImageTask,
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
from app.services.rebuild.finding import Found
from app.services.rebuild.labels import LabelsOfRebuild
from app.services.rebuild.pictures import sha256_of
from app.services.rebuild.report import Tally
from app.services.rebuild.stand_ins import StandIns

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
        self._tally.rows[kind] += len(rows)
        self._session.execute(insert(MODELS[kind]), rows)

    def is_known(self, found: Found) -> bool:
        """Whether its id or its name is taken: of two copies the first one counts."""
        path = found.path
        same = (Image.id == path.image_id) | (Image.stored_name == str(path.stored_name))
        return self._session.scalar(select(Image.id).where(same)) is not None

    def picture(
        self, found: Found, row: dict[str, Any], keys: Sequence[dict[str, Any]]
    ) -> None:
        """One picture with its keys, boxes and tags; ``row`` may lack its collection."""
        self._stand_ins.settle(found, row)
        sha256 = sha256_of(row)
        row["dedupe"] = self._dedupe(row["collection_id"], sha256) if sha256 else None
        self._session.execute(insert(Image), [row])
        self._session.execute(insert(FileKey), list(keys))
        self._count(row)
        if found.record is not None:
            self._boxes(found, row)
            self._tags(found, row)
            self._task(found, row)
            self._notes(found, row)
            self._comments(found, row)
            self._copies(found, row)
        if not found.lacks or "damaged record" in found.lacks:
            self._leave_record(found.path.image_id)

    def _dedupe(self, collection_id: UUID, sha256: bytes) -> bytes | None:
        """None where another picture of the collection has the same bytes already."""
        mark = dedupe_index(self._roots.active("blind").key, collection_id, sha256)
        twin = select(Image.id).where(
            Image.collection_id == collection_id, Image.dedupe == mark
        )
        return None if self._session.scalar(twin) is not None else mark

    def _boxes(self, found: Found, row: dict[str, Any]) -> None:
        boxes = [dict(box) for box in found.record.annotations] if found.record else []
        if not boxes:
            return
        self._stand_ins.classes(row["collection_id"], {box["label"] for box in boxes})
        authors = self._stand_ins.known(User, {b["author_id"] for b in boxes} - {None})
        for box in boxes:
            box["image_id"] = row["id"]
            box["author_id"] = box["author_id"] if box["author_id"] in authors else None
        self._tally.rows["annotation"] += len(boxes)
        self._session.execute(insert(Annotation), boxes)
        self._labels.note(row, [box["label"] for box in boxes])

    def _notes(self, found: Found, row: dict[str, Any]) -> None:
        """What imports said of the picture; what they said of their whole document is gone."""
        kept = found.record.notes if found.record else ()
        of = {"image_id": row["id"], "collection_id": row["collection_id"]}
        if kept:
            self._session.execute(insert(ExchangeNote), [dict(note) | of for note in kept])

    def _task(self, found: Found, row: dict[str, Any]) -> None:
        """Without the lease, which was of the moment; people that are gone are nobody."""
        if found.record is None or found.record.task is None:
            return
        task = dict(found.record.task) | {"image_id": row["id"]}
        people = ("assignee_id", "submitted_by", "reviewed_by")
        known = self._stand_ins.known(User, {task[name] for name in people} - {None})
        task |= {name: task[name] if task[name] in known else None for name in people}
        self._session.execute(insert(ImageTask), [task])

    def _comments(self, found: Found, row: dict[str, Any]) -> None:
        comments = [dict(each) for each in found.record.comments] if found.record else []
        if not comments:
            return
        people = ("author_id", "resolved_by")
        told = {comment[name] for comment in comments for name in people}
        known = self._stand_ins.known(User, told - {None})
        for comment in comments:
            comment["image_id"] = row["id"]
            comment |= {n: comment[n] if comment[n] in known else None for n in people}
        self._session.execute(insert(Comment), comments)

    def _copies(self, found: Found, row: dict[str, Any]) -> None:
        """Of rounds, each as its annotator left it; with an account goes its copies."""
        copies = [dict(copy) for copy in found.record.copies] if found.record else []
        for copy in copies:
            self._stand_ins.person(copy["annotator_id"], found)
        people = {copy[name] for copy in copies for name in ("annotator_id", "adjudicated_by")}
        known = self._stand_ins.known(User, people - {None})
        copies = [copy for copy in copies if copy["annotator_id"] in known]
        if not copies:
            return
        place = row["collection_id"]
        self._stand_ins.rounds(place, {copy["round_id"] for copy in copies})
        self._stand_ins.classes(place, {label for copy in copies for label in _labels_of(copy)})
        for copy in copies:
            judge = copy["adjudicated_by"]
            copy |= {
                "image_id": row["id"],
                "adjudicated_by": judge if judge in known else None,
            }
        self._tally.rows["copy"] += len(copies)
        self._session.execute(insert(AgreementCopy), copies)

    def _tags(self, found: Found, row: dict[str, Any]) -> None:
        tags = found.record.tags if found.record else ()
        if not tags:
            return
        self._stand_ins.tags(row["collection_id"], set(tags))
        rows = [
            {"image_id": row["id"], "tag_id": tag, "sort_at": row["sort_at"]} for tag in tags
        ]
        self._session.execute(insert(ImageTag), rows)

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


def _labels_of(copy: Mapping[str, Any]) -> set[str]:
    """The classes on a copy, told in hex."""
    told = (copy["body"] or {}).get("annotations", [])
    return {UUID(each["label_id"]).hex for each in told}
