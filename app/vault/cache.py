"""Keys that were fetched from the vault and unwrapped, for a short while, in this process."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from app.crypto.keys import SecretKey
from app.errors import KeyNotFound

# An attack on missing keys costs the vault one question in this many seconds, and a key
# that was restored is found again soon.
_MISSING_SECONDS = 10.0

_Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Remembered:
    """``key`` is None for a version that the vault did not have."""

    key: SecretKey | None = field(repr=False)
    until: float


class _Flight:
    """One load that is under way, and how it ended."""

    def __init__(self) -> None:
        self._landed = threading.Event()
        self._key: SecretKey | None = None
        self._error: Exception | None = None

    def land(self, key: SecretKey | None = None, error: Exception | None = None) -> None:
        self._key, self._error = key, error
        self._landed.set()

    def wait(self) -> SecretKey | None:
        """None if the one who loaded was interrupted, so that somebody else has to."""
        self._landed.wait()
        if self._error is not None:
            raise self._error.with_traceback(None)
        return self._key


class KeyCache:
    """A bounded LRU of keys by (reference, version), safe to use from many threads.

    - ``capacity`` counts versions. A key is kept for ``ttl_seconds`` on the monotonic clock,
      however often it is used; 0 keeps nothing.
    - Threads that want one key at the same time wait for a single load.
    - Only KeyNotFound is remembered, for 10 seconds. Whatever else goes wrong is asked again
      at the next call: a vault that is down or refuses may answer in a second.
    """

    def __init__(
        self,
        capacity: int,
        ttl_seconds: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity = capacity
        self._ttl = ttl_seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._remembered: OrderedDict[_Name, _Remembered] = OrderedDict()
        self._versions: dict[str, set[str]] = {}
        self._flights: dict[_Name, _Flight] = {}

    def __len__(self) -> int:
        """How many versions are remembered, missing ones too."""
        return len(self._remembered)

    def get(self, reference: str, version: str, load: Callable[[], SecretKey]) -> SecretKey:
        """The key; where it is not known, ``load`` fetches it, called without the lock.

        Raises KeyNotFound for a version that was missing a moment ago, and what ``load``
        raises.
        """
        name = (reference, version)
        while True:
            with self._lock:
                remembered = self._recall(name)
                if remembered is not None:
                    return _key_of(remembered, reference)
                under_way = self._flights.get(name)
                if under_way is None:
                    mine = self._flights[name] = _Flight()
            if under_way is None:
                return self._lead(name, mine, load)
            key = under_way.wait()
            if key is not None:
                return key

    def forget(self, reference: str) -> None:
        """Drop all versions of a reference; what a load under way brings is not kept."""
        with self._lock:
            for version in self._versions.pop(reference, ()):
                del self._remembered[reference, version]
            for name in [name for name in self._flights if name[0] == reference]:
                del self._flights[name]

    def _lead(self, name: _Name, flight: _Flight, load: Callable[[], SecretKey]) -> SecretKey:
        key: SecretKey | None = None
        failure: Exception | None = None
        try:
            key = load()
        except Exception as error:
            failure = error
            raise
        finally:
            with self._lock:
                # Gone if the reference was forgotten while the load was under way.
                if self._flights.get(name) is flight:
                    del self._flights[name]
                    self._remember(name, key, failure)
            flight.land(key, failure)
        return key

    def _remember(self, name: _Name, key: SecretKey | None, failure: Exception | None) -> None:
        missing = isinstance(failure, KeyNotFound)
        if self._ttl <= 0 or not (missing or key is not None):
            return
        seconds = _MISSING_SECONDS if missing else self._ttl
        self._remembered[name] = _Remembered(key, self._monotonic() + seconds)
        self._versions.setdefault(name[0], set()).add(name[1])
        while len(self._remembered) > self._capacity:
            self._drop(next(iter(self._remembered)))

    def _recall(self, name: _Name) -> _Remembered | None:
        remembered = self._remembered.get(name)
        if remembered is None:
            return None
        if self._monotonic() >= remembered.until:
            self._drop(name)
            return None
        self._remembered.move_to_end(name)
        return remembered

    def _drop(self, name: _Name) -> None:
        del self._remembered[name]
        versions = self._versions[name[0]]
        versions.discard(name[1])
        if not versions:
            del self._versions[name[0]]


def _key_of(remembered: _Remembered, reference: str) -> SecretKey:
    if remembered.key is None:
        raise KeyNotFound(
            "The vault has no such key", operation="vault.get", details={"reference": reference}
        )
    return remembered.key
