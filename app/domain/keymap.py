"""The keys of the box editor: what each does, and which keys somebody may give it instead.

A key is written ``Ctrl+Alt+Shift+key``, modifiers in this order, the key as
``KeyboardEvent.key`` names it with letters small (https://www.w3.org/TR/uievents-key/); Ctrl
stands for Cmd too. Shift is told with letters and named keys alone: ``+`` is a key of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from app.domain.keymap_table import FIXED, FREE, Row
from app.domain.names import refuse
from app.domain.text_rules import is_forbidden
from app.errors import InvalidInput, Mistake

MAX_KEYS: Final = 4
"""Of one action."""
MAX_TEXT: Final = 120

_NAMED: Final = (
    *("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Backspace", "Delete", "End"),
    *("Enter", "Escape", "Home", "Insert", "PageDown", "PageUp", "Space", "Tab"),
    *(f"F{number}" for number in range(1, 13)),
)
_BY_SMALL: Final = {name.lower(): name for name in _NAMED}
_MODIFIERS: Final = ("Ctrl", "Alt", "Shift")
_KEY = re.compile(r"((?:(?:ctrl|alt|shift)\+)*)(.+)", re.IGNORECASE | re.ASCII)
_ARROWS: Final = _NAMED[:4]

RESERVED: Final = frozenset(
    (
        *"1234567890?",
        *("Escape", "Enter", "Space", "Tab", "Shift+Tab"),
        *(way + arrow for way in ("", "Shift+", "Alt+", "Alt+Shift+") for arrow in _ARROWS),
        *(f"Ctrl+{key}" for key in "acvxlnrtw1234567890"),
        *(f"Ctrl+Shift+{key}" for key in "cijnrtw"),
        *("F5", "Ctrl+F5", "F11", "F12", "Alt+F4", "Ctrl+F4", "Ctrl+Tab", "Ctrl+Shift+Tab"),
    )
)
"""Keys with one meaning for everybody: those of `FIXED`, and those that browsers keep."""

ROWS: Final[Mapping[str, Row]] = {row.action: row for row in FREE}


def read_keymap(document: object, place: str = "") -> dict[str, str]:
    """What differs from the keys given out, {action: keys}; ``InvalidInput`` with the places.

    A place is ``place`` and the action.

    ``document`` is {action: keys}, several keys apart by blanks, none for no key; what is not
    named keeps the keys given out.
    """
    if not isinstance(document, dict):
        raise refuse(place.rstrip("."), "This must be an object of actions.")
    mistakes: list[Mistake] = []
    chosen = {action: row.keys for action, row in ROWS.items()}
    for action, text in document.items():
        try:
            chosen[_action(action)] = _keys(text)
        except ValueError as wrong:
            known = action if action in ROWS else "*"
            mistakes.append(Mistake(place + known, str(wrong)))
    mistakes += [Mistake(place + action, words) for action, words in _twice(chosen)]
    if mistakes:
        raise InvalidInput("These keys cannot be used.", mistakes=mistakes)
    return {action: keys for action, keys in chosen.items() if keys != ROWS[action].keys}


def full_keymap(changed: Mapping[str, str]) -> dict[str, str]:
    """The keys of every action that one may choose, {action: keys}."""
    return {action: changed.get(action, row.keys) for action, row in ROWS.items()}


def rows(changed: Mapping[str, str]) -> tuple[tuple[Row, str], ...]:
    """Every row of the sheet of keys with its keys, in the order in which it is shown."""
    keys = full_keymap(changed)
    ordered = sorted((*FREE, *FIXED), key=lambda row: row.place)
    return tuple((row, keys.get(row.action, row.keys)) for row in ordered)


def clean_key(text: str) -> str:
    """One key as it is written here; ``ValueError`` in words."""
    match = _KEY.fullmatch(text)
    if match is None:
        raise ValueError("A key has a name.")
    told = {name.lower() for name in match[1].split("+") if name}
    key = _BY_SMALL.get(match[2].lower(), match[2].lower())
    if is_forbidden(key) if len(key) == 1 else key not in _NAMED:
        raise ValueError("There is no key of that name.")
    if len(key) == 1 and not key.isalpha() and "shift" in told and not told & {"ctrl", "alt"}:
        raise ValueError("Name the character that Shift gives, without Shift.")
    whole = "+".join((*(name for name in _MODIFIERS if name.lower() in told), key))
    if whole in RESERVED:
        raise ValueError(f"{whole} has a fixed meaning here or in browsers.")
    return whole


def _action(name: object) -> str:
    if not isinstance(name, str) or name not in ROWS:
        raise ValueError("There is no such action.")
    return name


def _keys(text: object) -> str:
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        raise ValueError("Write keys with a blank between them, or nothing for no key.")
    keys = list(dict.fromkeys(map(clean_key, text.split())))
    if len(keys) > MAX_KEYS:
        raise ValueError(f"One action has at most {MAX_KEYS} keys.")
    return " ".join(keys)


def _twice(chosen: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each action whose key another one has, and that in words: of two the one whose keys are
    not those given out, else the later one."""
    owners: dict[str, str] = {}
    for action, keys in sorted(chosen.items(), key=lambda one: one[1] != ROWS[one[0]].keys):
        for key in keys.split():
            first = owners.setdefault(key, action)
            if first != action:
                yield action, f"{key} stands at “{ROWS[first].words}” too."
