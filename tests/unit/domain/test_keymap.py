"""The keys of the editor: what may be chosen, and what is said about what may not."""

from __future__ import annotations

import pytest

from app.domain.keymap import RESERVED, ROWS, clean_key, full_keymap, read_keymap, rows
from app.domain.keymap_table import FIXED, FREE
from app.errors import InvalidInput

GIVEN_OUT = {action: row.keys for action, row in ROWS.items()}


def mistakes(document: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as refusal:
        read_keymap(document, "keymap.")
    return {mistake.path: mistake.message for mistake in refusal.value.mistakes}


def test_the_keys_given_out_keep_the_rules_themselves() -> None:
    assert read_keymap(GIVEN_OUT) == {}
    assert len({row.place for row in (*FREE, *FIXED)}) == len(FREE) + len(FIXED)
    assert not {row.action for row in FIXED} & set(ROWS)


def test_only_what_differs_is_kept() -> None:
    changed = read_keymap({"draw": "y", "undo": "ctrl+Z"})
    assert changed == {"draw": "y"}
    assert full_keymap(changed) == GIVEN_OUT | {"draw": "y"}


def test_two_actions_may_change_places() -> None:
    assert read_keymap({"box": "p", "polygon": "r"}) == {"box": "p", "polygon": "r"}


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Y", "y"),
        ("shift+ctrl+Y", "Ctrl+Shift+y"),
        ("alt+pageup", "Alt+PageUp"),
        ("ö", "ö"),
        ("Ctrl++", "Ctrl++"),
        ("", ""),
        ("y  Y f2", "y F2"),
    ],
)
def test_keys_are_written_in_one_way(written: str, kept: str) -> None:
    assert read_keymap({"draw": written})["draw"] == kept


@pytest.mark.parametrize("key", ["?", "1", "Escape", "ctrl+w", "Shift+ArrowUp", "f5", "ctrl+V"])
def test_keys_with_a_fixed_meaning_are_refused(key: str) -> None:
    assert "fixed meaning" in mistakes({"draw": key})["keymap.draw"]


@pytest.mark.parametrize(
    "keys",
    ["notakey", "ctrl+", "shift+,", "q w z y b", "x" * 121, 7, None, ["n"], "hyper+n"],
)
def test_what_is_no_key_is_refused_at_its_action(keys: object) -> None:
    assert set(mistakes({"draw": keys})) == {"keymap.draw"}


def test_a_key_that_stands_twice_names_the_other_action() -> None:
    assert mistakes({"hide": "n"}) == {
        "keymap.hide": "n stands at “Draw; finish an outline” too."
    }


def test_an_unknown_action_is_refused_without_repeating_it() -> None:
    assert mistakes({"format disk": "n"}) == {"keymap.*": "There is no such action."}
    assert set(mistakes(["n"])) == {"keymap"}


@pytest.mark.parametrize("key", ["\u202e", "\x7f", "Ctrl+\x01"])
def test_a_character_that_nobody_sees_is_no_key(key: str) -> None:
    with pytest.raises(ValueError, match="no key"):
        clean_key(key)


def test_every_reserved_key_is_written_as_keys_are() -> None:
    for key in RESERVED:
        with pytest.raises(ValueError, match="fixed meaning"):
            clean_key(key)


def test_the_sheet_is_in_order_and_shows_what_was_chosen() -> None:
    shown = rows({"draw": "y"})
    assert [row.place for row, _ in shown] == sorted(row.place for row, _ in shown)
    assert next(keys for row, keys in shown if row.action == "draw") == "y"
