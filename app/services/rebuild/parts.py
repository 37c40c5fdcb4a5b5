"""What the record of a picture says besides its row: annotations, tags, work, copies."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import insert, update

from app.domain.agreement import read_tally
from app.domain.annotation_json import from_log
from app.domain.ids import new_id
from app.domain.image_record import ImageRecord
from app.domain.shape_document import read_shape
from app.models import (
    AgreementCopy,
    Annotation,
    Comment,
    ExchangeNote,
    Image,
    ImageTag,
    ImageTask,
    User,
)
from app.services.rebuild.apart import Unusable, apart
from app.services.rebuild.finding import Found
from app.services.rebuild.labels import LabelsOfRebuild
from app.services.rebuild.report import Tally
from app.services.rebuild.stand_ins import StandIns

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Row = dict[str, Any]
UNUSABLE = "unusable "
RENAMED = "ids in use"


class PictureParts:
    """Each part comes back whole, or is named among what the picture lacks."""

    def __init__(
        self, session: Session, tally: Tally, stand_ins: StandIns, labels: LabelsOfRebuild
    ) -> None:
        self._session = session
        self._tally = tally
        self._stand_ins = stand_ins
        self._labels = labels

    def add(self, found: Found, record: ImageRecord, row: Row) -> None:
        """All parts of a picture whose ``row`` is there."""
        others = self._annotations(found, record, row)
        comments = [_of_other(dict(each), others) for each in record.comments]
        parts: tuple[tuple[str, Any, Callable[[], None]], ...] = (
            ("tags", record.tags, lambda: self._tags(record, row)),
            ("task", record.task, lambda: self._task(record, row)),
            ("notes", record.notes, lambda: self._notes(record, row)),
            ("comments", comments, lambda: self._comments(comments, row)),
            ("copies", record.copies, lambda: self._copies(found, record, row)),
        )
        for name, told, put in parts:
            if told and not self._is_put(put):
                found.lacks.append(UNUSABLE + name)

    def _is_put(self, put: Callable[[], None]) -> bool:
        try:
            with apart(self._session, self._tally):
                put()
        except Unusable:
            return False
        return True

    def _annotations(self, found: Found, record: ImageRecord, row: Row) -> Mapping[UUID, UUID]:
        """Which ids became others: of one that two pictures' records name, drawn in one after
        it was deleted in the other, the picture that comes second gets a new one."""
        boxes = [dict(box) for box in record.annotations]
        if not boxes or self._is_put(lambda: self._boxes(boxes, row)):
            return {}
        others = self._renamed(boxes)
        if others and self._is_put(lambda: self._boxes(boxes, row)):
            found.lacks.append(RENAMED)
            return others
        found.lacks.append(UNUSABLE + "annotations")
        self._session.execute(
            update(Image).where(Image.id == row["id"]).values(annotation_count=0)
        )
        return {}

    def _renamed(self, boxes: list[Row]) -> dict[UUID, UUID]:
        taken = self._stand_ins.known(Annotation, {box["id"] for box in boxes})
        others: dict[UUID, UUID] = {}
        for box in boxes:
            if box["id"] in taken:
                others[box["id"]] = box["id"] = new_id()
            taken.add(box["id"])
        return others

    def _boxes(self, boxes: list[Row], row: Row) -> None:
        self._stand_ins.classes(row["collection_id"], {box["label"] for box in boxes})
        authors = self._stand_ins.known(User, {b["author_id"] for b in boxes} - {None})
        for box in boxes:
            if box["shape"] is not None:
                read_shape(box["shape"], "shape")
            box["image_id"] = row["id"]
            box["author_id"] = box["author_id"] if box["author_id"] in authors else None
        self._session.execute(insert(Annotation), boxes)
        self._tally.rows["annotation"] += len(boxes)
        self._labels.note(row, [box["label"] for box in boxes])

    def _notes(self, record: ImageRecord, row: Row) -> None:
        """What imports said of the picture; what they said of their whole document is gone."""
        of = {"image_id": row["id"], "collection_id": row["collection_id"]}
        self._session.execute(insert(ExchangeNote), [dict(note) | of for note in record.notes])

    def _task(self, record: ImageRecord, row: Row) -> None:
        """Without the lease, which was of the moment; people that are gone are nobody."""
        task = dict(record.task or {}) | {"image_id": row["id"]}
        people = ("assignee_id", "submitted_by", "reviewed_by")
        known = self._stand_ins.known(User, {task[name] for name in people} - {None})
        task |= {name: task[name] if task[name] in known else None for name in people}
        self._session.execute(insert(ImageTask), [task])

    def _comments(self, comments: list[Row], row: Row) -> None:
        people = ("author_id", "resolved_by")
        told = {comment[name] for comment in comments for name in people}
        known = self._stand_ins.known(User, told - {None})
        for comment in comments:
            comment["image_id"] = row["id"]
            comment |= {n: comment[n] if comment[n] in known else None for n in people}
        self._session.execute(insert(Comment), comments)

    def _copies(self, found: Found, record: ImageRecord, row: Row) -> None:
        """Of rounds, each as its annotator left it; with an account goes its copies."""
        copies = [dict(copy) for copy in record.copies]
        for copy in copies:
            _check_body(copy["body"] or {})
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
        self._session.execute(insert(AgreementCopy), copies)
        self._tally.rows["copy"] += len(copies)

    def _tags(self, record: ImageRecord, row: Row) -> None:
        self._stand_ins.tags(row["collection_id"], set(record.tags))
        rows = [
            {"image_id": row["id"], "tag_id": tag, "sort_at": row["sort_at"]}
            for tag in record.tags
        ]
        self._session.execute(insert(ImageTag), rows)


def _of_other(comment: Row, others: Mapping[UUID, UUID]) -> Row:
    """With the id that its annotation has now."""
    pinned = comment["annotation_id"]
    return comment | {"annotation_id": others.get(pinned, pinned)}


def _check_body(body: Mapping[str, Any]) -> None:
    """Raise what reading it later would: a copy that cannot be shown is none."""
    for each in body.get("annotations", []):
        from_log(each)
    for op_id, (id_, rev) in body.get("ops", {}).items():
        _ = UUID(op_id), UUID(id_) if id_ else None
        if rev is not None and not isinstance(rev, int):
            raise TypeError("a revision is a number")
    for person, told in body.get("against", {}).items():
        _ = UUID(person), read_tally(told)


def _labels_of(copy: Mapping[str, Any]) -> set[str]:
    """The classes on a copy, told in hex."""
    told = (copy["body"] or {}).get("annotations", [])
    return {UUID(each["label_id"]).hex for each in told}
