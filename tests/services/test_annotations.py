from __future__ import annotations

import json
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from app.domain.access import Actor
from app.domain.scopes import Scope
from app.domain.states import AnnotationState
from app.errors import (
    DecryptionFailed,
    InvalidInput,
    NotFound,
    NotPermitted,
    PictureSubmitted,
    RevisionRequired,
    StaleRevision,
)
from app.models import Annotation as Row
from app.models import Image
from app.services.annotations import ANY, AnnotationSet
from app.services.collections import CollectionEdit
from app.services.labels import LabelEdit
from tests.fixtures.rooms import Rooms


@pytest.fixture
def ada(rooms: Rooms) -> Actor:
    return rooms.person("ada")


@pytest.fixture
def slug(rooms: Rooms, ada: Actor) -> str:
    return rooms.collections.create(ada, name="Birds", slug="birds").slug


@pytest.fixture
def image(rooms: Rooms, ada: Actor, slug: str) -> UUID:
    return rooms.picture(ada, slug)


def item(label: str = "wren", x: float = 0, **more: object) -> dict[str, object]:
    return {"label": label, "box": {"x": x, "y": 0, "w": 1, "h": 1}, **more}


def document(*items: dict[str, object], **more: object) -> dict[str, object]:
    return {"annotations": list(items), **more}


def sent(current: AnnotationSet) -> dict[str, Any]:
    """A set as a client would send it back."""
    return {
        "state": current.state.value,
        "annotations": [
            {
                "id": str(a.id),
                "rev": a.rev,
                "label": a.label,
                "label_id": str(a.label_id),
                "box": {"x": a.box.x, "y": a.box.y, "w": a.box.w, "h": a.box.h},
                "frame": a.frame,
                "attributes": dict(a.attributes),
            }
            for a in current.annotations
        ],
    }


def facts(rooms: Rooms, image: UUID) -> tuple[int, int, str]:
    with rooms.uow.read() as session:
        row = session.get_one(Image, image)
        return row.annotation_rev, row.annotation_count, row.annotation_state


class TestReadingAndWriting:
    def test_a_new_picture_has_an_empty_set(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        empty = rooms.annotations.get(ada, image)
        assert empty == AnnotationSet(image, 0, AnnotationState.NEW, ())

    def test_what_is_put_is_what_is_got(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        mine = uuid4()
        box = {"x": -0.1, "y": 1e9, "w": 0.1 + 0.2, "h": 5e-324}
        result = rooms.annotations.put(
            ada,
            image,
            document(
                {"id": str(mine), "label": "wren", "box": box, "attributes": {"n": [1, "é"]}},
                item("owl", 3, frame=4),
                state="done",
            ),
            0,
        )
        assert rooms.annotations.get(ada, image) == result
        first, second = result.annotations
        assert (first.id, first.label, first.rev) == (mine, "wren", 1)
        assert (first.box.w, first.box.h) == (0.1 + 0.2, 5e-324)
        assert first.attributes == {"n": [1, "é"]}
        assert (second.label, second.frame) == ("owl", 4)
        assert (result.revision, result.state) == (1, AnnotationState.DONE)
        assert facts(rooms, image) == (1, 2, "done")

    def test_only_what_changed_gets_a_new_revision(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        first = rooms.annotations.put(ada, image, document(item(x=1), item(x=2), item(x=3)), 0)
        again = sent(first)
        again["annotations"][1]["box"]["x"] = 20
        del again["annotations"][2]
        again["annotations"].append(item("owl"))
        second = rooms.annotations.put(ada, image, again, 1)
        assert [a.rev for a in second.annotations] == [1, 2, 2]
        assert [a.id for a in second.annotations[:2]] == [a.id for a in first.annotations[:2]]
        assert facts(rooms, image) == (2, 3, "in_progress")
        entry = rooms.audit.page(rooms.person("root", is_admin=True), action="annotations.put")
        assert entry.entries[0].details == {
            "revision": 2,
            "state": "in_progress",
            "added": 1,
            "updated": 1,
            "deleted": 1,
        }

    def test_the_same_set_again_changes_nothing(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        first = rooms.annotations.put(ada, image, document(item(), state="done"), 0)
        before = rooms.actions()
        assert rooms.annotations.put(ada, image, sent(first), 1) == first
        assert rooms.actions() == before

    def test_another_order_is_a_change_of_the_set_alone(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        first = rooms.annotations.put(ada, image, document(*[item(x=n) for n in range(4)]), 0)
        turned = sent(first)
        turned["annotations"].reverse()
        second = rooms.annotations.put(ada, image, turned, 1)
        assert second.revision == 2
        assert [a.rev for a in second.annotations] == [1] * 4
        assert [a.box.x for a in rooms.annotations.get(ada, image).annotations] == [3, 2, 1, 0]

    def test_a_state_alone(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        done = rooms.annotations.put(ada, image, document(state="done"), 0)
        assert (done.revision, done.state) == (1, AnnotationState.DONE)
        assert facts(rooms, image) == (1, 0, "done")

    def test_attributes_that_are_not_told_stay(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        first = rooms.annotations.put(ada, image, document(item(attributes={"a": 1})), 0)
        id_ = str(first.annotations[0].id)
        moved = rooms.annotations.put(ada, image, document(item(x=5, id=id_)), 1)
        assert moved.annotations[0].attributes == {"a": 1}
        emptied = rooms.annotations.put(
            ada, image, document(item(x=5, id=id_, attributes={})), 2
        )
        assert emptied.annotations[0].attributes == {}

    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.integers(0, 3))))
    def test_any_sequence_of_sets(
        self, rooms: Rooms, ada: Actor, image: UUID, boxes: list[tuple[int, str, int]]
    ) -> None:
        """Each set replaces the one of the example before, whatever that was."""
        chosen = {number: (label, x) for number, label, x in boxes}
        items = [
            item(label, x, id=str(UUID(int=number, version=4)))
            for number, (label, x) in chosen.items()
        ]
        result = rooms.annotations.put(ada, image, document(*items), ANY)
        assert rooms.annotations.get(ada, image) == result
        assert [(a.label, a.box.x) for a in result.annotations] == list(chosen.values())
        assert facts(rooms, image)[:2] == (result.revision, len(chosen))


class TestRevisions:
    def test_none_is_refused(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        with pytest.raises(RevisionRequired):
            rooms.annotations.put(ada, image, document(), None)

    def test_a_stale_one_is_answered_with_the_current_set(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        current = rooms.annotations.put(ada, image, document(item()), 0)
        for stale in (0, 2, -1):
            with pytest.raises(StaleRevision) as caught:
                rooms.annotations.put(ada, image, document(), stale)
            assert caught.value.current == current
            assert "wren" not in str(caught.value)
        assert rooms.annotations.get(ada, image) == current

    def test_any(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        rooms.annotations.put(ada, image, document(item()), ANY)
        assert rooms.annotations.put(ada, image, document(), ANY).annotations == ()

    def test_eight_at_once_from_one_revision(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        """Exactly one wins, seven are told; nothing is mixed."""

        def attempt(number: int) -> bool:
            try:
                rooms.annotations.put(ada, image, document(item(x=number), item(x=number)), 0)
            except StaleRevision:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            won = [n for n, done in enumerate(pool.map(attempt, range(8))) if done]
        result = rooms.annotations.get(ada, image)
        assert [a.box.x for a in result.annotations] == [won[0]] * 2
        assert (len(won), result.revision) == (1, 1)

    def test_eight_that_try_again_lose_nothing(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        """Each adds five boxes of its own, reading again whenever it was late."""

        def attempt(number: int) -> None:
            for step in range(5):
                while True:
                    current = rooms.annotations.get(ada, image)
                    wanted = sent(current)
                    del wanted["state"]
                    wanted["annotations"].append(item(f"class {number}", number * 10 + step))
                    try:
                        rooms.annotations.put(ada, image, wanted, current.revision)
                    except StaleRevision:
                        continue
                    break

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(attempt, range(8)))
        result = rooms.annotations.get(ada, image)
        assert sorted(a.box.x for a in result.annotations) == sorted(
            n * 10 + step for n in range(8) for step in range(5)
        )
        assert facts(rooms, image) == (40, 40, "in_progress")
        assert len(rooms.labels.list(ada, "birds")) == 8
        assert rooms.audit.verify().broken_at is None


class TestLabels:
    def test_an_open_set_grows(self, rooms: Rooms, ada: Actor, slug: str, image: UUID) -> None:
        result = rooms.annotations.put(ada, image, document(item("owl"), item("wren")), 0)
        classes = rooms.labels.list(ada, slug)
        assert [label.name for label in classes] == ["owl", "wren"]
        assert [a.label_id for a in result.annotations] == [label.id for label in classes]

    def test_a_closed_set_does_not(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        rooms.labels.create(ada, slug, LabelEdit(name="wren"))
        rooms.collections.edit(ada, slug, CollectionEdit(labels_closed=True))
        rooms.annotations.put(ada, image, document(item("wren")), 0)
        with pytest.raises(InvalidInput) as caught:
            rooms.annotations.put(ada, image, document(item("wren"), item("owl")), 1)
        assert [m.path for m in caught.value.mistakes] == ["annotations[1].label"]
        assert "owl" not in str(caught.value)
        assert facts(rooms, image)[:2] == (1, 1)

    def test_by_id(self, rooms: Rooms, ada: Actor, slug: str, image: UUID) -> None:
        wren = rooms.labels.create(ada, slug, LabelEdit(name="wren"))
        by_id = {"label_id": str(wren.id), "box": {"x": 0, "y": 0, "w": 1, "h": 1}}
        result = rooms.annotations.put(ada, image, document(by_id), 0)
        assert result.annotations[0].label == "wren"
        by_id["label_id"] = str(uuid4())
        with pytest.raises(InvalidInput) as caught:
            rooms.annotations.put(ada, image, document(by_id), 1)
        assert [m.path for m in caught.value.mistakes] == ["annotations[0].label_id"]

    def test_a_class_of_another_collection_is_none(
        self, rooms: Rooms, ada: Actor, image: UUID
    ) -> None:
        other = rooms.collections.create(ada, name="Fish").slug
        cod = rooms.labels.create(ada, other, LabelEdit(name="cod"))
        foreign = {"label_id": str(cod.id), "box": {"x": 0, "y": 0, "w": 1, "h": 1}}
        with pytest.raises(InvalidInput):
            rooms.annotations.put(ada, image, document(foreign), 0)

    def test_renaming_a_class_renames_its_boxes(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        before = rooms.annotations.put(ada, image, document(item("wren")), 0)
        label_id = before.annotations[0].label_id
        rooms.labels.edit(ada, slug, label_id, LabelEdit(name="robin"))
        after = rooms.annotations.get(ada, image)
        assert after.annotations[0].label == "robin"
        assert rooms.annotations.put(ada, image, sent(after), 1) == after

    def test_boxes_keep_a_class_that_was_removed(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        before = rooms.annotations.put(ada, image, document(item("wren")), 0)
        wren = before.annotations[0].label_id
        rooms.labels.remove(ada, slug, wren)
        rooms.collections.edit(ada, slug, CollectionEdit(labels_closed=True))
        again = rooms.annotations.put(ada, image, sent(before), 1)
        assert replace(again, schema=before.schema) == before
        fresh = rooms.picture(ada, slug)
        for attempt in (item("wren"), {**item(), "label": None, "label_id": str(wren)}):
            with pytest.raises(InvalidInput):
                rooms.annotations.put(ada, fresh, document(attempt), 0)
        rooms.collections.edit(ada, slug, CollectionEdit(labels_closed=False))
        revived = rooms.annotations.put(ada, fresh, document(item("wren")), 0)
        assert revived.annotations[0].label_id == wren
        assert [label.name for label in rooms.labels.list(ada, slug)] == ["wren"]


class TestWhoMay:
    @pytest.mark.parametrize(
        ("role", "may_write"),
        [("viewer", False), ("annotator", True), ("reviewer", True), ("editor", True)],
    )
    def test_roles(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID, role: str, may_write: bool
    ) -> None:
        bob = rooms.person("bob")
        for attempt in (rooms.annotations.get, _put):
            with pytest.raises(NotFound):
                attempt(*((rooms,) if attempt is _put else ()), bob, image)
        rooms.members.add(ada, slug, email="bob@example.org", role=role)
        assert rooms.annotations.get(bob, image).revision == 0
        if may_write:
            assert _put(rooms, bob, image).state is AnnotationState.DONE
        else:
            with pytest.raises(NotPermitted):
                _put(rooms, bob, image)

    def test_verdicts_are_a_reviewers(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        bob = rooms.person("bob")
        rooms.members.add(ada, slug, email="bob@example.org", role="annotator")
        for verdict in ("accepted", "rejected"):
            with pytest.raises(NotPermitted):
                rooms.annotations.put(bob, image, document(state=verdict), 0)
        for reasoned in ("skipped", "rejected"):
            with pytest.raises(InvalidInput) as caught:
                rooms.annotations.put(ada, image, document(state=reasoned), 0)
            assert [m.path for m in caught.value.mistakes] == ["state"]
        accepted = rooms.annotations.put(ada, image, document(item(), state="accepted"), 0)
        assert rooms.annotations.put(bob, image, sent(accepted), 1) == accepted
        for change in (document(item(x=9)), document(), {**sent(accepted), "state": "done"}):
            with pytest.raises(PictureSubmitted):
                rooms.annotations.put(bob, image, change, 1)
        assert rooms.annotations.get(bob, image) == accepted

    def test_scopes(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        reader = Actor(ada.user_id, scopes=frozenset({Scope.ANNOTATIONS_READ}))
        assert rooms.annotations.get(reader, image).revision == 0
        for place in (image, uuid4()):
            with pytest.raises(NotPermitted):
                rooms.annotations.put(reader, place, document(), 0)

    def test_a_public_picture_is_seen_without_its_boxes(
        self, rooms: Rooms, ada: Actor, slug: str
    ) -> None:
        image = rooms.picture(ada, slug, is_public=True)
        with pytest.raises(NotPermitted):
            rooms.annotations.get(rooms.person("bob"), image)

    def test_trashed_and_destroyed(self, rooms: Rooms, ada: Actor, slug: str) -> None:
        trashed = rooms.picture(ada, slug, trashed_at=rooms.clock())
        assert rooms.annotations.get(ada, trashed).revision == 0
        with pytest.raises(NotPermitted):
            _put(rooms, ada, trashed)
        destroyed = rooms.picture(ada, slug, status="destroyed")
        with pytest.raises(NotFound):
            rooms.annotations.get(ada, destroyed)

    def test_access_is_decided_before_the_document_is_read(
        self, rooms: Rooms, image: UUID
    ) -> None:
        with pytest.raises(NotFound):
            rooms.annotations.put(rooms.person("bob"), image, "nonsense", None)


class TestBadInput:
    def test_paths(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        bad = document(
            item(), item(""), {"label": "a", "box": {"x": 0, "y": 0, "w": 0, "h": 1}}
        )
        with pytest.raises(InvalidInput) as caught:
            rooms.annotations.put(ada, image, bad, 0)
        assert [m.path for m in caught.value.mistakes] == [
            "annotations[1].label",
            "annotations[2].box.w",
        ]
        assert facts(rooms, image) == (0, 0, "new")
        assert rooms.labels.list(ada, "birds") == ()

    def test_an_id_of_another_picture(
        self, rooms: Rooms, ada: Actor, slug: str, image: UUID
    ) -> None:
        other = rooms.annotations.put(ada, rooms.picture(ada, slug), document(item()), 0)
        taken = str(other.annotations[0].id)
        with pytest.raises(InvalidInput) as caught:
            rooms.annotations.put(ada, image, document(item(), item("new", id=taken)), 0)
        assert [m.path for m in caught.value.mistakes] == ["annotations[1].id"]
        assert rooms.annotations.get(ada, other.image_id) == other
        assert rooms.labels.list(ada, slug)[-1].name == "wren"

    def test_ten_thousand_boxes(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        items = [item(f"class {n % 7}", n) for n in range(10_000)]
        result = rooms.annotations.put(ada, image, document(*items), 0)
        assert len(result.annotations) == 10_000
        assert rooms.annotations.put(ada, image, document(), 1).annotations == ()
        with pytest.raises(InvalidInput):
            rooms.annotations.put(ada, image, document(*items, item()), 2)


class TestWhatIsWritten:
    def test_one_box_of_many_is_one_row(self, rooms: Rooms, ada: Actor, image: UUID) -> None:
        first = rooms.annotations.put(ada, image, document(*[item(x=n) for n in range(50)]), 0)
        moved = sent(first)
        moved["annotations"][25]["box"]["x"] = 1000
        written: list[tuple[str, bool]] = []
        event.listen(
            rooms.uow.engine,
            "before_cursor_execute",
            lambda c, k, text, values, context, many: written.append((text, many)),
        )
        rooms.annotations.put(ada, image, moved, 1)
        writing = ("UPDATE", "DELETE", "INSERT INTO")
        changes = [text for text, _ in written if text.startswith(writing)]
        assert [text.removeprefix("INSERT").split()[1] for text in changes] == [
            "annotation_ops",
            "annotations",
            "images",
            "audit_events",
        ]
        assert not any(many for _, many in written)

    def test_sealed(self, rooms: Rooms, ada: Actor, image: UUID, database_path: Path) -> None:
        box = {"x": 123456.789, "y": 1, "w": 2, "h": 3}
        rooms.annotations.put(
            ada,
            image,
            document({"label": "Markierung", "box": box, "attributes": {"Merkmal": "Zeichen"}}),
            0,
        )
        rooms.uow.engine.dispose()
        raw = b"".join(p.read_bytes() for p in database_path.parent.iterdir() if p.is_file())
        import struct

        for word in (b"Markierung", b"Merkmal", b"Zeichen", struct.pack(">d", 123456.789)):
            assert word not in raw

    def test_a_box_moved_to_another_row_is_detected(
        self, rooms: Rooms, ada: Actor, image: UUID, database_path: Path
    ) -> None:
        result = rooms.annotations.put(ada, image, document(item(x=1), item(x=2)), 0)
        one, other = (a.id.hex for a in result.annotations)
        connection = sqlite3.connect(database_path)
        with connection:
            connection.execute(
                "UPDATE annotations SET box = (SELECT box FROM annotations WHERE id = ?)"
                " WHERE id = ?",
                [one, other],
            )
        connection.close()
        with pytest.raises(DecryptionFailed):
            rooms.annotations.get(ada, image)

    def test_author_and_times(self, rooms: Rooms, ada: Actor, slug: str, image: UUID) -> None:
        bob = rooms.person("bob")
        rooms.members.add(ada, slug, email="bob@example.org", role="annotator")
        first = rooms.annotations.put(ada, image, document(item(x=1), item(x=2)), 0)
        made = rooms.clock.now
        rooms.clock.advance(hours=1)
        moved = sent(first)
        moved["annotations"][0]["box"]["x"] = 7
        rooms.annotations.put(bob, image, json.loads(json.dumps(moved)), 1)
        with rooms.uow.read() as session:
            rows = session.scalars(select(Row).order_by(Row.position)).all()
            assert [row.author_id for row in rows] == [bob.user_id, ada.user_id]
            assert [row.created_at for row in rows] == [made, made]
            assert [row.updated_at for row in rows] == [rooms.clock.now, made]


def _put(rooms: Rooms, actor: Actor, image: UUID) -> AnnotationSet:
    return rooms.annotations.put(actor, image, document(item(), state="done"), ANY)
