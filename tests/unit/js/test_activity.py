"""Whether somebody is at the page."""

from __future__ import annotations

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser


def test_nobody_is_there_after_ten_minutes_until_a_sign(run: Run) -> None:
    body = """
      let now = 0, back = 0;
      const target = new EventTarget();
      const activity = new m.Activity(() => now, target);
      activity.addEventListener('back', () => back += 1);
      const seen = [];
      for (now of [0, 599000, 601000]) seen.push(activity.isIdle);
      target.dispatchEvent(new Event('keydown'));
      seen.push(activity.isIdle, back);
      target.dispatchEvent(new Event('wheel'));
      return [...seen, back];
    """
    assert run("editor/activity", body) == [False, False, True, False, 1, 1]
