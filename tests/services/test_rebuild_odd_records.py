"""Sealed records that are in order each and odd together: named, and nothing else is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.domain.image_record import ImageRecord
from app.models import Installation as InstallationRow
from app.services.records import sealing
from app.storage.object_paths import DIRECTORY_RECORD
from tests.fixtures.uploads import PictureRoom, picture
from tests.services.test_rebuild import BOX, fresh, lose, rebuild
from tests.services.test_rebuild_rounds import Open, labelled

__all__ = ["labelled"]
Alter = Callable[[ImageRecord], ImageRecord]
Rows = list[tuple[str, dict[str, Any]]]


def sealed_again(
    room: PictureRoom, image: UUID, alter: Alter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seal a record that says something else, as a defect of the writer would."""
    said = sealing.image_record
    with monkeypatch.context() as patch:
        patch.setattr(sealing, "image_record", lambda *told: alter(said(*told)))  # type: ignore[arg-type]
        room.services.records._sealing.write(image)


def boxed(room: PictureRoom, n: int, label: str, box: UUID | None = None) -> tuple[UUID, UUID]:
    """A picture with one box: the ids of both."""
    image = room.upload(picture(n)).id
    box = box or uuid4()
    op = {"op": "add", "id": str(box), "label": label, "box": BOX}
    room.services.annotation_ops.patch(room.actor, image, {"ops": [op]})
    return image, box


def test_a_box_that_two_records_name_is_on_both(room: PictureRoom) -> None:
    """Its id went to another picture before the record of the first was written again."""
    services, ann = room.services, room.actor
    first, box = boxed(room, 1, "car")
    services.comments.add(ann, first, "this one", annotation_id=box)
    services.records.run()
    before = room.blob(room.path(first).record).read_bytes()
    op = {"op": "delete", "id": str(box), "rev": 1}
    services.annotation_ops.patch(ann, first, {"ops": [op]})
    second, _ = boxed(room, 2, "bus", box)
    services.records.run()
    room.blob(room.path(first).record).write_bytes(before)
    lose(room.installation)
    report = rebuild(room.installation)
    assert (report.failed, report.reasons) == (0, {"ids in use": 1})
    house = fresh(room.installation)
    for image, label in ((first, "car"), (second, "bus")):
        (found,) = house.services.annotations.get(ann, image).annotations
        assert found.label == label


def _twice(name: str) -> Alter:
    return lambda record: replace(record, **{name: (*getattr(record, name),) * 2})


def _of_copies(**told: Any) -> Alter:
    return lambda record: replace(
        record, copies=tuple({**copy, **told} for copy in record.copies)
    )


def _of_image(**told: Any) -> Alter:
    return lambda record: replace(record, image={**record.image, **told})


ODD: Mapping[str, tuple[Alter, str]] = {
    "a copy twice": (_twice("copies"), "unusable copies"),
    "a tag twice": (_twice("tags"), "unusable tags"),
    "a comment twice": (_twice("comments"), "unusable comments"),
    "a copy in no state": (_of_copies(state="lost"), "unusable copies"),
    "a copy of nothing": (_of_copies(body={"annotations": [{}]}), "unusable copies"),
    "a copy of a list": (_of_copies(body={"annotations": 7}), "unusable copies"),
    "a copy of odd places": (
        _of_copies(
            body={
                "annotations": [
                    {
                        "id": str(uuid4()),
                        "rev": 1,
                        "label_id": str(uuid4()),
                        "label": "x",
                        "frame": 0,
                        "attributes": {},
                        "box": {"x": 0, "y": 0, "w": -1, "h": "wide"},
                    }
                ]
            }
        ),
        "unusable copies",
    ),
    "a copy of odd operations": (_of_copies(body={"ops": {"x": None}}), "unusable copies"),
    "a box of no class": (
        lambda record: replace(
            record, annotations=tuple({**b, "label": "car"} for b in record.annotations)
        ),
        "unusable annotations",
    ),
    "a picture in no state": (_of_image(annotation_state="lost"), "unusable record"),
    "a picture of another size": (_of_image(status="huge"), "unusable record"),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_record_is_named_and_the_rest_comes_back(
    labelled: Open, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    room, _, _, image = labelled
    services, ann = room.services, room.actor
    op = {"op": "add", "id": str(uuid4()), "label": "car", "box": BOX}
    services.annotation_ops.patch(ann, image, {"ops": [op]})
    services.tags.add(ann, image, ["sea"])
    services.comments.add(ann, image, "look")
    other, _ = boxed(room, 2, "bus")
    services.records.run()
    alter, reason = ODD[what]
    sealed_again(room, image, alter, monkeypatch)
    place = str(room.path(image).original)
    lose(room.installation)
    report = rebuild(room.installation)
    assert (report.failed, report.reasons) == (0, {reason: 1})
    assert report.examples[reason] == [place]
    house = fresh(room.installation)
    (found,) = house.services.annotations.get(ann, other).annotations
    assert found.label == "bus"
    kept = house.services.annotations.get(ann, image).annotations
    lost = reason in {"unusable record", "unusable annotations"}
    assert [box.label for box in kept] == ([] if lost else ["car"])


def _listed(
    change: Callable[[Rows], Rows], monkeypatch: pytest.MonkeyPatch, room: PictureRoom
) -> None:
    """Seal the directory with other rows."""
    said = sealing.directory_entries
    with monkeypatch.context() as patch:
        patch.setattr(
            sealing,
            "directory_entries",
            lambda connection: iter(change([(k, dict(row)) for k, row in said(connection)])),
        )
        with room.installation.house.uow.read_rows() as connection:
            store_id = connection.scalar(select(InstallationRow.store_id))
        room.services.records._sealing.write(store_id)


def _two_of(kind: str) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows for _ in range(1 + (row[0] == kind))]


def _with(kind: str, **told: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [(k, {**row, **told} if k == kind else row) for k, row in rows]


DIRECTORIES: Mapping[str, tuple[Callable[[Rows], Rows], str]] = {
    "a round twice": (_two_of("round"), "unusable round"),
    "a label version twice": (_two_of("version"), "unusable version"),
    "a collection twice": (_two_of("collection"), "unusable collection"),
    "an account twice": (_two_of("account"), "unusable account"),
    "a round of nowhere": (_with("round", collection_id=uuid4()), "unusable round"),
    "a member who is nobody": (
        lambda rows: [
            (k, {**row, "user_id": uuid4()} if row.get("role") == "annotator" else row)
            for k, row in rows
        ],
        "unusable member",
    ),
    "a label of nowhere": (_with("label", collection_id=uuid4()), "unusable label"),
}


@pytest.mark.parametrize("what", DIRECTORIES)
def test_an_odd_directory_is_named_and_the_rest_comes_back(
    labelled: Open, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    room, _, _, image = labelled
    op = {"op": "add", "id": str(uuid4()), "label": "car", "box": BOX}
    room.services.annotation_ops.patch(room.actor, image, {"ops": [op]})
    room.services.records.run()
    change, reason = DIRECTORIES[what]
    _listed(change, monkeypatch, room)
    lose(room.installation)
    report = rebuild(room.installation)
    assert (report.directory, report.failed) == ("damaged", 0)
    assert set(report.examples[reason]) == {DIRECTORY_RECORD}
    assert not report.is_whole
    assert report.rows["account"] == 2
    house = fresh(room.installation)
    assert len(house.services.annotations.get(room.actor, image).annotations) == 1
