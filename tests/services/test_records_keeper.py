"""The thread that keeps records current: soon after a change, and once more at the end."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from app.services.records import RecordsKeeper
from tests.fixtures.uploads import PictureRoom, picture


@pytest.fixture
def keeper(room: PictureRoom) -> Iterator[RecordsKeeper]:
    keeper = RecordsKeeper(lambda: room.services.records, every=0.05)
    yield keeper
    assert keeper.stop(5)


def test_a_change_is_written_soon(room: PictureRoom, keeper: RecordsKeeper) -> None:
    keeper.start()
    image = room.upload(picture()).id
    until = time.monotonic() + 10
    while room.services.records.behind():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
    assert room.blob(room.path(image).record).exists()


def test_the_end_writes_what_is_left(room: PictureRoom) -> None:
    keeper = RecordsKeeper(lambda: room.services.records, every=3600)
    keeper.start()
    room.upload(picture())
    assert keeper.stop(10)
    assert room.services.records.behind() == 0


def test_trouble_does_not_end_it(
    room: PictureRoom, keeper: RecordsKeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.errors import DatabaseUnavailable

    records = room.services.records
    real, calls = type(records).run, []

    def run(self: object, watch: object) -> object:
        calls.append(1)
        if len(calls) < 3:
            raise DatabaseUnavailable("away")
        return real(self, watch)

    monkeypatch.setattr(type(records), "run", run)
    room.upload(picture())
    keeper.start()
    until = time.monotonic() + 10
    while records.behind():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
    assert len(calls) >= 3


def test_it_looks_often_enough() -> None:
    from app.services.records.keeper import LOOK_EVERY_SECONDS

    assert LOOK_EVERY_SECONDS <= 5
