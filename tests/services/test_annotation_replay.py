"""The log, replayed from its first row, gives the boxes that there are."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from app.domain.access import Actor
from app.domain.annotation import Annotation
from app.domain.annotation_json import from_log
from app.errors import StaleRevision
from app.models import AnnotationOp
from app.services.annotation_past import Entry, entries, entry_of
from app.services.label_recount import counted_tallies, kept_tallies
from tests.fixtures.rooms import Rooms

ROUNDS = 4
LABELS = ("wren", "owl", "gull")


class Hand:
    """One person who does at random what an editor and a program can do."""

    def __init__(self, rooms: Rooms, actor: Actor, image: UUID, seed: int) -> None:
        self._rooms, self._actor, self._image = rooms, actor, image
        self._chance = random.Random(seed)

    def work(self) -> None:
        for _ in range(ROUNDS):
            there = self._rooms.annotations.get(self._actor, self._image)
            self._step(there.annotations, there.revision)

    def _step(self, boxes: Sequence[Annotation], revision: int) -> None:
        kind = self._chance.choice(["add", "change", "order", "restore", "put"])
        if kind == "add" or not boxes:
            self._patch(*(self._add() for _ in range(3)))
        elif kind == "change":
            one, other = (self._chance.choice(boxes) for _ in range(2))
            moved = self._add() | named("update", one)
            self._patch(moved, named("delete", other))
        elif kind == "order":
            ids = [str(box.id) for box in boxes]
            one = self._chance.choice(boxes)
            again = self._add() | {"id": str(one.id)}
            order = {"op": "order", "ids": self._chance.sample(ids, len(ids))}
            self._patch(order, named("delete", one), again)
        elif kind == "restore":
            seq = self._chance.randint(max(0, revision - 4), revision)
            self._rooms.annotation_history.restore(self._actor, self._image, seq)
        else:
            self._put(boxes, revision)

    def _patch(self, *ops: dict[str, Any]) -> None:
        self._rooms.annotation_ops.patch(self._actor, self._image, {"ops": list(ops)})

    def _put(self, boxes: Sequence[Annotation], revision: int) -> None:
        kept = [self._add() | {"id": str(box.id), "label": box.label} for box in boxes[1:]]
        try:
            self._rooms.annotations.put(
                self._actor, self._image, {"annotations": kept[::-1]}, revision
            )
        except StaleRevision:
            self._patch(self._add())

    def _add(self) -> dict[str, Any]:
        box = {"x": self._chance.random(), "y": 0, "w": 5, "h": 5}
        label = self._chance.choice(LABELS)
        return {"op": "add", "op_id": str(uuid4()), "id": str(uuid4()), "label": label} | {
            "box": box
        }


def named(kind: str, box: Annotation) -> dict[str, Any]:
    return {"op": kind, "op_id": str(uuid4()), "id": str(box.id), "rev": box.rev}


def replayed(log: Sequence[Entry]) -> dict[UUID, Annotation]:
    """Each change must begin where the one before it ended."""
    there: dict[UUID, Annotation] = {}
    for entry in log:
        if entry.kind == "order":
            for id_, place in entry.after.items():
                if UUID(id_) in there:  # else it was moved, and deleted in the same save
                    there[UUID(id_)] = replace(there[UUID(id_)], position=place)
        elif entry.annotation_id is not None and entry.kind != "kept":
            before, after = from_log(entry.before), from_log(entry.after)
            assert there.pop(entry.annotation_id, None) == before
            if after is not None:
                there[entry.annotation_id] = after
    return there


def test_the_log_replayed_is_what_there_is(rooms: Rooms) -> None:
    ada = rooms.person("ada")
    rooms.collections.create(ada, name="Birds", slug="birds")
    people = [ada]
    for name in ("bob", "cy", "dee"):
        people.append(rooms.person(name))
        rooms.members.add(ada, "birds", email=f"{name}@example.org", role="editor")
    image = rooms.picture(ada, "birds")
    hands = [Hand(rooms, actor, image, seed) for seed, actor in enumerate(people)]
    with ThreadPoolExecutor(len(hands)) as pool:
        list(pool.map(Hand.work, hands))
    found = rooms.annotations.get(ada, image)
    with rooms.uow.read() as session:
        rows = session.connection().execute(
            entries()
            .where(AnnotationOp.image_id == image)
            .order_by(AnnotationOp.seq, AnnotationOp.place)
        )
        log = [entry_of(row) for row in rows]
        assert counted_tallies(session) == kept_tallies(session)
        assert session.scalar(select(AnnotationOp.seq).order_by(AnnotationOp.seq.desc())) == (
            found.revision
        )
    assert replayed(log) == {one.id: one for one in found.annotations}
    for seq in sorted({entry.seq for entry in log})[::6]:
        then = replayed([entry for entry in log if entry.seq <= seq])
        back = rooms.annotation_history.restore(ada, image, seq)
        assert {(one.id, one.shape, one.label) for one in back.annotations} == {
            (one.id, one.shape, one.label) for one in then.values()
        }
        assert [one.id for one in back.annotations] == sorted(
            then, key=lambda id_: (then[id_].position or 0, id_)
        )
