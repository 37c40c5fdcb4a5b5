"""Judging figures: every condition at its limit, just over it and far from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app import metrics
from app.services.alerts.conditions import CONDITIONS, Figures, Limits, judge
from app.services.alerts.meter import WINDOW_SECONDS, Counts, Meter, read_counts

NOW = datetime(2030, 1, 2, tzinfo=UTC)
QUIET = Figures(
    now=NOW,
    recent=Counts(),
    disk_share=0.5,
    vault_problem=None,
    overdue=0,
    quarantined=0,
    damage_found=0,
    failed_jobs=0,
    last_backup=NOW - timedelta(hours=20),
)
LIMITS = Limits(seal_p95_ms=250, backup_age=timedelta(hours=26))


def sealed(*within: tuple[float, float]) -> Counts:
    return Counts(sealed_within=within)


CASES: list[tuple[str, Figures, Figures]] = [
    ("seal_failures", QUIET, replace(QUIET, recent=Counts(seal_failures=1))),
    ("open_failures", QUIET, replace(QUIET, recent=Counts(open_failures=1))),
    (
        "seal_slow",
        replace(QUIET, recent=sealed((0.25, 19), (0.5, 20), (float("inf"), 20))),
        replace(QUIET, recent=sealed((0.25, 18), (0.5, 20), (float("inf"), 20))),
    ),
    ("disk_full", replace(QUIET, disk_share=0.8), replace(QUIET, disk_share=0.81)),
    (
        "server_errors",
        replace(QUIET, recent=Counts(requests=500, server_errors=5)),
        replace(QUIET, recent=Counts(requests=499, server_errors=5)),
    ),
    ("rotation_overdue", QUIET, replace(QUIET, overdue=1)),
    (
        "vault_errors",
        replace(QUIET, recent=Counts(vault_failures=2)),
        replace(QUIET, recent=Counts(vault_failures=3)),
    ),
    ("vault_errors", QUIET, replace(QUIET, vault_problem="The vault folder is missing")),
    (
        "backup_old",
        replace(QUIET, last_backup=NOW - timedelta(hours=26)),
        replace(QUIET, last_backup=NOW - timedelta(hours=27)),
    ),
    ("backup_old", QUIET, replace(QUIET, last_backup=None)),
    ("damage_found", QUIET, replace(QUIET, damage_found=1)),
    ("damage_found", QUIET, replace(QUIET, quarantined=1)),
    (
        "sign_ins_refused",
        replace(QUIET, recent=Counts(refused_sign_ins=49)),
        replace(QUIET, recent=Counts(refused_sign_ins=50)),
    ),
    (
        "rate_limited",
        replace(QUIET, recent=Counts(refused_for_rate=199)),
        replace(QUIET, recent=Counts(refused_for_rate=200)),
    ),
    ("jobs_failed", QUIET, replace(QUIET, failed_jobs=1)),
]


@pytest.mark.parametrize(("name", "calm", "wrong"), CASES)
def test_a_condition_holds_beyond_its_limit_and_not_at_it(
    name: str, calm: Figures, wrong: Figures
) -> None:
    assert list(judge(calm, LIMITS)) == []
    found = list(judge(wrong, LIMITS))
    assert [condition.name for condition, _ in found] == [name]
    assert found[0][1].endswith(".")


def test_every_condition_has_a_case() -> None:
    assert {condition.name for condition in CONDITIONS} == {name for name, _, _ in CASES}


def test_few_slow_files_and_a_bucket_say_nothing() -> None:
    few = sealed((0.25, 0), (0.5, 19), (float("inf"), 19))
    assert list(judge(replace(QUIET, recent=few, disk_share=None), LIMITS)) == []


def test_nobody_is_told_of_a_backup_that_nobody_asked_for() -> None:
    never = replace(QUIET, last_backup=None)
    assert list(judge(never, Limits(seal_p95_ms=250))) == []


def test_the_quantile_lies_between_the_bounds_by_straight_line() -> None:
    counts = sealed((0.1, 50), (0.2, 100), (float("inf"), 100))
    assert counts.seal_seconds(0.5) == pytest.approx(0.1)
    assert counts.seal_seconds(0.75) == pytest.approx(0.15)
    assert sealed((0.1, 0), (float("inf"), 4)).seal_seconds(0.95) == 0.1
    assert Counts().seal_seconds(0.95) == 0


def test_the_window_forgets_what_is_older() -> None:
    total = Counts(requests=0)
    time = [0.0]
    meter = Meter(lambda: total, lambda: time[0])
    meter.window()
    for minute in range(1, 11):
        time[0], total = minute * 60.0, Counts(requests=minute * 10)
        seen = meter.window()
        assert seen.requests == min(minute, WINDOW_SECONDS / 60) * 10


def test_the_counters_of_this_process_are_read() -> None:
    before = read_counts()
    metrics.count_request("gallery.page", "GET", 503)
    metrics.count_request("gallery.page", "GET", 200)
    metrics.crypto_operations.labels("seal", "original", "store_full").inc()
    metrics.crypto_operations.labels("seal", "original", "ok").inc()
    metrics.vault_operations.labels("get", "key_vault_unavailable").inc()
    metrics.vault_operations.labels("get", "key_not_found").inc()
    metrics.crypto_seconds.labels("seal", "small").observe(0.003)
    metrics.crypto_seconds.labels("seal", "large").observe(3)
    grown = read_counts().since(before)
    assert (grown.requests, grown.server_errors) == (2, 1)
    assert (grown.seal_failures, grown.vault_failures) == (1, 1)
    assert grown.sealed == 1
    assert grown.seal_seconds(1.0) == 0.005
