"""Tallies by label: right after every save, and after pictures come and go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import LargeBinary, func, select, type_coerce, update

from app.domain.access import Actor
from app.models import LabelSchema, LabelToken
from app.services.label_tallies import count_with_labels, write_tallies
from app.services.recount import Miscount, Recount
from app.services.schema_rows import made_row
from tests.fixtures.rooms import Rooms


@dataclass
class Board:
    """A collection with some pictures whose annotations are put as lists of names."""

    rooms: Rooms
    ada: Actor
    slug: str
    pictures: list[UUID]

    @property
    def id(self) -> UUID:
        return self.rooms.collections.access(self.ada, self.slug).id

    def put(self, picture: int, labels: list[str]) -> None:
        document = {"annotations": [item(label, n) for n, label in enumerate(labels)]}
        self.rooms.annotations.put(self.ada, self.pictures[picture], document, "*")

    def counts(self) -> dict[str, tuple[int, int]]:
        found = self.rooms.labels.whole(self.ada, self.slug)
        named = {label.id: label.name for label in (*found.offered, *found.removed)}
        return {
            named[label_id]: (tally.annotations, tally.pictures)
            for label_id, tally in found.tallies.items()
        }


def item(label: str, n: int = 0) -> dict[str, Any]:
    return {"label": label, "box": {"x": float(n), "y": 1.0, "w": 2.0, "h": 3.0}}


@pytest.fixture
def board(rooms: Rooms) -> Board:
    return make_board(rooms)


def make_board(rooms: Rooms) -> Board:
    ada = rooms.person(f"p{uuid4().hex[:8]}")
    slug = rooms.collections.create(ada, name="Birds").slug
    return Board(rooms, ada, slug, [rooms.picture(ada, slug) for _ in range(3)])


def test_every_save_is_counted(board: Board) -> None:
    board.put(0, ["wren", "wren", "owl"])
    board.put(1, ["owl"])
    assert board.counts() == {"wren": (2, 1), "owl": (2, 2)}
    board.put(0, ["wren"])
    assert board.counts() == {"wren": (1, 1), "owl": (1, 1)}
    board.put(0, [])
    board.put(1, ["wren", "wren"])
    assert board.counts() == {"wren": (2, 1)}
    assert wrong_tallies(board.rooms) == []


def test_a_class_is_found_below_many_others(board: Board) -> None:
    labels = ["owl", "owl", *["wren"] * 30]
    document = {"annotations": [item(label, n) for n, label in enumerate(labels)]}
    put = board.rooms.annotations.put
    drawn = put(board.ada, board.pictures[0], document, "*").annotations
    for changed, left in ((0, {"owl": (1, 1), "wren": (31, 1)}), (1, {"wren": (32, 1)})):
        labels[changed] = "wren"
        kept = [
            {"id": str(one.id), **item(label, n)}
            for n, (one, label) in enumerate(zip(drawn, labels, strict=True))
        ]
        put(board.ada, board.pictures[0], {"annotations": kept}, "*")
        assert board.counts() == left


def wrong_tallies(rooms: Rooms) -> list[Miscount]:
    """These pictures are rows without more: the counters of pictures are not asked."""
    return [wrong for wrong in Recount(rooms.uow).look() if "of label" in wrong.what]


SAVES = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.sampled_from("abc"), max_size=30)), max_size=8
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(SAVES)
def test_a_recount_finds_nothing(rooms: Rooms, saves: list[tuple[int, list[str]]]) -> None:
    board = make_board(rooms)
    with rooms.uow.write() as session:
        made_row(session, board.id)
        session.execute(
            update(LabelSchema)
            .where(LabelSchema.collection_id == board.id)
            .values(is_indexed=True)
        )
    now: dict[int, list[str]] = {}
    for picture, labels in saves:
        board.put(picture, labels)
        now[picture] = labels
    names = {label for labels in now.values() for label in labels}
    wanted = {
        name: (
            sum(labels.count(name) for labels in now.values()),
            sum(name in labels for labels in now.values()),
        )
        for name in names
    }
    assert board.counts() == wanted
    with rooms.uow.read() as session:
        tokens = select(func.count()).where(LabelToken.collection_id == board.id)
        assert session.scalar(tokens) == sum(pictures for _, pictures in wanted.values())


def test_a_save_that_moves_boxes_writes_no_tally(board: Board) -> None:
    board.put(0, ["wren", "owl"])
    sealed = select(type_coerce(LabelSchema.tallies, LargeBinary()))
    with board.rooms.uow.read() as session:
        before = session.scalar(sealed)
    found = board.rooms.annotations.get(board.ada, board.pictures[0])
    moved = [
        {**item(one.label, 50), "id": str(one.id), "rev": one.rev} for one in found.annotations
    ]
    board.rooms.annotations.put(board.ada, board.pictures[0], {"annotations": moved}, "*")
    with board.rooms.uow.read() as session:
        assert session.scalar(sealed) == before


def test_what_lies_in_the_trash_is_not_counted(board: Board) -> None:
    board.put(0, ["wren", "owl", "owl"])
    board.put(1, ["owl"])
    clock = board.rooms.clock()
    for step, wanted in ((-1, {"owl": (1, 1)}), (1, {"owl": (3, 2), "wren": (1, 1)})):
        with board.rooms.uow.write() as session:
            count_with_labels(session, board.pictures[0], board.id, clock, step)
        assert board.counts() == wanted


def test_a_recount_puts_wrong_ones_right(board: Board) -> None:
    board.put(0, ["wren", "wren"])
    (wren,) = board.rooms.labels.list(board.ada, board.slug)
    with board.rooms.uow.write() as session:
        write_tallies(session, made_row(session, board.id).id, {wren.id.hex: [7, 1]})
    (wrong,) = wrong_tallies(board.rooms)
    assert (wrong.what, wrong.kept, wrong.counted) == (
        f"annotations of label {wren.id} in collection {board.id}",
        7,
        2,
    )
    assert wrong in Recount(board.rooms.uow).repair()
    assert Recount(board.rooms.uow).look() == ()
    assert board.counts() == {"wren": (2, 1)}
