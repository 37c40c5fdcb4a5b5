"""When something is due by itself: time zones, missed runs, odd hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.schedule import parse_schedule


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("spelled", "now", "latest"),
    [
        ("daily 02:00 UTC", "2026-11-22T02:00", "2026-11-22T02:00"),
        ("daily 02:00 UTC", "2026-11-22T01:59", "2026-11-21T02:00"),
        ("daily 2:00 Europe/Berlin", "2026-11-22T01:30", "2026-11-22T01:00"),
        ("daily 23:30 America/New_York", "2026-11-22T04:29", "2026-11-21T04:30"),
        ("weekly sun 03:30 UTC", "2026-11-22T03:30", "2026-11-22T03:30"),
        ("weekly mon 03:30 UTC", "2026-11-22T12:00", "2026-11-16T03:30"),
        ("hourly", "2026-11-22T03:30", "2026-11-22T03:00"),
        # Clocks go forward at 02:00 and back at 03:00 in Berlin.
        ("daily 02:30 Europe/Berlin", "2026-03-29T12:00", "2026-03-29T01:30"),
        ("daily 02:30 Europe/Berlin", "2026-10-25T12:00", "2026-10-25T00:30"),
    ],
)
def test_the_latest_moment(spelled: str, now: str, latest: str) -> None:
    assert parse_schedule(spelled).latest(utc(now)) == utc(latest)


def test_every_day_has_its_moment_once() -> None:
    schedule = parse_schedule("daily 02:30 Europe/Berlin")
    begin = utc("2026-01-01T12:00")
    found = {schedule.latest(begin + timedelta(hours=hour)) for hour in range(24 * 365)}
    assert len(found) == 365 + 1


def test_what_was_missed_is_due_at_once() -> None:
    schedule = parse_schedule("daily 02:00 UTC")
    now = utc("2026-11-22T12:00")
    assert schedule.is_due(now, None)
    assert schedule.is_due(now, utc("2026-11-19T02:00"))
    assert not schedule.is_due(now, utc("2026-11-22T02:00"))
    assert not schedule.is_due(now, utc("2026-11-22T02:10"))


@pytest.mark.parametrize(
    "text",
    ["", "daily", "02:00", "daily 24:00", "weekly 02:00", "daily mon 02:00", "hourly 02:00",
     "daily 02:00 Nowhere/At_all", "weekly sun", "daily 02:60", "monthly 02:00"],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match=r"must be|names a time zone"):
        parse_schedule(text)
