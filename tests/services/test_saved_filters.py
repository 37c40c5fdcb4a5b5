"""Filters that somebody keeps: of one name there is one, however many ask at once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from tests.fixtures.rooms import Rooms


def test_of_one_name_there_is_one_filter_however_many_keep_it_at_once(rooms: Rooms) -> None:
    ada, gate = rooms.person("ada"), threading.Barrier(4)

    def keep(number: int) -> None:
        gate.wait()
        for again in range(3):
            rooms.filters.add(ada, "Mine", {"q": f"{number} {again}"}, None)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(keep, range(4)))
    assert [view.name for view in rooms.filters.list(ada)] == ["Mine"]
