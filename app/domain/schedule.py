"""When something happens by itself: ``daily 02:00``, ``weekly sun 03:30 Europe/Berlin``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(
    r"(?P<often>hourly|daily|weekly)"
    rf"(?: (?P<day>{'|'.join(DAYS)}))?"
    r"(?: (?P<hour>[01]?[0-9]|2[0-3]):(?P<minute>[0-5][0-9]))?"
    r"(?: (?P<zone>[A-Za-z][A-Za-z0-9_+/-]{0,40}))?"
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """``day`` is 0 for Monday, None for every day; ``zone`` None: the machine's own.

    ``at`` None: at every full hour.
    """

    at: time | None
    day: int | None = None
    zone: ZoneInfo | None = None

    def latest(self, now: datetime) -> datetime:
        """The last moment of the schedule that is not after ``now`` (aware), in UTC.

        An hour that the clocks leave out comes an hour later, one that they repeat once.
        """
        if self.at is None:
            return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        today = now.astimezone(self.zone).date()
        for back in range(9):
            date = today - timedelta(days=back)
            if self.day is not None and date.weekday() != self.day:
                continue
            moment = _moment(datetime.combine(date, self.at), self.zone)
            if moment <= now:
                return moment
        raise AssertionError("a week has every day")

    def is_due(self, now: datetime, last: datetime | None) -> bool:
        """Whether what last began at ``last`` has to begin again; a missed one is at once."""
        return last is None or last < self.latest(now)


def _moment(local: datetime, zone: tzinfo | None) -> datetime:
    aware = local.replace(tzinfo=zone) if zone is not None else local.astimezone()
    return aware.astimezone(UTC)


def parse_schedule(text: str) -> Schedule:
    """The schedule that a setting spells; ValueError says what one looks like."""
    found = _FORM.fullmatch(" ".join(text.split()))
    often = found["often"] if found else ""
    timed = found is not None and found["hour"] is not None
    if (
        found is None
        or timed != (often != "hourly")
        or (found["day"] is not None) != (often == "weekly")
    ):
        raise ValueError(
            "must be a time such as daily 02:00, weekly sun 03:30 or hourly, with a time zone"
            " after it where it is not the machine's own"
        )
    return Schedule(
        at=time(int(found["hour"]), int(found["minute"])) if timed else None,
        day=DAYS.index(found["day"]) if found["day"] else None,
        zone=_zone(found["zone"]),
    )


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("names a time zone that this machine does not know") from None
