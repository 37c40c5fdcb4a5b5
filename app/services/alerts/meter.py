"""What this process did in the last minutes, read off its own metrics."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Final

from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.samples import Sample

from app import metrics

WINDOW_SECONDS: Final = 300.0
VAULT_FAULTS: Final = frozenset({"key_vault", "key_vault_unavailable", "key_damaged"})


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums since the process began, or over a window; all of them only grow.

    ``sealed_within``: how many small files were sealed in at most so many seconds, by the
    upper bounds of the histogram, in rising order; the last bound is infinite.
    """

    requests: float = 0
    server_errors: float = 0
    seal_failures: float = 0
    open_failures: float = 0
    vault_failures: float = 0
    refused_sign_ins: float = 0
    refused_for_rate: float = 0
    sealed_within: tuple[tuple[float, float], ...] = ()

    def since(self, earlier: Counts) -> Counts:
        """What came on top of ``earlier``."""
        grown = {
            field.name: getattr(self, field.name) - getattr(earlier, field.name)
            for field in fields(self)
            if field.name != "sealed_within"
        }
        before = dict(earlier.sealed_within)
        within = tuple((le, count - before.get(le, 0)) for le, count in self.sealed_within)
        return Counts(**grown, sealed_within=within)

    @property
    def sealed(self) -> float:
        """How many small files were sealed."""
        return self.sealed_within[-1][1] if self.sealed_within else 0

    def seal_seconds(self, quantile: float) -> float:
        """The time that so many (0..1) of the small files took at most, between two bounds
        by straight line as Prometheus does; 0 where none was sealed."""
        wanted, lower, below = quantile * self.sealed, 0.0, 0.0
        for le, count in self.sealed_within:
            if count >= wanted > below:
                if le == float("inf"):
                    return lower
                return lower + (le - lower) * (wanted - below) / (count - below)
            lower, below = le, count
        return 0.0


class Meter:
    """Remembers readings of the counters for the length of the window.

    One look a minute keeps a handful of readings. Not for several threads at once.
    """

    def __init__(
        self,
        read: Callable[[], Counts] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read or read_counts
        self._clock = clock
        self._readings: deque[tuple[float, Counts]] = deque()

    def window(self) -> Counts:
        """What was done in the last five minutes, or since the first look."""
        now, counts = self._clock(), self._read()
        while len(self._readings) > 1 and self._readings[1][0] <= now - WINDOW_SECONDS:
            self._readings.popleft()
        earlier = self._readings[0][1] if self._readings else Counts()
        self._readings.append((now, counts))
        return counts.since(earlier)


def read_counts() -> Counts:
    """The sums of this process since it began."""
    requests = _samples(metrics.requests)
    crypto = _samples(metrics.crypto_operations)
    return Counts(
        requests=_sum(requests),
        server_errors=_sum(s for s in requests if s.labels["status"].startswith("5")),
        seal_failures=_sum(
            s for s in crypto if s.labels["operation"] == "seal" and s.labels["result"] != "ok"
        ),
        open_failures=_sum(_samples(metrics.damage)),
        vault_failures=_sum(
            s for s in _samples(metrics.vault_operations) if s.labels["result"] in VAULT_FAULTS
        ),
        refused_sign_ins=_sum(
            s for s in _samples(metrics.logins) if s.labels["outcome"] != "ok"
        ),
        refused_for_rate=_sum(s for s in requests if s.labels["status"] == "429"),
        sealed_within=_sealed_within(),
    )


def _samples(metric: MetricWrapperBase) -> list[Sample]:
    return [
        sample
        for family in metric.collect()
        for sample in family.samples
        if sample.name.endswith("_total")
    ]


def _sum(samples: Iterable[Sample]) -> float:
    return sum(sample.value for sample in samples)


def _sealed_within() -> tuple[tuple[float, float], ...]:
    found = (
        (float(sample.labels["le"]), sample.value)
        for family in metrics.crypto_seconds.collect()
        for sample in family.samples
        if sample.name.endswith("_bucket")
        and (sample.labels["operation"], sample.labels["size"]) == ("seal", "small")
    )
    return tuple(sorted(found))
