"""Prometheus metrics; names begin with ``darkroom_``. No label carries a name or an id."""

from __future__ import annotations

import time

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
registry = CollectorRegistry()
ProcessCollector(registry=registry)

requests = Counter(
    "darkroom_http_requests",
    "Answered requests",
    ("endpoint", "method", "status"),
    registry=registry,
)
request_seconds = Histogram(
    "darkroom_http_request_seconds",
    "Time to the first byte of the answer",
    ("endpoint",),
    registry=registry,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
uploads = Counter(
    "darkroom_uploads", "Files offered, by what became of them", ("outcome",), registry=registry
)
upload_bytes = Histogram(
    "darkroom_upload_bytes",
    "Size of accepted originals",
    registry=registry,
    buckets=tuple(4**power * 1024 for power in range(1, 12)),
)
damage = Counter(
    "darkroom_damaged_blobs", "Blobs that failed verification when read", registry=registry
)
crypto_seconds = Histogram(
    "darkroom_crypto_seconds",
    "Time to seal one blob, or to open one and check its header, with what the disk takes",
    ("operation", "size"),
    registry=registry,
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 30),
)
crypto_operations = Counter(
    "darkroom_crypto_operations",
    "Blobs sealed and opened, by role and by what became of it",
    ("operation", "role", "result"),
    registry=registry,
)
vault_operations = Counter(
    "darkroom_key_operations",
    "Calls of the key vault, by kind and by what became of it",
    ("operation", "result"),
    registry=registry,
)
vault_seconds = Histogram(
    "darkroom_key_operation_seconds",
    "Time that a call of the key vault takes",
    ("operation",),
    registry=registry,
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
errors = Counter(
    "darkroom_errors", "Refusals and failures, by code", ("code",), registry=registry
)
alerts_raised = Gauge(
    "darkroom_alert",
    "1 while the condition of an alert holds",
    ("condition",),
    registry=registry,
)
rotations = Counter(
    "darkroom_key_rotations",
    "Files that were given a new key, by how it ended",
    ("result",),
    registry=registry,
)
rotation_seconds = Histogram(
    "darkroom_key_rotation_seconds",
    "Time to give one file a new key",
    registry=registry,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
)
logins = Counter("darkroom_logins", "Sign-ins, by outcome", ("outcome",), registry=registry)


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count_request(endpoint: str, method: str, status: int) -> None:
    """Count an answer; words that a client made up do not become labels."""
    requests.labels(endpoint, method if method in METHODS else "other", str(status)).inc()


def observe_request(endpoint: str, method: str, status: int, began: float) -> None:
    """Count an answer and how long it took since ``began`` on the performance counter."""
    count_request(endpoint, method, status)
    request_seconds.labels(endpoint).observe(time.perf_counter() - began)


def exposition() -> bytes:
    """Return the text that Prometheus scrapes."""
    return generate_latest(registry)
