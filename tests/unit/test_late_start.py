"""A worker that waits for its vault: begins once, later, whatever comes in between."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app import late_start
from app.errors import ConfigurationError, KeyVaultUnavailable
from app.wiring import House

AWAY = KeyVaultUnavailable("The vault is away.")


class Start:
    """Stands for `app.startup.start`: raises what it was given, one after the other."""

    def __init__(self, *turns: Exception) -> None:
        self._left = list(turns)
        self.calls = 0

    def __call__(self, _settings: object) -> None:
        self.calls += 1
        if self._left:
            raise self._left.pop(0)


@pytest.fixture
def house() -> House:
    return cast("House", SimpleNamespace(settings=None, unready=None))


def begin(
    monkeypatch: pytest.MonkeyPatch, start: Start, house: House, away: Any, work: Any
) -> threading.Event:
    done = threading.Event()

    def working() -> None:
        work()
        done.set()

    monkeypatch.setattr(late_start, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(late_start, "start", start)
    late_start.begin(house, away, working)
    return done


def test_a_complete_start_works_at_once(monkeypatch: pytest.MonkeyPatch, house: House) -> None:
    start = Start()
    assert begin(monkeypatch, start, house, None, lambda: None).is_set()
    assert start.calls == 0
    assert house.unready is None


def test_the_start_is_completed_when_the_vault_is_there(
    monkeypatch: pytest.MonkeyPatch, house: House
) -> None:
    start = Start(AWAY, ConfigurationError("Something else."), AWAY)
    done = begin(monkeypatch, start, house, AWAY, lambda: None)
    assert done.wait(10)
    assert start.calls == 4
    assert house.unready is None


def test_a_vault_that_goes_away_before_the_work_begins(
    monkeypatch: pytest.MonkeyPatch, house: House
) -> None:
    turns: list[Exception] = [AWAY, AWAY]

    def work() -> None:
        if turns:
            raise turns.pop(0)

    start = Start()
    assert begin(monkeypatch, start, house, None, work).wait(10)
    assert turns == []
    assert start.calls == 2
