"""The key cache: bounds, time, one load for many threads, and what is not remembered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from app.crypto.keys import SecretKey, generate_key
from app.errors import DecryptionFailed, KeyNotFound, KeyVaultError, KeyVaultUnavailable
from app.vault.cache import KeyCache

TTL = 3600.0
WAIT = 10.0  # seconds, only ever used up by a failing test


class Monotonic:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Loader:
    """Counts its calls; gives a new key at each, or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls = 0

    def __call__(self) -> SecretKey:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return generate_key()


@pytest.fixture
def monotonic() -> Monotonic:
    return Monotonic()


@pytest.fixture
def cache(monotonic: Monotonic) -> KeyCache:
    return KeyCache(4, TTL, monotonic)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


class TestRemembering:
    def test_a_key_is_loaded_once(self, cache: KeyCache) -> None:
        load = Loader()
        first = cache.get("a", "1", load)
        assert cache.get("a", "1", load) is first
        assert load.calls == 1

    def test_references_and_versions_are_apart(self, cache: KeyCache) -> None:
        load = Loader()
        keys = [cache.get(*name, load) for name in (("a", "1"), ("a", "2"), ("b", "1"))]
        assert load.calls == 3
        assert keys[0] != keys[1] != keys[2] != keys[0]

    def test_the_time_runs_from_the_load_not_from_the_last_use(
        self, cache: KeyCache, monotonic: Monotonic
    ) -> None:
        load = Loader()
        cache.get("a", "1", load)
        monotonic.now += TTL - 0.001
        cache.get("a", "1", load)
        assert load.calls == 1
        monotonic.now += 0.001
        cache.get("a", "1", load)
        assert load.calls == 2

    def test_the_least_recently_used_goes_first(self, cache: KeyCache) -> None:
        load = Loader()
        for name in "abcd":
            cache.get(name, "1", load)
        cache.get("a", "1", load)
        cache.get("e", "1", load)
        assert len(cache) == 4
        for name in "acde":
            cache.get(name, "1", load)
        assert load.calls == 5
        cache.get("b", "1", load)
        assert load.calls == 6

    def test_missing_keys_count_against_the_bound(self, cache: KeyCache) -> None:
        for number in range(20):
            with pytest.raises(KeyNotFound):
                cache.get("a", str(number), Loader(KeyNotFound("none")))
        assert len(cache) == 4

    @pytest.mark.parametrize(("capacity", "ttl"), [(0, TTL), (4, 0.0)])
    def test_may_be_switched_off(self, capacity: int, ttl: float, monotonic: Monotonic) -> None:
        cache, load = KeyCache(capacity, ttl, monotonic), Loader()
        assert cache.get("a", "1", load) != cache.get("a", "1", load)
        assert load.calls == 2
        assert len(cache) == 0

    def test_shows_no_key(self, cache: KeyCache) -> None:
        key = SecretKey(b"PLANTED-KEY-PLANTED-KEY-PLANTED-")
        cache.get("a", "1", lambda: key)
        assert "PLANTED" not in repr(cache) + repr(vars(cache))


class TestErrors:
    def test_a_missing_key_is_remembered_for_ten_seconds(
        self, cache: KeyCache, monotonic: Monotonic
    ) -> None:
        load = Loader(KeyNotFound("none"))
        for _ in range(3):
            with pytest.raises(KeyNotFound):
                cache.get("a", "1", load)
        assert load.calls == 1
        monotonic.now += 9.999
        with pytest.raises(KeyNotFound) as caught:
            cache.get("a", "1", load)
        assert load.calls == 1
        assert caught.value.operation == "vault.get"
        assert caught.value.details == {"reference": "a"}
        monotonic.now += 0.001
        load.error = None
        assert cache.get("a", "1", load)

    @pytest.mark.parametrize(
        "error",
        [
            KeyVaultUnavailable("429 or 5xx"),
            KeyVaultError("401 or 403"),
            DecryptionFailed(),
            RuntimeError("a bug"),
        ],
    )
    def test_nothing_else_is(self, cache: KeyCache, error: Exception) -> None:
        load = Loader(error)
        for _ in range(2):
            with pytest.raises(type(error)):
                cache.get("a", "1", load)
        assert load.calls == 2
        load.error = None
        assert cache.get("a", "1", load)
        assert len(cache) == 1


class TestForget:
    def test_all_versions_of_one_reference(self, cache: KeyCache) -> None:
        load = Loader()
        for name in (("a", "1"), ("a", "2"), ("b", "1")):
            cache.get(*name, load)
        cache.forget("a")
        assert len(cache) == 1
        cache.get("b", "1", load)
        assert load.calls == 3
        cache.get("a", "1", load)
        assert load.calls == 4

    def test_a_missing_key_too(self, cache: KeyCache) -> None:
        with pytest.raises(KeyNotFound):
            cache.get("a", "1", Loader(KeyNotFound("none")))
        cache.forget("a")
        assert cache.get("a", "1", Loader())

    def test_what_is_not_known_is_no_error(self, cache: KeyCache) -> None:
        cache.forget("a")

    def test_after_eviction_and_expiry(self, cache: KeyCache, monotonic: Monotonic) -> None:
        for name in "abcdef":
            cache.get(name, "1", Loader())
        monotonic.now += TTL
        cache.get("f", "1", Loader())
        for name in "abcdef":
            cache.forget(name)
        assert len(cache) == 0


class Gate:
    """A load that waits until the test lets it go on."""

    def __init__(self, outcome: Callable[[], SecretKey]) -> None:
        self.outcome = outcome
        self.calls = 0
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> SecretKey:
        self.calls += 1
        self.entered.set()
        assert self.go_on.wait(WAIT)
        return self.outcome()


def crowd(pool: ThreadPoolExecutor, cache: KeyCache, gate: Gate) -> list[Future[SecretKey]]:
    """One thread inside the load, and seven that came while it was there."""
    futures = [pool.submit(cache.get, "a", "1", gate)]
    assert gate.entered.wait(WAIT)
    asked = threading.Barrier(8)

    def ask() -> SecretKey:
        asked.wait(WAIT)
        return cache.get("a", "1", gate)

    futures += [pool.submit(ask) for _ in range(7)]
    asked.wait(WAIT)
    return futures


class TestManyThreads:
    def test_one_load_serves_all_who_wait(
        self, cache: KeyCache, pool: ThreadPoolExecutor
    ) -> None:
        key = generate_key()
        gate = Gate(lambda: key)
        futures = crowd(pool, cache, gate)
        gate.go_on.set()
        assert all(future.result(WAIT) is key for future in futures)
        assert gate.calls == 1

    def test_others_are_served_meanwhile(
        self, cache: KeyCache, pool: ThreadPoolExecutor
    ) -> None:
        gate = Gate(generate_key)
        slow = pool.submit(cache.get, "a", "1", gate)
        assert gate.entered.wait(WAIT)
        assert cache.get("b", "1", Loader())
        assert cache.get("a", "2", Loader())
        gate.go_on.set()
        assert slow.result(WAIT)

    def test_a_failure_reaches_all_who_wait(
        self, cache: KeyCache, pool: ThreadPoolExecutor
    ) -> None:
        def fail() -> SecretKey:
            raise KeyVaultUnavailable("down")

        gate = Gate(fail)
        first = pool.submit(cache.get, "a", "1", gate)
        assert gate.entered.wait(WAIT)
        second = pool.submit(cache.get, "a", "1", gate)
        gate.go_on.set()
        for future in (first, second):
            with pytest.raises(KeyVaultUnavailable):
                future.result(WAIT)
        assert cache.get("a", "1", Loader())

    def test_who_waits_for_an_interrupted_load_loads_itself(
        self, cache: KeyCache, pool: ThreadPoolExecutor
    ) -> None:
        class Interrupted(BaseException):
            pass

        def interrupt() -> SecretKey:
            raise Interrupted

        gate, load = Gate(interrupt), Loader()
        first = pool.submit(cache.get, "a", "1", gate)
        assert gate.entered.wait(WAIT)
        second = pool.submit(cache.get, "a", "1", load)
        gate.go_on.set()
        with pytest.raises(Interrupted):
            first.result(WAIT)
        assert second.result(WAIT)
        assert load.calls == 1

    def test_a_load_under_way_does_not_bring_a_forgotten_key_back(
        self, cache: KeyCache, pool: ThreadPoolExecutor
    ) -> None:
        gate = Gate(generate_key)
        slow = pool.submit(cache.get, "a", "1", gate)
        assert gate.entered.wait(WAIT)
        cache.forget("a")
        fresh = cache.get("a", "1", Loader())
        gate.go_on.set()
        assert slow.result(WAIT) != fresh
        assert cache.get("a", "1", Loader()) is fresh
        cache.forget("a")
        assert len(cache) == 0

    def test_stays_within_its_bound(self, cache: KeyCache, pool: ThreadPoolExecutor) -> None:
        def use(number: int) -> None:
            name = str(number % 11)
            cache.get(name, "1", Loader())
            if number % 7 == 0:
                cache.forget(name)

        list(pool.map(use, range(3000)))
        assert len(cache) <= 4
        for number in range(11):
            cache.forget(str(number))
        assert len(cache) == 0
