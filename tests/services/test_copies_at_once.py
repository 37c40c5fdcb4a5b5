"""Copies of one picture at the same moment, by workers that share nothing but the database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from app.crypto.aead import ColumnCipher
from app.db.field_cipher import FieldCipher
from app.db.migrate import upgrade
from app.db.session import UnitOfWork, make_engine
from app.models import AgreementCopy
from app.services.agreement import Copies, Handover
from app.services.agreement.handover import Handing
from app.services.keys import RootKeys
from tests.fixtures.database import Clock
from tests.fixtures.rooms import Rooms
from tests.fixtures.rounds import SLUG, RoundPlace, op

PICTURES = 8


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, root_keys: RootKeys) -> Any:
    if request.param == "sqlite":
        yield request.getfixturevalue("sealed_engine")
        return
    columns = root_keys.active("columns")
    cipher = FieldCipher(ColumnCipher(root_keys.all("columns"), columns.version))
    made = make_engine(request.getfixturevalue("postgres_url"), cipher)
    upgrade(made)
    yield made
    made.dispose()


@pytest.fixture
def place(engine: Engine, root_keys: RootKeys, still_clock: Clock) -> RoundPlace:
    made = RoundPlace(Rooms(UnitOfWork(engine), root_keys, still_clock))
    more = range(PICTURES - len(made.images))
    made.images += [made.rooms.picture(made.ada, SLUG) for _ in more]
    return made


def worker(place: RoundPlace) -> Copies:
    """As in a process of its own: no lock is shared."""
    return Copies(UnitOfWork(place.rooms.uow.engine), place.rooms.clock)


def at_once(works: list[Callable[[], object]]) -> None:
    """Begun in one moment, all to their ends."""
    barrier = Barrier(len(works))

    def one(work: Callable[[], object]) -> object:
        barrier.wait(timeout=20)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        list(pool.map(one, works))


def copies(place: RoundPlace, round_id: UUID, who: str) -> list[UUID]:
    actor = place.people[who]
    return [place.rounds.mine(actor, SLUG, round_id, image) for image in place.images]


def test_the_last_two_submit_together_and_are_compared(place: RoundPlace) -> None:
    made = place.make("bob", "cy", "dee", images=tuple(place.images))
    mine = {who: copies(place, made, who) for who in ("bob", "cy", "dee")}
    dee = place.ids("dee")[0]
    handover = Handover(UnitOfWork(place.rooms.uow.engine), place.rooms.audit)
    bobs, cys = worker(place), worker(place)
    for n, image in enumerate(place.images):
        handing = Handing(dee, None, (image,))
        at_once(
            [
                lambda n=n: bobs.submit(place.people["bob"], mine["bob"][n]),
                lambda n=n: cys.submit(place.people["cy"], mine["cy"][n]),
                lambda h=handing: handover.hand(place.ada, SLUG, made, h),
            ]
        )
    view = place.rounds.of(place.ada, SLUG, made)
    assert {line.outcome for line in view.pictures} == {"compared"}
    told = [place.adjudication.of(place.ada, SLUG, made, image) for image in place.images]
    assert [len(each.people) for each in told] == [2] * PICTURES
    pairs = zip(mine["bob"], mine["cy"], strict=True)
    assert all(_has_figures(place, pair) for pair in pairs)


def _has_figures(place: RoundPlace, pair: tuple[UUID, UUID]) -> bool:
    with place.rooms.uow.read() as session:
        bodies = [session.get_one(AgreementCopy, id_).body or {} for id_ in pair]
    return any(body.get("against") for body in bodies)


def test_tabs_that_save_together_lose_no_box(place: RoundPlace) -> None:
    made, bob = place.make("bob", "cy"), place.people["bob"]
    copy = place.rounds.mine(bob, SLUG, made, place.images[0])
    workers = [worker(place) for _ in range(4)]
    for n in range(PICTURES):
        at_once(
            [
                lambda one=one, x=x, n=n: one.patch(
                    bob, copy, {"ops": [op("wren", 50 * n + 11 * x)]}
                )
                for x, one in enumerate(workers)
            ]
        )
    found = place.copies.get(bob, copy)
    assert (len(found.annotations), found.revision) == (4 * PICTURES, 4 * PICTURES)
