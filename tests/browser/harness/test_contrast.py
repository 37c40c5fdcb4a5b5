"""The pairs of colours in use keep their contrast in both themes (WCAG 2.2, 1.4.3, 1.4.11)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).resolve().parents[3] / "app" / "static" / "css" / "tokens.css"
PAIR = re.compile(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);")
COLOURS = {name: (light, dark) for name, light, dark in PAIR.findall(TOKENS.read_text())}
THEMES = ("light", "dark")

TEXT = [
    *((text, f"surface-{step}") for text in ("text-1", "text-2") for step in range(5)),
    *(("text-3", f"surface-{step}") for step in range(4)),
    *(("accent", f"surface-{step}") for step in range(3)),
    *(
        (word, f"surface-{step}")
        for word in ("success", "danger", "warning")
        for step in range(3)
    ),
    ("accent", "accent-wash"),
    ("text-1", "accent-wash"),
    ("text-2", "accent-wash"),
    ("success", "success-wash"),
    ("text-1", "success-wash"),
    ("text-1", "warning-wash"),
    ("text-1", "danger-wash"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-danger", "danger"),
    ("on-danger", "danger-strong"),
]
PARTS = [("line", f"surface-{step}") for step in range(3)] + [("accent", "surface-4")]


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 to 1 (WCAG 2.2, definition)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", range(2), ids=THEMES)
@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(text: str, ground: str, theme: int) -> None:
    assert contrast(COLOURS[text][theme], COLOURS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", range(2), ids=THEMES)
@pytest.mark.parametrize(("part", "ground"), PARTS)
def test_parts_can_be_seen(part: str, ground: str, theme: int) -> None:
    assert contrast(COLOURS[part][theme], COLOURS[ground][theme]) >= 3
