"""Operations on one picture: done once, at the cost of what they name, by many at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, select

from app.domain.access import OPERATOR, Actor
from app.domain.annotation import MAX_BOXES
from app.domain.scopes import Scope
from app.domain.states import AnnotationState
from app.errors import InvalidInput, NotFound, NotPermitted
from app.models import AnnotationOp, Image
from app.services import annotation_rows
from app.services.annotation_ops import Patched
from app.services.annotations import ANY
from app.services.collections import CollectionEdit
from app.services.labels import LabelEdit
from tests.fixtures.rooms import Rooms

BOX = {"x": 0.1, "y": 2, "w": 3, "h": 4}


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person("ada")


@pytest.fixture
def slug(rooms: Rooms, ada: Actor) -> str:
    return rooms.collections.create(ada, name="Birds", slug="birds").slug


@pytest.fixture
def bob(rooms: Rooms, ada: Actor, slug: str) -> Actor:
    actor = rooms.person("bob")
    rooms.members.add(ada, slug, email="bob@example.org", role="annotator")
    return actor


@pytest.fixture
def image(rooms: Rooms, ada: Actor, slug: str) -> UUID:
    return rooms.picture(ada, slug)


def op(kind: str, id_: UUID | None = None, **told: Any) -> dict[str, Any]:
    named = {"id": str(id_)} if id_ else {}
    return {"op": kind, "op_id": str(uuid4()), **named, **told}


def add(id_: UUID | None = None, label: str = "wren", **told: Any) -> dict[str, Any]:
    return op("add", id_ or uuid4(), label=label, **({"box": BOX} | told))


def at(x: float) -> dict[str, Any]:
    return {"box": {**BOX, "x": x}}


def patch(rooms: Rooms, who: Actor, image: UUID, *ops: dict[str, Any], **more: Any) -> Patched:
    return rooms.annotation_ops.patch(who, image, {"ops": list(ops), **more})


def xs(rooms: Rooms, who: Actor, image: UUID) -> list[float]:
    """Where the boxes are, from the bottom to the top."""
    return [a.box.x for a in rooms.annotations.get(who, image).annotations]


def facts(rooms: Rooms, image: UUID) -> tuple[int, int, str]:
    with rooms.uow.read() as session:
        row = session.get_one(Image, image)
        return row.annotation_rev, row.annotation_count, row.annotation_state


def log(rooms: Rooms, image: UUID) -> list[tuple[int, str]]:
    with rooms.uow.read() as session:
        wanted = select(AnnotationOp.seq, AnnotationOp.kind).where(
            AnnotationOp.image_id == image
        )
        rows = session.execute(wanted.order_by(AnnotationOp.seq, AnnotationOp.place))
        return [(row.seq, row.kind) for row in rows]


class TestOnePerson:
    def test_a_box_from_beginning_to_end(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        id_ = uuid4()
        added = patch(rooms, ada, image, add(id_, attributes={"n": 1}))
        assert (added.revision, added.state) == (1, AnnotationState.IN_PROGRESS)
        assert [(done.id, done.rev) for done in added.done] == [(id_, 1)]
        moved = patch(rooms, ada, image, op("update", id_, rev=1, **at(7)), state="done")
        (there,) = rooms.annotations.get(ada, image).annotations
        assert (there.box.x, there.rev, there.attributes) == (7, 2, {"n": 1})
        assert facts(rooms, image) == (2, 1, "done")
        gone = patch(rooms, ada, image, op("delete", id_, rev=2))
        assert rooms.annotations.get(ada, image).annotations == ()
        assert facts(rooms, image) == (3, 0, "done")
        assert [found.conflicts for found in (added, moved, gone)] == [()] * 3
        assert log(rooms, image) == [
            (1, "add"), (1, "state"), (2, "update"), (2, "state"), (3, "delete"),
        ]  # fmt: skip
        entry = rooms.audit.page(OPERATOR, action="annotations.patch").entries[0]
        assert entry.details == {
            "revision": 3, "state": "done", "added": 0, "updated": 0, "deleted": 1,
        }  # fmt: skip

    def test_a_state_alone(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        assert patch(rooms, ada, image, state="done").revision == 1
        assert patch(rooms, ada, image, state="done").revision == 1
        assert log(rooms, image) == [(1, "state")]

    def test_new_boxes_lie_on_top(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        one, two, three = uuid4(), uuid4(), uuid4()
        patch(rooms, ada, image, add(one, **at(1)), add(two, **at(2)))
        patch(rooms, ada, image, op("delete", one, rev=1), add(three, **at(3)))
        patch(rooms, ada, image, add(one, **at(4)), op("update", two, rev=1, **at(5)))
        assert xs(rooms, ada, image) == [5, 3, 4]
        patch(rooms, ada, image, op("order", ids=[str(one), str(uuid4()), str(three)]))
        assert xs(rooms, ada, image) == [4, 3, 5]
        current = rooms.annotations.get(ada, image)
        assert [a.rev for a in current.annotations] == [3, 2, 3]
        assert current.revision == 4

    def test_another_order_beside_what_goes(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        ids = [uuid4() for _ in range(3)]
        patch(rooms, ada, image, *(add(id_, **at(n)) for n, id_ in enumerate(ids)))
        order = op("order", ids=[str(id_) for id_ in reversed(ids)])
        patch(rooms, ada, image, order, op("delete", ids[0], rev=1), add(**at(9)))
        assert xs(rooms, ada, image) == [2, 1, 9]
        before = facts(rooms, image)
        patch(rooms, ada, image, order, op("order", ids=[str(ids[2]), str(ids[1])]))
        assert facts(rooms, image) == before

    def test_steps_on_one_box_are_one_write(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        id_ = uuid4()
        moves = [op("update", id_, **at(n)) for n in range(1, 4)]
        patch(rooms, ada, image, add(id_), *moves)
        assert xs(rooms, ada, image) == [3]
        patch(rooms, ada, image, add(image), op("delete", image))
        assert facts(rooms, image) == (2, 1, "in_progress")


class TestAgain:
    def test_what_was_sent_twice_is_done_once(
        self, rooms: Rooms, ada: Actor, bob: Actor, image: UUID
    ) -> None:
        id_ = uuid4()
        drawn, moved = add(id_), op("update", id_, **at(5))
        same = op("update", id_, **at(5))
        first = patch(rooms, ada, image, drawn, moved, same)
        before = facts(rooms, image), log(rooms, image), rooms.actions()
        assert patch(rooms, ada, image, drawn, moved, same) == first
        assert before == (facts(rooms, image), log(rooms, image), rooms.actions())
        patch(rooms, bob, image, op("update", id_, rev=1, **at(6)))
        assert patch(rooms, ada, image, drawn, moved, same).done == first.done
        assert xs(rooms, ada, image) == [6]

    def test_after_an_answer_that_was_lost(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        id_ = uuid4()
        patch(rooms, ada, image, add(id_))
        lost = op("update", id_, rev=1, **at(5))
        patch(rooms, ada, image, lost)
        later = patch(rooms, ada, image, lost, op("update", id_, rev=1, **at(6)))
        assert later.conflicts == ()
        assert xs(rooms, ada, image) == [6]

    def test_ids_of_other_pictures(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        other, id_ = rooms.picture(ada, slug), uuid4()
        drawn = add(id_)
        patch(rooms, ada, other, drawn)
        moved, deleted = op("update", id_, rev=1, **at(3)), op("delete", id_, rev=1)
        for bad, member in ((drawn, "op_id"), (add(id_), "id"), (moved, "id"), (deleted, "id")):
            with pytest.raises(InvalidInput) as caught:
                patch(rooms, ada, image, add(), bad)
            assert [m.path for m in caught.value.mistakes] == [f"$.ops[1].{member}"]
        assert facts(rooms, image) == (0, 0, "new")
        assert xs(rooms, ada, other) == [0.1]


class TestTwoPeople:
    def test_different_boxes_merge(
        self, rooms: Rooms, ada: Actor, bob: Actor, image: UUID
    ) -> None:
        one, two = uuid4(), uuid4()
        patch(rooms, ada, image, add(one, **at(1)), add(two, **at(2)))
        mine = patch(rooms, ada, image, op("update", one, rev=1, **at(11)), add(**at(3)))
        theirs = patch(rooms, bob, image, op("update", two, rev=1, **at(12)), add(**at(4)))
        assert mine.conflicts == theirs.conflicts == ()
        assert xs(rooms, ada, image) == [11, 12, 3, 4]

    def test_one_box_is_told_from_three_sides(
        self, rooms: Rooms, ada: Actor, bob: Actor, image: UUID
    ) -> None:
        one, two = uuid4(), uuid4()
        patch(rooms, ada, image, add(one, **at(1)), add(two, **at(2)))
        patch(rooms, ada, image, op("update", one, rev=1, **at(11)))
        patch(rooms, ada, image, op("update", one, rev=2, **at(12)))
        stale = op("update", one, rev=1, label="owl")
        result = patch(rooms, bob, image, stale, op("update", two, rev=1, **at(20)))
        (conflict,) = result.conflicts
        base, mine, theirs = conflict.base, conflict.mine, conflict.theirs
        assert base is not None
        assert mine is not None
        assert theirs is not None
        assert (base.box.x, base.label, base.rev) == (1, "wren", 1)
        assert (mine.box.x, mine.label) == (1, "owl")
        assert (theirs.box.x, theirs.label, theirs.rev) == (12, "wren", 3)
        assert [str(id_) for id_ in conflict.op_ids] == [stale["op_id"]]
        assert [done.id for done in result.done] == [two]
        assert xs(rooms, ada, image) == [12, 20]
        again = patch(rooms, bob, image, op("update", one, rev=3, label="owl"))
        assert again.conflicts == ()

    def test_a_box_that_is_gone(
        self, rooms: Rooms, ada: Actor, bob: Actor, image: UUID
    ) -> None:
        id_ = uuid4()
        patch(rooms, ada, image, add(id_, **at(1)))
        patch(rooms, ada, image, op("delete", id_, rev=1))
        (conflict,) = patch(rooms, bob, image, op("update", id_, rev=1, **at(2))).conflicts
        assert conflict.base is not None
        assert conflict.mine is not None
        assert (conflict.base.box.x, conflict.mine.box.x, conflict.theirs) == (1, 2, None)
        assert patch(rooms, bob, image, op("delete", id_, rev=1)).conflicts == ()

    def test_a_set_that_was_put_in_between(
        self, rooms: Rooms, ada: Actor, bob: Actor, image: UUID
    ) -> None:
        kept, gone = uuid4(), uuid4()
        patch(rooms, ada, image, add(kept), add(gone))
        rooms.annotations.put(
            ada, image, {"annotations": [{"id": str(kept), "label": "wren", "box": BOX}]}, ANY
        )
        result = patch(
            rooms,
            bob,
            image,
            op("update", kept, rev=1, **at(3)),
            op("update", gone, rev=1, **at(4)),
        )
        assert [conflict.id for conflict in result.conflicts] == [gone]
        assert xs(rooms, ada, image) == [3]

    def test_what_is_older_than_the_log(
        self, rooms: Rooms, ada: Actor, bob: Actor, image: UUID
    ) -> None:
        """Boxes of an earlier release: the log begins with the first change of one."""
        id_ = uuid4()
        patch(rooms, ada, image, add(id_, **at(1)))
        with rooms.uow.write() as session:
            session.execute(AnnotationOp.__table__.delete())
        patch(rooms, ada, image, op("update", id_, rev=1, **at(2)))
        (conflict,) = patch(rooms, bob, image, op("delete", id_, rev=1)).conflicts
        assert conflict.base is not None
        assert (conflict.base.box.x, conflict.mine) == (1, None)
        with rooms.uow.write() as session:
            session.execute(AnnotationOp.__table__.delete())
        (conflict,) = patch(rooms, bob, image, op("delete", id_, rev=1)).conflicts
        assert conflict.base is None
        assert conflict.theirs is not None

    def test_eight_at_once(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        """Each draws its own boxes and pulls at one of all: no operation is lost."""
        shared = uuid4()
        patch(rooms, ada, image, add(shared, **at(0)))

        def draw(number: int) -> int:
            pulled = 0
            for step in range(6):
                patch(rooms, ada, image, add(**at(100 * number + step)))
                while True:
                    current = rooms.annotations.get(ada, image).annotations
                    (there,) = (a for a in current if a.id == shared)
                    mine = {**BOX, "x": there.box.x + 1, "h": number}
                    pull = op("update", shared, rev=there.rev, box=mine)
                    if not patch(rooms, ada, image, pull).conflicts:
                        pulled += 1
                        break
            return pulled

        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(draw, range(1, 9))) == [6] * 8
        drawn = {100 * number + step for number in range(1, 9) for step in range(6)}
        assert sorted(xs(rooms, ada, image)) == sorted({48.0} | drawn)
        revision, count, _ = facts(rooms, image)
        assert (revision, count) == (97, 49)
        assert len(log(rooms, image)) == 98
        assert rooms.audit.verify().broken_at is None


class TestLabels:
    def test_a_class_that_a_colleague_removed(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        wren = rooms.labels.create(ada, slug, LabelEdit(name="wren")).id
        rooms.labels.remove(ada, slug, wren)
        rooms.collections.edit(ada, slug, CollectionEdit(labels_closed=True))
        drawn = op("add", label_id=str(wren), label="what it was", box=BOX)
        patch(rooms, ada, image, drawn)
        (there,) = rooms.annotations.get(ada, image).annotations
        assert (there.label_id, there.label) == (wren, "wren")
        unknown = {
            "label": op("add", label="owl", box=BOX),
            "label_id": op("add", label_id=str(uuid4()), box=BOX),
        }
        for member, bad in unknown.items():
            with pytest.raises(InvalidInput) as caught:
                patch(rooms, ada, image, bad)
            mistakes = [mistake.path for mistake in caught.value.mistakes]
            assert [path.rpartition("].")[2] for path in mistakes] == [member]

    def test_an_open_set_grows(self, rooms: Rooms, ada: Actor, slug: str, image: UUID) -> None:
        patch(rooms, ada, image, add(label="owl"), add(label="wren"), add(label="owl"))
        assert [label.name for label in rooms.labels.list(ada, slug)] == ["owl", "wren"]


class TestWhoMay:
    @pytest.mark.parametrize(
        ("role", "may_write"), [("viewer", False), ("annotator", True), ("editor", True)]
    )
    def test_roles(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID, role: str, may_write: bool
    ) -> None:
        eve = rooms.person("eve")
        with pytest.raises(NotFound):
            rooms.annotation_ops.patch(eve, image, "nonsense")
        rooms.members.add(ada, slug, email="eve@example.org", role=role)
        if may_write:
            assert patch(rooms, eve, image, add()).revision == 1
        else:
            with pytest.raises(NotPermitted):
                patch(rooms, eve, image, add())

    def test_scopes(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        reader = Actor(ada.user_id, scopes=frozenset({Scope.ANNOTATIONS_READ}))
        with pytest.raises(NotPermitted):
            patch(rooms, reader, image, add())


class TestBadInput:
    def test_a_mistake_anywhere_changes_nothing(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        bad = add(label="new", box={**BOX, "w": float("inf")})
        with pytest.raises(InvalidInput) as caught:
            patch(rooms, ada, image, add(label="fresh"), bad)
        assert [m.path for m in caught.value.mistakes] == ["$.ops[1].box.w"]
        assert facts(rooms, image) == (0, 0, "new")
        assert rooms.labels.list(ada, slug) == ()

    def test_too_many_boxes(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        with rooms.uow.write() as session:
            session.get_one(Image, image).annotation_count = MAX_BOXES - 1
        patch(rooms, ada, image, add())
        with pytest.raises(InvalidInput, match="At most"):
            patch(rooms, ada, image, add())
        assert facts(rooms, image)[:2] == (1, MAX_BOXES)


class TestCost:
    def test_only_the_named_boxes_are_opened(
        self, rooms: Rooms, ada: Actor, image: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ids = [uuid4() for _ in range(60)]
        patch(rooms, ada, image, *(add(id_) for id_ in ids))
        opened: list[UUID] = []
        real = annotation_rows._annotation

        def watched(row: Any, classes: Any) -> Any:
            opened.append(row.id)
            return real(row, classes)

        monkeypatch.setattr(annotation_rows, "_annotation", watched)
        statements: list[str] = []
        event.listen(
            rooms.uow.engine,
            "before_cursor_execute",
            lambda c, k, text, values, context, many: statements.append(text),
        )
        patch(rooms, ada, image, op("update", ids[30], rev=1, **at(5)))
        assert opened == [ids[30]]
        assert len(statements) <= 14
        patch(rooms, ada, image, op("order", ids=[str(ids[59])]))
        assert opened == [ids[30]]
