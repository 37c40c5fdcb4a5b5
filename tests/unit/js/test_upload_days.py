"""Days of "Keep until", as the person's own clock counts them."""

from __future__ import annotations

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("day", ["2026-12-24", "2026-12-31", "2028-02-29", "2026-03-29"])
def test_a_day_ends_where_the_next_begins(run: Run, day: str) -> None:
    body = """
      const end = new Date(m.endOfDay(v[0]));
      const before = new Date(end.getTime() - 1);
      const clock = [end.getHours(), end.getMinutes()];
      return [m.today(before), m.today(end) > v[0], ...clock, m.endOfDay(v[0])];
    """
    last, is_next, hours, minutes, moment = run("upload/days", body, day)
    assert (last, is_next, hours, minutes) == (day, True, 0, 0)
    assert moment.endswith("Z")


def test_no_day_is_no_moment(run: Run) -> None:
    assert run("upload/days", "return m.endOfDay('');") == ""
