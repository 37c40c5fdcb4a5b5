"""Key presses as the table writes them, and that every action of the table is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.domain.keymap_table import FIXED, FREE
from app.web.keymap_view import key_table
from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser
EDITOR = Path(__file__).resolve().parents[3] / "app/static/js/editor"
ELSEWHERE = {"copy", "space", "sheet"}
"""Answered by the clipboard's events, while a key is held, and on every page."""


@pytest.mark.parametrize(
    ("press", "wanted"),
    [
        ({"key": "N", "shiftKey": True}, "Shift+n"),
        ({"key": "Z", "ctrlKey": True, "shiftKey": True}, "Ctrl+Shift+z"),
        ({"key": "z", "metaKey": True}, "Ctrl+z"),
        ({"key": "+", "shiftKey": True}, "+"),
        ({"key": "="}, "+"),
        ({"key": "≤", "code": "Comma", "altKey": True}, "Alt+,"),
        ({"key": "ArrowUp", "altKey": True, "shiftKey": True}, "Alt+Shift+ArrowUp"),
        ({"key": " "}, "Space"),
    ],
)
def test_a_press_is_written_as_in_the_table(
    run: Run, press: dict[str, Any], wanted: str
) -> None:
    assert run("editor/keymap", "return m.keyOf(v[0])", press) == wanted


def test_every_key_calls_its_action(run: Run) -> None:
    table = run(
        "editor/keymap", "return Object.fromEntries(m.tableOf(v[0]))", key_table({"draw": "y"})
    )
    assert table["y"] == {"action": "draw", "writes": True}
    assert "n" not in table
    for row in FREE:
        for key in row.keys.split():
            if row.action != "draw":
                assert table[key]["action"] == row.action
    assert table["Alt+,"]["action"] == "turnLeft"
    assert {one["action"] for one in table.values()} == (
        {row.action for row in (*FREE, *FIXED)} - ELSEWHERE
    )


def test_there_is_a_verb_for_every_action() -> None:
    source = (EDITOR / "actions.js").read_text(encoding="utf-8")
    missing = [
        row.action
        for row in (*FREE, *FIXED)
        if row.action not in ELSEWHERE
        and not any(f"{row.action}{mark}" in source for mark in (":", "(", ","))
    ]
    assert missing == []
