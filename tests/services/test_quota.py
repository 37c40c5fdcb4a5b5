from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from app.domain.access import OPERATOR
from app.domain.limits import Usage
from app.errors import DarkroomError, NotFound, QuotaExceeded
from app.services.quota import Quota
from tests.fixtures.rooms import Rooms


@pytest.fixture
def ada(rooms: Rooms) -> UUID:
    user_id = rooms.person().user_id
    assert user_id is not None
    return user_id


def usage(rooms: Rooms, user_id: UUID) -> Usage:
    with rooms.uow.read() as session:
        return rooms.quota.usage(session, user_id)


def reserve(rooms: Rooms, user_id: UUID, size: int, quota: Quota | None = None) -> None:
    with rooms.uow.write() as session:
        (quota or rooms.quota).reserve(session, user_id, size)


def test_to_the_last_byte(rooms: Rooms, ada: UUID) -> None:
    reserve(rooms, ada, 999)
    with pytest.raises(QuotaExceeded):
        reserve(rooms, ada, 2)
    reserve(rooms, ada, 1)
    reserve(rooms, ada, 0)
    assert usage(rooms, ada) == Usage(1000, 1000)
    with rooms.uow.write() as session:
        rooms.quota.release(session, ada, 400)
    assert usage(rooms, ada).used == 600
    with rooms.uow.write() as session:
        rooms.quota.release(session, ada, 4000)
    assert usage(rooms, ada).used == 0


def test_a_limit_of_ones_own_beats_the_default(rooms: Rooms, ada: UUID) -> None:
    rooms.administration.set_quota(OPERATOR, ada, 10)
    with pytest.raises(QuotaExceeded):
        reserve(rooms, ada, 11)
    rooms.administration.set_quota(OPERATOR, ada, 5000)
    reserve(rooms, ada, 4000)
    rooms.administration.set_quota(OPERATOR, ada, 0)
    with pytest.raises(QuotaExceeded):
        reserve(rooms, ada, 1)


def test_no_limit(rooms: Rooms, ada: UUID) -> None:
    endless = Quota(None)
    reserve(rooms, ada, 10**12, endless)
    with rooms.uow.read() as session:
        assert endless.usage(session, ada) == Usage(10**12, None)
    rooms.administration.set_quota(OPERATOR, ada, 10)
    with pytest.raises(QuotaExceeded):
        reserve(rooms, ada, 1, endless)


def test_goes_with_its_transaction(rooms: Rooms, ada: UUID) -> None:
    def stopped() -> None:
        with rooms.uow.write() as session:
            rooms.quota.reserve(session, ada, 10)
            raise DarkroomError("stopped")

    with pytest.raises(DarkroomError, match="stopped"):
        stopped()
    assert usage(rooms, ada).used == 0


def test_exact_with_eight_writers(rooms: Rooms, ada: UUID) -> None:
    def attempt(_: int) -> bool:
        try:
            reserve(rooms, ada, 30)
        except QuotaExceeded:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(attempt, range(64)))
    assert done == 1000 // 30
    assert usage(rooms, ada).used == done * 30


def test_nobody(rooms: Rooms) -> None:
    for act in (lambda: usage(rooms, uuid4()), lambda: reserve(rooms, uuid4(), 1)):
        with pytest.raises(NotFound):
            act()
