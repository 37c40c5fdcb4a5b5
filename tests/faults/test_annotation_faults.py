"""Fail and kill at every statement and commit of a save of boxes, one operation at a time.

What was acknowledged is there; what was not is there whole or not at all; sent again, with the
ids that it had, it ends in the same boxes as if nothing had happened.
"""

from __future__ import annotations

import errno
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.errors import DarkroomError
from app.models import AnnotationOp, Image, LabelSchema
from app.wiring import House
from tests.faults import injection
from tests.faults.scene import Scene

pytestmark = pytest.mark.slow
KEPT, MOVED, GONE, NEW = (UUID(int=number, version=4) for number in (1, 2, 3, 4))
FAULTS = [
    pytest.param(errno.EIO, False, id="one-EIO"),
    pytest.param(errno.ENOSPC, True, id="ENOSPC-from-then-on"),
]


def box(x: float) -> dict[str, float]:
    return {"x": x, "y": 2, "w": 3, "h": 4}


def op(number: int, kind: str, **told: Any) -> dict[str, Any]:
    return {"op": kind, "op_id": str(UUID(int=100 + number, version=4)), **told}


FIRST = [
    op(n, "add", id=str(id_), label="car", box=box(n))
    for n, id_ in enumerate((KEPT, MOVED, GONE))
]
SAVE = [
    op(10, "update", id=str(MOVED), rev=1, box=box(9)),
    op(11, "delete", id=str(GONE), rev=1),
    op(12, "add", id=str(NEW), label="bus", box=box(7)),
    op(13, "update", id=str(NEW), box=box(8)),
    op(14, "order", ids=[str(NEW), str(KEPT)]),
]
BEFORE = [(KEPT, 0), (MOVED, 1), (GONE, 2)]
AFTER = [(NEW, 8), (KEPT, 0), (MOVED, 9)]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    scene = Scene(tmp_path_factory.mktemp("faults"))
    with scene.opened() as house:
        patch(scene, house, FIRST)
    scene.keep()
    return scene


def patch(scene: Scene, house: House, ops: list[dict[str, Any]] = SAVE) -> None:
    document = {"ops": ops, "state": "in_progress"}
    found = house.services.annotation_ops.patch(scene.actor, scene.resident_id, document)
    assert found.conflicts == ()
    assert len(found.done) == len(ops)


def content(scene: Scene, house: House) -> list[tuple[UUID, float]]:
    found = house.services.annotations.get(scene.actor, scene.resident_id)
    return [(one.id, one.box.x) for one in found.annotations]


def facts(house: House) -> tuple[int, int, int]:
    """Revision, how many boxes the picture says it has, and how long the log is."""
    with house.uow.read() as session:
        image = session.execute(select(Image.annotation_rev, Image.annotation_count)).one()
        log = session.scalar(select(func.count()).select_from(AnnotationOp)) or 0
        tallies = session.scalars(select(LabelSchema)).one().tallies or {}
    assert sum(tally[0] for tally in tallies.values()) == image.annotation_count
    return image.annotation_rev, image.annotation_count, log


def check(scene: Scene, house: House, point: str, *, acknowledged: bool) -> None:
    """Whole or not at all, and whole when it is sent again."""
    there = content(scene, house)
    assert there in (BEFORE, AFTER), point
    assert there == AFTER or not acknowledged, point
    assert facts(house) == ((1, 3, 4) if there == BEFORE else (2, 3, 9)), point
    assert house.services.audit.verify().broken_at is None
    patch(scene, house)
    patch(scene, house)
    assert content(scene, house) == AFTER, point
    assert facts(house) == (2, 3, 9), point


def points_of(scene: Scene) -> injection.Points:
    scene.reset()
    with scene.opened() as house, injection.watched(house, lambda n, name: None) as points:
        patch(scene, house)
    assert points.count("db.commit") == 1
    assert len(points) > 12
    return points


@pytest.mark.parametrize(("code", "onwards"), FAULTS)
def test_a_fault(scene: Scene, code: int, onwards: bool) -> None:
    for at, name in injection.worth_trying(points_of(scene), 3):
        scene.reset()
        with scene.opened() as house:
            failed = False
            try:
                with injection.watched(house, injection.failing(at, code, onwards=onwards)):
                    patch(scene, house)
            except DarkroomError:
                failed = True
            assert failed, name
            check(scene, house, f"{at} {name}", acknowledged=not failed)


def test_a_kill(scene: Scene) -> None:
    for at, name in injection.worth_trying(points_of(scene), 3):
        scene.reset()
        injection.killed_at(at, scene.house, lambda house: patch(scene, house))
        with scene.opened() as house:
            check(scene, house, f"{at} {name}", acknowledged=False)


def test_a_kill_before_anybody_heard_of_it(scene: Scene) -> None:
    scene.reset()
    name = "db.commit done"
    assert injection.killed_at(name, scene.house, lambda house: patch(scene, house))
    with scene.opened() as house:
        check(scene, house, name, acknowledged=True)
