"""Copies from another picture: inside, beside what is there, of the class that was meant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser
SMALL = {"w": 1000, "h": 500}
OUTLINE = {"type": "polygon", "points": [[2000, 100], [4000, 100], [4000, 1100]]}
TURNED = {"type": "rotated", "x": 3000, "y": 100, "w": 400, "h": 200, "angle": 90}


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        ((3000, 2000, 200, 100), (800, 400, 200, 100)),
        ((-40, 20, 100, 100), (0, 20, 100, 100)),
        ((0.123456, 3.3, 10.77, 9), (0.123456, 3.3, 10.77, 9)),
        ((700, 20, 3000, 100), (0, 20, 1000, 100)),
    ],
)
def test_a_box_lies_inside_cut_if_it_must_be(
    run: Run, box: tuple[float, ...], wanted: tuple[float, ...]
) -> None:
    names = ("x", "y", "w", "h")
    item = {"box": dict(zip(names, box, strict=True))}
    found = run("editor/shapes", "return m.broughtIn(...v)", item, SMALL)
    assert found["box"] == dict(zip(names, wanted, strict=True))


def test_an_outline_and_a_turned_box_keep_their_form(run: Run) -> None:
    body = "return v[0].map((shape) => m.broughtIn(m.placed(shape), v[1]))"
    outline, turned, whole = run(
        "editor/shapes", body, [OUTLINE, TURNED, {"type": "image"}], SMALL
    )
    assert outline["shape"]["points"] == [[0, 0], [1000, 0], [1000, 500]]
    assert turned["shape"]["angle"] == 90
    assert (turned["shape"]["w"], turned["shape"]["h"]) == (400, 200)
    assert turned["box"]["x"] + turned["box"]["w"] == pytest.approx(1000)
    assert whole["shape"] == {"type": "image"}


def test_pasted_again_and_again_none_lies_on_another(run: Run) -> None:
    body = """
      const items = [];
      for (let n = 0; n < 4; n += 1) items.push(m.placeCopy(v[0], items, v[1]));
      return items.map(({ box }) => [box.x, box.y]);
    """
    item: dict[str, Any] = {"label": "a", "box": {"x": 960, "y": 400, "w": 20, "h": 20}}
    found = run("editor/clipboard", body, item, SMALL)
    assert found == [[960, 400], [972, 412], [980, 424], [980, 436]]


def test_a_class_of_another_list_is_found_by_its_name_or_asked_for(run: Run) -> None:
    body = """
      const { Labels } = await import("/static/js/editor/labels.js");
      const labels = new Labels(true);
      labels.load([{ id: "1", name: "dog", order: 0 }, { id: "2", name: "cat", order: 1 }]);
      return v[0].map((one) => m.classOf(one, labels));
    """
    asked = [
        {"label": "2", "name": "cat"},
        {"label": "elsewhere", "name": "cat"},
        {"label": "elsewhere", "name": "cow"},
        {"label": None, "name": None},
    ]
    assert run("editor/clipboard", body, asked) == ["2", "2", None, None]
