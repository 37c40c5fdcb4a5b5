"""What was done to a picture's annotations: told, and taken back; and who is there."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from app.domain.access import Actor
from app.errors import Conflict, InvalidInput, NotFound, NotPermitted
from app.models import AnnotationOp, Presence
from app.services import annotation_changes
from app.services.annotations import ANY
from app.services.collections import CollectionEdit
from app.services.cursor import decode_cursor
from app.services.labels import LabelEdit
from app.services.presences import Presences
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


def add(id_: UUID, x: float = 0, label: str = "wren") -> dict[str, Any]:
    return {"op": "add", "id": str(id_), "label": label, "box": {**BOX, "x": x}}


def move(id_: UUID, rev: int, x: float) -> dict[str, Any]:
    return {"op": "update", "id": str(id_), "rev": rev, "box": {**BOX, "x": x}}


def patch(rooms: Rooms, who: Actor, image: UUID, *ops: dict[str, Any], **more: Any) -> int:
    found = rooms.annotation_ops.patch(who, image, {"ops": list(ops), **more})
    assert found.conflicts == ()
    return found.revision


def told(rooms: Rooms, who: Actor, image: UUID) -> list[tuple[int, str]]:
    page = rooms.annotation_history.history(who, image)
    return [(entry.seq, entry.kind) for entry in page.entries]


def content(rooms: Rooms, who: Actor, image: UUID) -> list[tuple[UUID, str, float]]:
    found = rooms.annotations.get(who, image)
    return [(a.id, a.label, a.box.x) for a in found.annotations]


class TestHistory:
    def test_who_when_before_and_after(
        self, rooms: Rooms, ada: Actor, bob: Actor, image: UUID
    ) -> None:
        id_ = uuid4()
        patch(rooms, ada, image, add(id_, 1))
        rooms.clock.advance(minutes=31)  # it is nobody's any more
        patch(rooms, bob, image, move(id_, 1, 9), state="done")
        page = rooms.annotation_history.history(bob, image)
        state, moved, started, added = page.entries
        assert (state.kind, state.before, state.after) == ("state", "in_progress", "done")
        assert (moved.before["box"]["x"], moved.after["box"]["x"]) == (1, 9)
        assert (moved.before["rev"], moved.after["rev"], moved.way) == (1, 2, "patch")
        assert (added.kind, added.before, added.annotation_id) == ("add", None, id_)
        assert (moved.at - added.at).seconds == 31 * 60
        assert (started.before, started.after) == ("new", "in_progress")
        assert page.people[ada.user_id].name == "Ada"
        assert [page.people[e.actor_id].is_you for e in (moved, added)] == [True, False]
        assert page.next_cursor is None

    def test_page_by_page(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        ids = [uuid4() for _ in range(7)]
        patch(rooms, ada, image, *(add(id_) for id_ in ids))
        patch(rooms, ada, image, *(move(id_, 1, 5) for id_ in ids))
        whole = rooms.annotation_history.history(ada, image, limit=200).entries
        found, cursor = [], None
        while True:
            page = rooms.annotation_history.history(ada, image, decode_cursor(cursor), 4)
            found.extend(page.entries)
            cursor = page.next_cursor
            if cursor is None:
                break
        assert tuple(found) == whole
        assert len(whole) == 15
        one = rooms.annotation_history.history(ada, image, annotation_id=ids[3]).entries
        assert [entry.kind for entry in one] == ["update", "add"]

    def test_every_way_is_told(self, rooms: Rooms, ada: Actor, slug: str, image: UUID) -> None:
        first = rooms.annotations.put(ada, image, {"annotations": [add(uuid4())]}, ANY)
        there = rooms.collections.create(ada, name="There").slug
        assert there
        turned = {"annotations": [add(uuid4()), add(first.annotations[0].id)]}
        rooms.annotations.put(ada, image, turned, ANY)
        page = rooms.annotation_history.history(ada, image)
        assert [(e.seq, e.kind, e.way) for e in page.entries] == [
            (2, "order", "put"), (2, "add", "put"), (1, "state", "put"), (1, "add", "put"),
        ]  # fmt: skip

    def test_who_may(self, rooms: Rooms, ada: Actor, slug: str, image: UUID) -> None:
        eve = rooms.person("eve")
        with pytest.raises(NotFound):
            rooms.annotation_history.history(eve, image)
        rooms.members.add(ada, slug, email="eve@example.org", role="viewer")
        assert rooms.annotation_history.history(eve, image).entries == ()
        patch(rooms, ada, image, add(uuid4()))
        with pytest.raises(NotPermitted):
            rooms.annotation_history.restore(eve, image, 0)


class TestRestore:
    def test_any_point_is_a_new_change(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        one, two = uuid4(), uuid4()
        points = [content(rooms, ada, image)]
        for ops in (
            [add(one, 1), add(two, 2)],
            [move(one, 1, 11)],
            [{"op": "order", "ids": [str(two), str(one)]}],
            [{"op": "delete", "id": str(two), "rev": 1}],
            [add(two, 22, "owl"), move(one, 2, 12)],
        ):
            patch(rooms, ada, image, *ops)
            points.append(content(rooms, ada, image))
        last = len(points) - 1
        for seq in [*range(last, -1, -1), *range(last + 1)]:
            restored = rooms.annotation_history.restore(ada, image, seq)
            assert content(rooms, ada, image) == points[seq]
            assert restored == rooms.annotations.get(ada, image)
        assert rooms.annotations.get(ada, image).state.value == "in_progress"
        page = rooms.annotation_history.history(ada, image)
        assert page.entries[0].way == "restore"
        before = told(rooms, ada, image)
        rooms.annotation_history.restore(ada, image, restored.revision)
        assert told(rooms, ada, image) == before

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(
        st.lists(
            st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), unique_by=lambda b: b[0]),
            max_size=5,
        )
    )
    def test_any_sequence_of_sets_can_be_gone_back_through(
        self, rooms: Rooms, ada: Actor, image: UUID, sets: list[list[tuple[int, int]]]
    ) -> None:
        start = rooms.annotations.get(ada, image).revision
        points = {start: content(rooms, ada, image)}
        for boxes in sets:
            items = [add(UUID(int=number, version=4), x) for number, x in boxes]
            seq = rooms.annotations.put(ada, image, {"annotations": items}, ANY).revision
            points[seq] = content(rooms, ada, image)
        for seq, point in reversed(points.items()):
            rooms.annotation_history.restore(ada, image, seq)
            assert content(rooms, ada, image) == point

    def test_what_is_no_revision(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        for seq in (-1, 1):
            with pytest.raises(InvalidInput):
                rooms.annotation_history.restore(ada, image, seq)

    def test_what_is_older_than_the_log(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        id_ = uuid4()
        for step in range(3):
            patch(rooms, ada, image, move(id_, step, step) if step else add(id_))
        with rooms.uow.write() as session:
            gone = AnnotationOp.__table__.delete().where(AnnotationOp.seq == 2)
            session.execute(gone)
        with pytest.raises(Conflict, match="far"):
            rooms.annotation_history.restore(ada, image, 1)
        rooms.annotation_history.restore(ada, image, 2)
        assert [x for _, _, x in content(rooms, ada, image)] == [1]

    def test_labels_that_went_on_meanwhile(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        id_ = uuid4()
        patch(rooms, ada, image, add(id_, 1, "wren"))
        (there,) = rooms.annotations.get(ada, image).annotations
        patch(rooms, ada, image, {"op": "delete", "id": str(id_), "rev": 1})
        rooms.labels.edit(ada, slug, there.label_id, LabelEdit(name="robin"))
        rooms.labels.remove(ada, slug, there.label_id)
        rooms.collections.edit(ada, slug, CollectionEdit(labels_closed=True))
        back = rooms.annotation_history.restore(ada, image, 1)
        assert [(a.label_id, a.label) for a in back.annotations] == [(there.label_id, "robin")]


class TestNews:
    def test_what_others_did(self, rooms: Rooms, ada: Actor, bob: Actor, image: UUID) -> None:
        one, two = uuid4(), uuid4()
        patch(rooms, ada, image, add(one, 1), add(two, 2))
        patch(rooms, bob, image, move(one, 1, 11), {"op": "delete", "id": str(two), "rev": 1})
        news = rooms.annotation_changes.since(ada, image, 1, None)
        assert (news.revision, news.state.value, news.order) == (2, "in_progress", None)
        assert news.changes is not None
        moved, gone = news.changes
        assert (moved.kind, moved.id, moved.annotation.box.x) == ("update", one, 11)
        assert (gone.kind, gone.id, gone.annotation) == ("delete", two, None)
        assert (moved.person.name, moved.person.initials, moved.person.is_you) == (
            "Bob", "B", False,
        )  # fmt: skip
        assert rooms.annotation_changes.since(ada, image, 2, None).changes == ()
        assert rooms.annotation_changes.since(ada, image, None, None).changes == ()

    def test_another_order_is_told_whole(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        one, two = uuid4(), uuid4()
        patch(rooms, ada, image, add(one), add(two))
        patch(rooms, ada, image, {"op": "order", "ids": [str(two)]})
        news = rooms.annotation_changes.since(ada, image, 1, None)
        assert (news.changes, news.order) == ((), (two, one))

    def test_the_order_is_told_after_going_back(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        one, two = uuid4(), uuid4()
        patch(rooms, ada, image, add(one), add(two))
        patch(rooms, ada, image, {"op": "delete", "id": str(one), "rev": 1})
        rooms.annotation_history.restore(ada, image, 1)
        assert rooms.annotation_changes.since(ada, image, 2, None).order == (one, two)

    def test_too_much_or_too_old_is_for_the_whole_set(
        self, rooms: Rooms, ada: Actor, image: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        patch(rooms, ada, image, *(add(uuid4()) for _ in range(5)))
        assert rooms.annotation_changes.since(ada, image, 9, None).changes is None
        monkeypatch.setattr(annotation_changes, "MOST", 4)
        assert rooms.annotation_changes.since(ada, image, 0, None).changes is None
        monkeypatch.undo()
        assert rooms.annotation_changes.since(ada, image, 0, None).changes is not None
        with rooms.uow.write() as session:
            session.execute(AnnotationOp.__table__.delete())
        assert rooms.annotation_changes.since(ada, image, 0, None).changes is None

    def test_nothing_new_is_three_selects(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        tab = uuid4()
        rooms.annotation_changes.since(ada, image, 0, tab)
        statements: list[str] = []
        event.listen(
            rooms.uow.engine,
            "before_cursor_execute",
            lambda c, k, text, values, context, many: statements.append(text),
        )
        news = rooms.annotation_changes.since(ada, image, 0, tab)
        assert [text.split()[0] for text in statements] == ["SELECT"] * 3
        assert [(who.name, tabs) for who, tabs in news.there] == [("Ada", 1)]


class TestPresence:
    def test_of_a_picture_that_went_a_moment_ago_nothing_is_noted(
        self, rooms: Rooms, ada: Actor
    ) -> None:
        assert ada.user_id is not None
        Presences(rooms.uow).note(uuid4(), ada.user_id, uuid4(), rooms.clock())
        with rooms.uow.read() as session:
            assert session.scalar(select(func.count()).select_from(Presence)) == 0

    def seen(self, rooms: Rooms, who: Actor, image: UUID, tab: UUID) -> list[tuple[str, int]]:
        news = rooms.annotation_changes.since(who, image, None, tab)
        return [(person.name, tabs) for person, tabs in news.there]

    def test_people_see_each_other_while_they_are_there(
        self, rooms: Rooms, ada: Actor, bob: Actor, image: UUID
    ) -> None:
        mine, other, theirs = uuid4(), uuid4(), uuid4()
        assert self.seen(rooms, ada, image, mine) == []
        self.seen(rooms, bob, image, theirs)
        assert self.seen(rooms, ada, image, other) == [("Ada", 1), ("Bob", 1)]
        assert self.seen(rooms, ada, image, mine) == [("Ada", 2), ("Bob", 1)]
        rooms.clock.advance(seconds=30)
        assert self.seen(rooms, bob, image, theirs) == [("Bob", 1), ("Ada", 2)]
        rooms.clock.advance(seconds=30)
        assert self.seen(rooms, bob, image, theirs) == [("Bob", 1)]

    def test_a_note_is_written_now_and_then_and_forgotten(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        tab = uuid4()
        begun = rooms.clock.now
        for _ in range(12):
            self.seen(rooms, ada, image, tab)
            rooms.clock.advance(seconds=3)
        with rooms.uow.read() as session:
            assert (session.scalar(select(Presence.seen_at)) - begun).seconds == 24
        rooms.clock.advance(minutes=11)
        self.seen(rooms, ada, rooms.picture(ada, slug), uuid4())
        with rooms.uow.read() as session:
            assert session.scalar(select(func.count()).select_from(Presence)) == 1

    def test_a_stranger_is_not_there(self, rooms: Rooms, image: UUID) -> None:
        with pytest.raises(NotFound):
            self.seen(rooms, rooms.person("eve"), image, uuid4())


def test_an_id_that_another_picture_took_does_not_bar_the_way_back(
    rooms: Rooms, ada: Actor, bob: Actor, slug: str, image: UUID
) -> None:
    taken, kept, other = uuid4(), uuid4(), rooms.picture(ada, slug)
    patch(rooms, ada, image, add(taken, 1), add(kept, 2))
    rooms.annotations.put(ada, image, {"annotations": []}, ANY)
    patch(rooms, bob, other, add(taken, 7))
    restored = rooms.annotation_history.restore(ada, image, 1).annotations
    assert [one.box.x for one in restored] == [1, 2]
    assert [one.id == kept for one in restored] == [False, True]
    assert content(rooms, ada, other) == [(taken, "wren", 7)]
