"""Names of a crowd: none lies on another, and what is in hand has its own."""

from __future__ import annotations

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser
DRAWN = """
  const items = Array.from({ length: v[0] }, (_, n) => (
    { id: `${n}`, box: { x: (n % 40) * 20, y: Math.floor(n / 40) * 20, w: 9, h: 9 } }));
  const canvas = new EventTarget();
  Object.assign(canvas, { view: { scale: 1, x: 0, y: 0 }, frame: { w: 800, h: 600 } });
  const sheet = document.createElement("canvas");
  const spots = [];
  const brush = sheet.getContext("2d");
  brush.drawImage = ({ width }, x, y) => spots.push([x, y, width]);
  const store = { items: new Map(items.map((one) => [one.id, one])) };
  const names = new m.Names(sheet, { canvas, store,
    labels: { name: () => "leaf damage" }, wanted: () => true, inHand: (id) => id === v[1] });
  names.soon();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return [spots, names.isCrowded];
"""


def test_of_a_crowd_no_name_lies_on_another(run: Run) -> None:
    spots, crowded = run("editor/names", DRAWN, 1000, "517")
    assert crowded
    assert 50 < len(spots) < 500
    for at, (x, y, width) in enumerate(spots):
        for left, top, length in spots[:at]:
            assert abs(top - y) >= 12 or x >= left + length or left >= x + width
    # From the corner of a box to what is drawn: 2 px and -21 px, on a sheet that begins at -96.
    assert spots[0][:2] == [517 % 40 * 20 + 98, 517 // 40 * 20 + 75]


def test_of_few_each_has_its_name(run: Run) -> None:
    spots, crowded = run("editor/names", DRAWN, 300, "")
    assert (len(spots), crowded) == (300, False)
