"""Merge, split, history: annotations follow, nothing that was open breaks."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.domain.access import Actor
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted, SchemaChanged
from app.jobs.watch import UNWATCHED
from app.models import AnnotationOp
from app.services import relabelling
from app.services.attribute_checks import require_complete
from app.services.label_schema import JOB, Rule, SplitWish
from app.services.labels import LabelEdit
from app.services.picture_access import PictureAccess, find_picture
from tests.fixtures.rooms import Rooms


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person("ada")


@pytest.fixture
def slug(rooms: Rooms, ada: Actor) -> str:
    return rooms.collections.create(ada, name="Roads", slug="roads").slug


def item(label: str, n: int = 0, **attributes: object) -> dict[str, Any]:
    box = {"x": float(n), "y": 1.0, "w": 2.0, "h": 3.0}
    return {"label": label, "box": box, "attributes": attributes}


def put(rooms: Rooms, ada: Actor, image: UUID, *items: dict[str, Any], state: str = "") -> None:
    document = {"annotations": list(items)} | ({"state": state} if state else {})
    rooms.annotations.put(ada, image, document, "*")


def drawn(rooms: Rooms, ada: Actor, image: UUID) -> list[str]:
    return [one.label for one in rooms.annotations.get(ada, image).annotations]


def ids_of(rooms: Rooms, ada: Actor, slug: str) -> dict[str, UUID]:
    found = rooms.labels.whole(ada, slug)
    return {label.name: label.id for label in (*found.offered, *found.removed)}


def counts(rooms: Rooms, ada: Actor, slug: str) -> dict[str, tuple[int, int]]:
    found = rooms.labels.whole(ada, slug)
    shown = {label.name: found.tally(label.id) for label in (*found.offered, *found.removed)}
    return {name: (tally.annotations, tally.pictures) for name, tally in shown.items()}


@pytest.fixture
def images(rooms: Rooms, ada: Actor, slug: str) -> list[UUID]:
    """Two pictures with lorries and cars, one of them done, and one without lorries."""
    made = [rooms.picture(ada, slug) for _ in range(3)]
    put(rooms, ada, made[0], item("lorry", 0, axles=2), item("car", 1), item("lorry", 2))
    put(rooms, ada, made[1], item("lorry", 0, axles=3), state="done")
    put(rooms, ada, made[2], item("car"))
    return made


def test_merged_annotations_are_of_the_other_class(
    rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
) -> None:
    ids = ids_of(rooms, ada, slug)
    seen = rooms.schemas.preview(ada, slug, ids["lorry"])
    assert (seen.annotations, seen.pictures, seen.complete) == (3, 2, True)
    assert seen.states == {"in_progress": 1, "done": 1}
    version = rooms.labels.whole(ada, slug).version
    outcome = rooms.schemas.merge(ada, slug, ids["lorry"], ids["car"], version)
    assert (outcome.changed, outcome.version) == (3, version + 1)
    assert [drawn(rooms, ada, image) for image in images] == [["car"] * 3, ["car"], ["car"]]
    assert rooms.annotations.get(ada, images[1]).state.value == "done"
    assert counts(rooms, ada, slug) == {"car": (5, 3), "lorry": (0, 0)}
    (lorry,) = rooms.labels.whole(ada, slug).removed
    assert lorry.merged_into == ids["car"]
    put(rooms, ada, images[2], item("car"), item("lorry", 5))  # as an import would
    assert drawn(rooms, ada, images[2]) == ["car", "car"]
    assert "label.merge" in rooms.actions()


def test_a_merge_is_told_in_each_pictures_log(
    rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
) -> None:
    ids = ids_of(rooms, ada, slug)
    before = rooms.annotations.get(ada, images[0])
    rooms.schemas.merge(ada, slug, ids["lorry"], ids["car"], None)
    with rooms.uow.read() as session:
        ops = session.scalars(
            select(AnnotationOp).where(
                AnnotationOp.image_id == images[0], AnnotationOp.seq == before.revision + 1
            )
        ).all()
    assert [op.body["way"] for op in ops] == ["relabel"] * 2
    assert {op.annotation_id for op in ops} == {
        one.id for one in before.annotations if one.label == "lorry"
    }


def test_numbers_and_order_stay_whatever_is_merged(
    rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
) -> None:
    def numbers() -> dict[UUID, int]:
        found = rooms.labels.whole(ada, slug)
        return {label.id: label.number for label in (*found.offered, *found.removed)}

    before, ids = numbers(), ids_of(rooms, ada, slug)
    bus = rooms.labels.create(ada, slug, LabelEdit(name="bus"))
    rooms.labels.reorder(ada, slug, [bus.id, ids["car"], ids["lorry"]])
    rooms.schemas.merge(ada, slug, ids["lorry"], bus.id, None)
    rooms.labels.remove(ada, slug, ids["car"])
    tram = rooms.labels.create(ada, slug, LabelEdit(name="tram"))
    assert numbers() == before | {bus.id: 2, tram.id: 3}
    assert rooms.labels.restore(ada, slug, ids["car"]).number == before[ids["car"]]
    with pytest.raises(Conflict):
        rooms.labels.restore(ada, slug, ids["lorry"])


def test_split_by_what_an_attribute_says(
    rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
) -> None:
    ids = ids_of(rooms, ada, slug)
    seen = rooms.schemas.preview(ada, slug, ids["lorry"], "axles")
    assert seen.values == {"2": 1, "3": 1, "": 1}
    wish = SplitWish(attribute="axles", names={"2": "van", "3": "car"})
    rooms.labels.edit(
        ada, slug, ids["lorry"], LabelEdit(attributes=[{"name": "axles", "kind": "number"}])
    )
    assert rooms.schemas.split(ada, slug, ids["lorry"], wish, None).changed == 2
    assert drawn(rooms, ada, images[0]) == ["van", "car", "lorry"]
    assert drawn(rooms, ada, images[1]) == ["car"]
    van = next(one for one in rooms.labels.list(ada, slug) if one.name == "van")
    assert [each.name for each in van.attributes] == ["axles"]
    assert counts(rooms, ada, slug) == {"lorry": (1, 1), "car": (3, 3), "van": (1, 1)}


def test_split_by_pictures(rooms: Rooms, ada: Actor, slug: str, images: list[UUID]) -> None:
    ids = ids_of(rooms, ada, slug)
    wish = SplitWish(images=[images[1]], name="truck")
    assert rooms.schemas.split(ada, slug, ids["lorry"], wish, None).changed == 1
    assert [drawn(rooms, ada, one) for one in images[:2]] == [
        ["lorry", "car", "lorry"],
        ["truck"],
    ]


@pytest.mark.parametrize(
    "wish",
    [
        SplitWish(),
        SplitWish(attribute="axles"),
        SplitWish(attribute="axles", names={"2": ""}),
        SplitWish(attribute="axles", names={"2": "a"}, images=[]),
        SplitWish(images=[], name=None),
    ],
)
def test_a_wish_that_says_nothing_is_refused(
    rooms: Rooms, ada: Actor, slug: str, images: list[UUID], wish: SplitWish
) -> None:
    version = rooms.labels.whole(ada, slug).version
    with pytest.raises(InvalidInput):
        rooms.schemas.split(ada, slug, ids_of(rooms, ada, slug)["lorry"], wish, version)
    assert rooms.labels.whole(ada, slug).version == version


def test_many_pictures_are_a_jobs_work_that_can_be_begun_again(
    rooms: Rooms, ada: Actor, slug: str, images: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relabelling, "FEW", 1)
    ids = ids_of(rooms, ada, slug)
    outcome = rooms.schemas.merge(ada, slug, ids["lorry"], ids["car"], None)
    assert outcome.job_id is not None
    assert drawn(rooms, ada, images[1]) == ["lorry"]
    ((kind, params),) = rooms.queued
    assert kind == JOB
    rule = Rule.of(params)
    assert rooms.schemas.run(ada.user_id, rule, UNWATCHED) == 3
    assert rooms.schemas.run(ada.user_id, rule, UNWATCHED) == 0
    assert drawn(rooms, ada, images[1]) == ["car"]


def test_a_merge_that_does_not_reach_its_end_is_none(
    rooms: Rooms,
    ada: Actor,
    slug: str,
    images: list[UUID],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids, before = ids_of(rooms, ada, slug), counts(rooms, ada, slug)

    def killed(*_told: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rooms.writing, "write_set", killed)
        with pytest.raises(KeyboardInterrupt):
            rooms.schemas.merge(ada, slug, ids["lorry"], ids["car"], None)
    assert counts(rooms, ada, slug) == before
    rooms.schemas.merge(ada, slug, ids["lorry"], ids["car"], None)
    assert counts(rooms, ada, slug)["lorry"] == (0, 0)


def test_a_change_of_what_one_has_not_seen_is_refused(
    rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
) -> None:
    ids, version = ids_of(rooms, ada, slug), rooms.labels.whole(ada, slug).version
    rooms.labels.edit(ada, slug, ids["car"], LabelEdit(name="auto"), version)
    for attempt in (
        lambda: rooms.labels.edit(ada, slug, ids["car"], LabelEdit(name="x"), version),
        lambda: rooms.labels.create(ada, slug, LabelEdit(name="x"), version),
        lambda: rooms.labels.remove(ada, slug, ids["car"], version),
        lambda: rooms.schemas.merge(ada, slug, ids["lorry"], ids["car"], version),
    ):
        with pytest.raises(SchemaChanged) as caught:
            attempt()
        assert caught.value.version == version + 1


def test_refused_merges(rooms: Rooms, ada: Actor, slug: str, images: list[UUID]) -> None:
    ids = ids_of(rooms, ada, slug)
    with pytest.raises(Conflict):
        rooms.schemas.merge(ada, slug, ids["car"], ids["car"], None)
    with pytest.raises(NotFound):
        rooms.schemas.merge(ada, slug, ids["car"], images[0], None)
    rooms.labels.remove(ada, slug, ids["lorry"])
    with pytest.raises(Conflict):
        rooms.schemas.merge(ada, slug, ids["car"], ids["lorry"], None)
    bob = rooms.person("bob")
    rooms.members.add(ada, slug, email="bob@example.org", role="reviewer")
    with pytest.raises(NotPermitted):
        rooms.schemas.merge(bob, slug, ids["lorry"], ids["car"], None)
    with pytest.raises(NotPermitted):
        rooms.schemas.preview(bob, slug, ids["car"])
    assert rooms.schemas.history(bob, slug).versions


def test_history_tells_who_did_what(rooms: Rooms, ada: Actor, slug: str) -> None:
    car = rooms.labels.create(ada, slug, LabelEdit(name="car"))
    rooms.labels.edit(ada, slug, car.id, LabelEdit(name="auto"))
    rooms.labels.edit(ada, slug, car.id, LabelEdit(name="auto"))  # changes nothing
    rooms.labels.edit(ada, slug, car.id, LabelEdit(colour="#000000"))
    rooms.labels.remove(ada, slug, car.id)
    found = rooms.schemas.history(ada, slug)
    told = [(each.version, each.kind, dict(each.details)) for each in found.versions]
    assert told == [
        (5, "delete", {"name": "auto"}),
        (4, "edit", {"name": "auto", "fields": ["colour"]}),
        (3, "rename", {"from": "car", "to": "auto"}),
        (2, "add", {"names": ["car"]}),
    ]
    assert {each.who for each in found.versions} == {"Ada"}
    assert found.before is None
    assert [v.version for v in rooms.schemas.history(ada, slug, before=4).versions] == [3, 2]


def test_used_is_deprecated_and_unused_deleted(
    rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
) -> None:
    ids = ids_of(rooms, ada, slug)
    bus = rooms.labels.create(ada, slug, LabelEdit(name="bus"))
    assert rooms.labels.remove(ada, slug, bus.id).deleted
    assert not rooms.labels.remove(ada, slug, ids["lorry"]).deleted
    found = rooms.labels.whole(ada, slug)
    assert [label.name for label in found.removed] == ["lorry"]
    assert rooms.labels.restore(ada, slug, ids["lorry"]).name == "lorry"
    assert drawn(rooms, ada, images[1]) == ["lorry"]


class TestAttributes:
    AGE = ({"name": "age", "kind": "number", "min": 0, "required": True},)

    def declare(self, rooms: Rooms, ada: Actor, slug: str, name: str = "car") -> UUID:
        id_ = ids_of(rooms, ada, slug)[name]
        rooms.labels.edit(ada, slug, id_, LabelEdit(attributes=list(self.AGE)))
        return id_

    def test_what_is_said_is_held_against_the_label(
        self, rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
    ) -> None:
        self.declare(rooms, ada, slug)
        with pytest.raises(InvalidInput) as caught:
            put(rooms, ada, images[2], item("lorry", age=-1), item("car", age=-1))
        assert caught.value.mistakes[0].path == "annotations[1].attributes.age"
        put(rooms, ada, images[2], item("car", age=3, unheard_of=["x"]))

    def test_so_is_what_an_operation_says(
        self, rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
    ) -> None:
        car = self.declare(rooms, ada, slug)
        op = {
            "op": "add",
            "op_id": str(uuid4()),
            "id": str(uuid4()),
            "label_id": str(car),
            "box": item("car")["box"],
            "attributes": {"age": "old"},
        }
        with pytest.raises(InvalidInput) as caught:
            rooms.annotation_ops.patch(ada, images[2], {"ops": [op]})
        assert caught.value.mistakes[0].path == "$.ops[0].attributes.age"
        rooms.annotation_ops.patch(ada, images[2], {"ops": [op | {"attributes": {"age": 1}}]})

    def test_what_was_there_before_the_label_declared_otherwise_stays(
        self, rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
    ) -> None:
        put(rooms, ada, images[2], item("car", age="old"))
        self.declare(rooms, ada, slug)
        (one,) = rooms.annotations.get(ada, images[2]).annotations
        moved = {**item("car", 9, age="old"), "id": str(one.id)}
        put(rooms, ada, images[2], moved)
        with pytest.raises(InvalidInput):
            put(rooms, ada, images[2], {**moved, "attributes": {"age": "older"}})

    def test_what_is_needed_is_asked_for_when_a_picture_is_submitted(
        self, rooms: Rooms, ada: Actor, slug: str, images: list[UUID]
    ) -> None:
        self.declare(rooms, ada, slug)
        put(rooms, ada, images[2], item("car"))
        found = find_picture_of(rooms, ada, images[2])
        with rooms.uow.write() as session, pytest.raises(InvalidInput) as caught:
            require_complete(session, found)
        assert caught.value.mistakes[0].path == "annotations[0].attributes.age"
        put(rooms, ada, images[2], item("car", age=4))
        with rooms.uow.write() as session:
            require_complete(session, found)


def find_picture_of(rooms: Rooms, ada: Actor, image: UUID) -> PictureAccess:
    with rooms.uow.read() as session:
        found = find_picture(session, ada, image)
    assert found is not None
    return found
