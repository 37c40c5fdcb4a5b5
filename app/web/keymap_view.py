"""The keys of the editor as pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from app.domain.keymap import ROWS, rows
from app.domain.keymap_table import Row

#: What stands on the key; all others by their names, letters large.
CAPS: Final = {
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowUp": "↑",
    "ArrowDown": "↓",
    "Arrows": "Arrows",
    "Delete": "Del",
    "Escape": "Esc",
    "PageDown": "PgDn",
    "PageUp": "PgUp",
    "-": "−",
}


@dataclass(frozen=True, slots=True)
class KeyRow:
    """``keys``: each as its caps. ``text`` is what the form takes; None where it is fixed."""

    action: str
    words: str
    keys: tuple[tuple[str, ...], ...]
    text: str | None
    given_out: str
    writes: bool


@dataclass(frozen=True, slots=True)
class KeySection:
    title: str
    rows: tuple[KeyRow, ...]


def sections(changed: Mapping[str, str], *, can_write: bool = True) -> tuple[KeySection, ...]:
    """Return the sheet of keys; who may only look needs none of those that change."""
    shown = [(row, keys) for row, keys in rows(changed) if can_write or not row.writes]
    return tuple(
        KeySection(title, tuple(_row(row, keys) for row, keys in group))
        for title, group in groupby(shown, key=lambda pair: pair[0].section)
    )


def key_table(changed: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what the module of the keys reads."""
    return [
        {"action": row.action, "keys": keys if row.action in ROWS else "", "writes": row.writes}
        for row, keys in rows(changed)
    ]


def short_keys(changed: Mapping[str, str]) -> dict[str, str]:
    """Return the first key of each action in words, for the titles of buttons."""
    return {row.action: " ".join(_caps(keys.split()[0])) for row, keys in rows(changed) if keys}


def _row(row: Row, keys: str) -> KeyRow:
    return KeyRow(
        action=row.action,
        words=row.words,
        keys=tuple(_caps(key) for key in keys.split()),
        text=keys if row.action in ROWS else None,
        given_out=row.keys,
        writes=row.writes,
    )


def _caps(key: str) -> tuple[str, ...]:
    *modifiers, last = key.removesuffix("++").split("+") if key.endswith("++") else _split(key)
    return (*modifiers, CAPS.get(last, last.upper() if len(last) == 1 else last))


def _split(key: str) -> list[str]:
    return [key] if key == "+" else key.split("+")
