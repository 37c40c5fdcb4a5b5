from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.annotation import Annotation
from app.domain.operation_document import MAX_OPS
from app.domain.operations import (
    Applied,
    Done,
    Op,
    OpKind,
    apply_ops,
    read_ops,
    wanted_by,
)
from app.domain.shapes import Box
from app.domain.states import AnnotationState
from app.errors import InvalidInput

LABEL = UUID(int=1)
BOX = {"x": 1, "y": 2, "w": 3, "h": 4}
Set = dict[UUID, Annotation]


def box(number: int, x: float = 0, rev: int = 1, position: int | None = None) -> Annotation:
    return Annotation(UUID(int=number), rev, LABEL, "cat", Box(x, 0, 1, 1), 0, {}, position)


def op(kind: str, number: int, rev: int | None = None, x: float | None = None) -> Op:
    shape = Box(x, 0, 1, 1) if x is not None else None
    told = {"label": "cat", "label_id": LABEL} if kind == "add" else {}
    return Op(OpKind(kind), uuid4(), UUID(int=number), "$", rev, shape=shape, **told)


def of(*boxes: Annotation) -> Set:
    return {one.id: one for one in boxes}


def after(current: Set, applied: Applied) -> Set:
    """The set that the steps of a save leave; each must fit what is there."""
    result = dict(current)
    for step in applied.changes.steps:
        assert result.pop(step.subject.id, None) == step.before
        if step.after is not None:
            result[step.subject.id] = step.after
    return result


class TestOneBox:
    def test_add_update_delete(self) -> None:
        added = apply_ops({}, [op("add", 1, x=5)], 1)
        (there,) = after({}, added).values()
        assert there == box(1, 5)
        moved = apply_ops(of(there), [op("update", 1, 1, 7)], 2)
        assert after(of(there), moved) == of(box(1, 7, rev=2))
        gone = apply_ops(of(there), [op("delete", 1, 1)], 2)
        assert after(of(there), gone) == {}
        for applied in (added, moved, gone):
            assert not applied.conflicts
            assert [done.id for done in applied.done] == [UUID(int=1)]

    def test_a_stale_box_is_told_with_both_sides(self) -> None:
        theirs = box(1, 9, rev=4)
        for sent in (op("update", 1, 3, 7), op("delete", 1, 3), op("add", 1, x=7)):
            applied = apply_ops(of(theirs), [sent], 5)
            (conflict,) = applied.conflicts
            assert (conflict.theirs, conflict.ops) == (theirs, (sent,))
            assert conflict.rev == (3 if sent.kind is not OpKind.ADD else None)
            assert not applied.changes.any
            assert not applied.done

    def test_a_deleted_box(self) -> None:
        moved = apply_ops({}, [op("update", 1, 3, 7)], 5)
        assert [conflict.theirs for conflict in moved.conflicts] == [None]
        gone = op("delete", 1, 3)
        assert apply_ops({}, [gone], 5).done == (Done(gone.op_id, gone.id, None),)

    def test_who_wants_what_is_there_has_it(self) -> None:
        theirs = box(1, 9, rev=4)
        for sent in (op("update", 1, 3, 9), op("add", 1, x=9)):
            applied = apply_ops(of(theirs), [sent], 5)
            assert applied.done == (Done(sent.op_id, sent.id, 4),)
            assert not applied.changes.any

    def test_what_was_not_told_stays(self) -> None:
        there = replace(box(1), frame=3, attributes={"a": 1})
        (step,) = apply_ops(of(there), [op("update", 1, 1, 7)], 2).changes.steps
        assert step.after == replace(box(1, 7, rev=2), frame=3, attributes={"a": 1})

    def test_several_in_a_row_on_what_the_first_one_saw(self) -> None:
        sent = [op("update", 1, 1, 5), op("update", 1, 1, 6), op("delete", 1, 1)]
        applied = apply_ops(of(box(1)), sent, 2)
        assert after(of(box(1)), applied) == {}
        assert len(applied.done) == len(applied.changes.steps) == 3
        drawn = [op("add", 1, x=1), op("update", 1, None, 2), op("update", 1, None, 3)]
        assert after({}, apply_ops({}, drawn, 2)) == of(box(1, 3, rev=2))

    def test_after_a_conflict_nothing_of_that_box_is_done(self) -> None:
        sent = [op("update", 1, 1, 5), op("update", 2, 1, 5), op("update", 1, 1, 6)]
        applied = apply_ops(of(box(1, 9, rev=3), box(2)), sent, 4)
        (conflict,) = applied.conflicts
        assert conflict.ops == (sent[0], sent[2])
        assert wanted_by(conflict.ops, box(1)) == box(1, 6)
        assert [step.op_id for step in applied.changes.steps] == [sent[1].op_id]


class TestAgain:
    def test_what_was_done_is_not_done_again(self) -> None:
        sent = op("update", 1, 1, 5)
        known = {sent.op_id: Done(sent.op_id, sent.id, 2)}
        applied = apply_ops(of(box(1, 9, rev=7)), [sent], 8, known=known)
        assert applied.done == (known[sent.op_id],)
        assert not applied.changes.any
        assert not applied.conflicts

    def test_what_followed_fits_on_what_was_done(self) -> None:
        """The answer to the first was lost: its sender still names the older revision."""
        first, second = op("update", 1, 1, 5), op("update", 1, 1, 6)
        known = {first.op_id: Done(first.op_id, first.id, 2)}
        applied = apply_ops(of(box(1, 5, rev=2)), [first, second], 3, known=known)
        assert after(of(box(1, 5, rev=2)), applied) == of(box(1, 6, rev=3))

    def test_but_not_on_what_somebody_made_of_it(self) -> None:
        first, second = op("update", 1, 1, 5), op("update", 1, 1, 6)
        known = {first.op_id: Done(first.op_id, first.id, 2)}
        applied = apply_ops(of(box(1, 9, rev=3)), [first, second], 4, known=known)
        (conflict,) = applied.conflicts
        assert (conflict.rev, conflict.ops) == (2, (second,))


class TestOrder:
    def order(self, *numbers: int) -> Op:
        ids = tuple(UUID(int=number) for number in numbers)
        return Op(OpKind.ORDER, uuid4(), UUID(int=0), "$", ids=ids)

    def arranged(self, places: dict[UUID, int], applied: Applied) -> list[int]:
        now = dict(places)
        for step in applied.changes.steps:
            if step.after is None:
                del now[step.subject.id]
            elif step.before is None:
                assert step.after.position is not None
                now[step.subject.id] = step.after.position
        for order in applied.changes.orders:
            for move in (move for move in order.moves if move.id in now):
                assert now[move.id] == move.before
                now[move.id] = move.after
        assert len(set(now.values())) == len(now)
        return [id_.int for id_ in sorted(now, key=lambda id_: now[id_])]

    @given(st.lists(st.integers(1, 9)), st.permutations(range(1, 7)))
    def test_named_ones_lie_in_order_and_the_others_on_top(
        self, wanted: list[int], there: Sequence[int]
    ) -> None:
        places = {UUID(int=number): 2 * place for place, number in enumerate(there)}
        applied = apply_ops({}, [self.order(*wanted)], 2, places=places)
        named = [number for number in dict.fromkeys(wanted) if number in there]
        rest = [number for number in there if number not in named]
        assert self.arranged(places, applied) == named + rest
        assert bool(applied.changes.orders) == (named + rest != list(there))

    def test_beside_what_comes_and_goes(self) -> None:
        places = {UUID(int=n): n for n in (1, 2, 3)}
        sent = [
            op("add", 4, x=0), self.order(4, 3, 2, 1), op("delete", 2, 1),
            op("add", 5, x=0), self.order(5),
        ]  # fmt: skip
        applied = apply_ops(of(box(2, position=2)), sent, 2, places=places)
        assert self.arranged(places, applied) == [5, 4, 3, 1]


class Server:
    """The set and the log, as the service keeps them; every effect is looked at."""

    def __init__(self) -> None:
        self.boxes: Set = {}
        self.revision = 0
        self.log: dict[UUID, Done] = {}

    def take(self, ops: list[Op], seen: dict[UUID, Annotation | None]) -> None:
        applied = apply_ops(self.boxes, ops, self.revision + 1, known=self.log)
        self.boxes = after(self.boxes, applied)
        self.revision += applied.changes.any
        for step in applied.changes.steps:
            assert step.op_id not in self.log  # once
            assert same(step.before, seen[step.op_id])  # on what its sender saw, nothing else
            self.log[step.op_id] = Done(step.op_id, step.subject.id, self.revision)
        for kept in applied.changes.kept:
            self.log[kept.op_id] = Done(kept.op_id, kept.annotation_id, kept.rev)
        told = [done.op_id for done in applied.done]
        told += [op.op_id for conflict in applied.conflicts for op in conflict.ops]
        assert sorted(told) == sorted(op.op_id for op in ops)  # none is passed over


class Editor:
    """Somebody who draws on what was last seen. ``seen``: what each operation was made on."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.boxes: Set = {}
        self.queue: list[Op] = []
        self.seen: dict[UUID, Annotation | None] = {}

    def act(self, what: str, number: int, x: int) -> None:
        there = self.boxes.get(UUID(int=number))
        if what == "draw":
            kind = "add" if there is None else "update"
            self.draw(op(kind, number, there.rev or None if there else None, x), there)
        elif what == "delete" and there is not None:
            self.draw(op("delete", number, there.rev or None), there)
        elif what in {"send", "send, and hear nothing"}:
            self.server.take(self.queue, self.seen)
        if what == "send":
            self.queue, self.boxes = [], dict(self.server.boxes)

    def draw(self, drawn: Op, there: Annotation | None) -> None:
        self.seen[drawn.op_id] = there
        self.queue.append(drawn)
        wanted = wanted_by([drawn], there)
        if wanted is None:
            del self.boxes[drawn.id]
        else:
            self.boxes[drawn.id] = wanted


def same(one: Annotation | None, other: Annotation | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.says_the_same_as(other)


ACT = st.tuples(
    st.integers(0, 1),
    st.sampled_from(["draw", "draw", "delete", "send", "send, and hear nothing"]),
    st.integers(1, 3),
    st.integers(1, 9),
)


class TestTwoPeople:
    @given(st.lists(ACT, max_size=40))
    def test_nothing_is_lost_and_nothing_is_overwritten_unseen(
        self, acts: list[tuple[int, str, int, int]]
    ) -> None:
        server = Server()
        people = Editor(server), Editor(server)
        for who, what, number, x in [*acts, (0, "send", 1, 1), (1, "send", 1, 1)]:
            people[who].act(what, number, x)

    @given(st.data())
    def test_operations_on_different_boxes_commute(self, data: st.DataObject) -> None:
        numbers = st.integers(1, 6)
        there = data.draw(st.sets(numbers))
        current = of(*(box(number) for number in there))
        sides: list[list[Op]] = [[], []]
        for number in data.draw(st.lists(numbers)):
            kind = "update" if number in there else "add"
            sides[number % 2].append(op(kind, number, 1, data.draw(st.integers(1, 9))))
            there.add(number)
        one, other = sides
        together = []
        for first, second in ((one, other), (other, one)):
            half = apply_ops(current, first, 2)
            whole = apply_ops(after(current, half), second, 3)
            assert not half.conflicts
            assert not whole.conflicts
            together.append(after(after(current, half), whole))
        assert shapes(together[0]) == shapes(together[1])

    @given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 5)), max_size=12))
    def test_sent_twice_is_sent_once(self, drawn: list[tuple[int, int]]) -> None:
        """Whatever part of a list the sender heard of."""
        server = Server()
        me = Editor(server)
        for number, x in drawn:
            me.act("draw" if x else "delete", number, x)
        server.take(me.queue[: len(drawn) // 2], me.seen)
        server.take(me.queue, me.seen)
        once, revision = server.boxes, server.revision
        server.take(me.queue, me.seen)
        assert (server.boxes, server.revision) == (once, revision)
        assert shapes(once) == shapes(me.boxes)


def shapes(boxes: Set) -> dict[UUID, Any]:
    return {id_: one.shape for id_, one in boxes.items()}


def mistakes(document: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        read_ops(document)
    return {mistake.path: mistake.message for mistake in caught.value.mistakes}


class TestDocument:
    def test_reads_everything(self) -> None:
        one, two, three, label = (str(uuid4()) for _ in range(4))
        told = read_ops(
            {
                "state": "done",
                "ops": [
                    {"op": "add", "op_id": one, "id": two, "label": "café", "box": BOX},
                    {
                        "op": "update",
                        "id": two,
                        "shape": {"type": "points", "points": [[1, 2]]},
                    },
                    {"op": "update", "id": three, "rev": 7, "label_id": label, "label": "x"},
                    {"op": "delete", "id": two, "rev": 3},
                    {"op": "order", "ids": [two, three]},
                    {"op": "add", "label": "x", "box": BOX, "attributes": {"a": 1}, "frame": 4},
                ],
            }
        )
        assert told.state is AnnotationState.DONE
        add, shape, label_, delete, order, last = told.ops
        assert (str(add.op_id), str(add.id), add.label, add.rev) == (one, two, "café", None)
        assert (shape.shape.kind, shape.label, shape.label_id) == ("points", None, None)
        assert (str(label_.label_id), label_.label, label_.shape) == (label, None, None)
        assert (delete.kind, delete.rev) == (OpKind.DELETE, 3)
        assert [str(id_) for id_ in order.ids] == [two, three]
        assert (last.attributes, last.frame, last.path) == ({"a": 1}, 4, "$.ops[5]")
        assert len({op.op_id for op in told.ops}) == 6
        assert read_ops({}).ops == ()

    @pytest.mark.parametrize("document", [None, [], 1, "x", {"ops": {}}, {"state": "over"}])
    def test_refuses_what_is_none(self, document: object) -> None:
        assert len(mistakes(document)) == 1

    def test_tells_every_mistake_with_its_place(self) -> None:
        one = str(uuid4())
        told = mistakes(
            {
                "ops": [
                    {"op": "paint"},
                    7,
                    {"op": "add", "op_id": one, "label": "a", "box": {**BOX, "w": 0}},
                    {"op": "add", "op_id": one.upper(), "box": BOX},
                    {"op": "update", "rev": 1},
                    {"op": "update", "id": one, "box": BOX},
                    {"op": "delete", "id": "7", "rev": 1},
                    {"op": "update", "id": one, "rev": -1, "attributes": {"a": {}}},
                    {"op": "order", "ids": [one, 7]},
                    {"op": "update", "id": one, "rev": 1, "shape": {"type": "blob"}},
                    {"op": "update", "id": one, "rev": 1, "box": {**BOX, "x": float("nan")}},
                ]
            }
        )
        assert set(told) == {
            "$.ops[0].op",
            "$.ops[1]",
            "$.ops[2].box.w",
            "$.ops[3].op_id",
            "$.ops[3].label",
            "$.ops[4].id",
            "$.ops[5].rev",
            "$.ops[6].id",
            "$.ops[7].rev",
            "$.ops[7].attributes.0",
            "$.ops[8].ids[1]",
            "$.ops[9].shape.type",
            "$.ops[10].box.x",
        }

    def test_is_bounded(self) -> None:
        added = {"op": "add", "label": "a", "box": BOX}
        assert len(read_ops({"ops": [added] * MAX_OPS}).ops) == MAX_OPS
        assert list(mistakes({"ops": [added] * (MAX_OPS + 1)})) == ["$.ops"]
        outline = {"type": "polygon", "points": [[n, n % 7] for n in range(10_000)]}
        many = {"op": "add", "label": "a", "shape": outline}
        with pytest.raises(InvalidInput, match="points"):
            read_ops({"ops": [many] * 21})

    @given(
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
            lambda s: st.lists(s) | st.dictionaries(st.sampled_from(["id", "ids", "op"]), s),
        )
    )
    def test_refuses_politely_or_reads(self, json: object) -> None:
        for kind in OpKind:
            for told in (
                json,
                [json],
                {"op": kind.value, "id": json, "ids": json, "box": json},
            ):
                with suppress(InvalidInput):
                    assert read_ops({"ops": [told]}).ops is not None
