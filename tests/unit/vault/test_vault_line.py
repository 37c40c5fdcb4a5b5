"""The line to a vault on the network: tries, pauses, limits, rests; on a clock of its own."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable

import pytest

from app.errors import KeyNotFound, KeyVaultError, KeyVaultUnavailable
from app.vault.line import Failure, Pace, VaultLine, seconds_of


class Time:
    """``pauses`` are those that were slept."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


class Refused(Exception):
    """What a library raises; its text is secret."""

    def __init__(self, **failure: object) -> None:
        super().__init__("PLANTED")
        self.failure = failure


def judge(operation: str, _reference: str, error: Exception) -> Failure:
    assert isinstance(error, Refused)
    told = KeyVaultUnavailable("The vault is away", operation=operation)
    return Failure(told, **error.failure)  # type: ignore[arg-type]


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def line(time: Time) -> VaultLine:
    return VaultLine((Refused,), judge, monotonic=time, sleep=time.sleep)


def answering(*turns: object) -> Callable[[], object]:
    """Raise or return one after the other, the last again and again."""
    left = list(turns)

    def request() -> object:
        turn = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(turn, Exception):
            raise turn
        return turn

    return request


def test_what_helps_is_tried_again_after_growing_pauses(line: VaultLine, time: Time) -> None:
    again = Refused(again=True)
    assert line.ask("vault.get", "a", answering(again, again, again, 7)) == 7
    assert len(time.pauses) == 3
    for number, pause in enumerate(time.pauses):
        assert 0.05 * 2**number <= pause <= 0.1 * 2**number


def test_what_does_not_help_is_not(line: VaultLine, time: Time) -> None:
    with pytest.raises(KeyVaultUnavailable):
        line.ask("vault.get", "a", answering(Refused(), 7))
    assert time.pauses == []


def test_it_gives_up_after_five_seconds(line: VaultLine, time: Time) -> None:
    with pytest.raises(KeyVaultUnavailable) as caught:
        line.ask("vault.get", "a", answering(Refused(again=True)))
    assert 3 < sum(time.pauses) <= 5
    assert caught.value.operation == "vault.get"


def test_the_vault_says_how_long_to_wait(line: VaultLine, time: Time) -> None:
    assert line.ask("vault.put", "a", answering(Refused(again=True, retry_after=3.0), 7)) == 7
    assert 3.0 <= time.pauses[0] <= 3.2


def test_who_would_wait_too_long_is_told_how_long(line: VaultLine, time: Time) -> None:
    with pytest.raises(KeyVaultUnavailable) as caught:
        line.ask("vault.put", "a", answering(Refused(again=True, retry_after=10.0), 7))
    assert time.pauses == []
    assert caught.value.details["retry_after"] == 10.0


def test_nothing_of_the_library_is_told(line: VaultLine) -> None:
    with pytest.raises(KeyVaultUnavailable) as caught:
        line.ask("vault.get", "a", answering(Refused()))
    assert "PLANTED" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__context__ is None


def test_errors_of_our_own_and_bugs_pass(line: VaultLine) -> None:
    with pytest.raises(KeyNotFound):
        line.ask("vault.get", "a", answering(KeyNotFound("None.")))
    with pytest.raises(ZeroDivisionError):
        line.ask("vault.get", "a", lambda: 1 // 0)


class TestOutage:
    def test_then_everybody_is_refused_at_once_for_a_while(
        self, line: VaultLine, time: Time
    ) -> None:
        with pytest.raises(KeyVaultUnavailable):
            line.ask("vault.get", "a", answering(Refused(outage=True)))
        asked: list[int] = []
        with pytest.raises(KeyVaultUnavailable, match="a moment ago"):
            line.ask("vault.get", "b", lambda: asked.append(1))
        assert asked == []
        time.now += 2.1
        assert line.ask("vault.get", "b", answering(7)) == 7
        assert line.ask("vault.get", "c", answering(8)) == 8

    def test_one_tries_for_all(self, line: VaultLine, time: Time) -> None:
        with pytest.raises(KeyVaultUnavailable):
            line.ask("vault.get", "a", answering(Refused(outage=True)))
        time.now += 2.1
        asked, go = threading.Event(), threading.Event()

        def slow() -> int:
            asked.set()
            assert go.wait(10)
            return 7

        found: list[int] = []
        first = threading.Thread(target=lambda: found.append(line.ask("v", "a", slow)))
        first.start()
        assert asked.wait(10)
        with pytest.raises(KeyVaultUnavailable, match="a moment ago"):
            line.ask("vault.get", "b", answering(8))
        go.set()
        first.join(10)
        assert found == [7]
        assert line.ask("vault.get", "b", answering(8)) == 8

    def test_a_refusal_is_an_answer(self, line: VaultLine, time: Time) -> None:
        with pytest.raises(KeyVaultUnavailable):
            line.ask("vault.get", "a", answering(Refused(outage=True)))
        time.now += 2.1
        with pytest.raises(KeyVaultError):
            line.ask("vault.get", "a", answering(Refused()))
        assert line.ask("vault.get", "b", answering(8)) == 8


class TestPace:
    def test_a_burst_is_free_and_then_it_has_a_pace(self, time: Time) -> None:
        pace = Pace(250, 10.0, monotonic=time, sleep=time.sleep)
        for _ in range(250):
            pace.wait("vault.put")
        assert time.pauses == []
        began = time.now
        for _ in range(100):
            pace.wait("vault.put")
        assert time.now - began == pytest.approx(4.0, abs=0.1)

    def test_nobody_waits_for_ever(self, time: Time) -> None:
        pace = Pace(10, 10.0, monotonic=time, sleep=lambda _: None)
        for _ in range(15):
            pace.wait("vault.put")
        with pytest.raises(KeyVaultUnavailable) as caught:
            pace.wait("vault.put")
        assert isinstance(caught.value.details["retry_after"], float)


@pytest.mark.parametrize(
    ("header", "seconds"), [("10", 10.0), (" 3 ", 3.0), (None, None), ("Wed, 21 Oct", None)]
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert seconds_of(header) == seconds
