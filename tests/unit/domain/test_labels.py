from __future__ import annotations

from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from app.domain.labels import (
    COLOURS,
    MAX_CLASSES,
    PALETTE,
    LabelClass,
    clean_colour,
    clean_hotkey,
    clean_label,
    new_class,
    next_colour,
    next_hotkey,
    unknown_names,
)
from app.errors import InvalidInput


def classes(count: int) -> list[LabelClass]:
    made: list[LabelClass] = []
    for number in range(count):
        made.append(new_class(UUID(int=number), f"class {number}", made))
    return made


def test_names_fit_their_sealed_column() -> None:
    assert clean_label(" café ") == "café"
    assert clean_label("字" * 64) == "字" * 64
    for bad in ("x" * 65, "👩" * 64, "", "a\tb", None):
        with pytest.raises(InvalidInput):
            clean_label(bad)


def test_new_classes_take_colours_and_keys_in_turn() -> None:
    made = classes(21)
    assert [c.colour for c in made[:20]] == list(COLOURS)
    assert made[20].colour == COLOURS[0]
    assert "".join(c.hotkey or "-" for c in made[:12]) == "1234567890--"
    assert [c.position for c in made] == list(range(21))


def test_a_colour_and_a_key_that_became_free_are_next() -> None:
    made = [c for c in classes(12) if c.hotkey != "4"]
    assert next_hotkey([c.hotkey for c in made]) == "4"
    assert next_colour([c.colour for c in made]) == COLOURS[3]


def test_unknown_names_in_an_open_and_a_closed_set() -> None:
    known = [LabelClass(uuid4(), "cat", COLOURS[0], "1", 0)]
    wanted = {"dog": "annotations[1].label", "cat": "annotations[0].label", "Cat": "x"}
    assert unknown_names(wanted, known, is_open=True) == ("dog", "Cat")
    assert unknown_names({"cat": "x"}, known, is_open=False) == ()
    with pytest.raises(InvalidInput) as caught:
        unknown_names(wanted, known, is_open=False)
    assert [m.path for m in caught.value.mistakes] == ["annotations[1].label", "x"]


def test_a_set_does_not_grow_for_ever() -> None:
    known = [LabelClass(uuid4(), str(n), COLOURS[0], None, n) for n in range(MAX_CLASSES)]
    assert unknown_names({"7": "x"}, known, is_open=True) == ()
    with pytest.raises(InvalidInput):
        unknown_names({"new": "x"}, known, is_open=True)


@pytest.mark.parametrize(("text", "colour"), [("#A1B2C3", "#a1b2c3"), (" #000000", "#000000")])
def test_colours(text: str, colour: str) -> None:
    assert clean_colour(text) == colour


@pytest.mark.parametrize("bad", ["red", "#fff", "#gggggg", "", None, "url(x)", "#00000０"])
def test_bad_colours(bad: object) -> None:
    with pytest.raises(InvalidInput):
        clean_colour(bad)


def test_hotkeys() -> None:
    assert clean_hotkey("0") == "0"
    assert clean_hotkey("") is None
    assert clean_hotkey(None) is None
    for bad in ("a", "12", "１", 1):
        with pytest.raises(InvalidInput):
            clean_hotkey(bad)


# Viénot, Brettel, Mollon (1999): what a dichromat sees, as a matrix on linear RGB.
VISIONS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protan": ((0.11238, 0.88762, 0), (0.11238, 0.88762, 0), (0.00401, -0.00401, 1)),
    "deutan": ((0.29275, 0.70725, 0), (0.29275, 0.70725, 0), (-0.02234, 0.02234, 1)),
}
Triple = tuple[float, float, float]


def _lab(colour: str, vision: tuple[Triple, Triple, Triple]) -> Triple:
    """CIELAB (D65) of ``#rrggbb`` as somebody with this vision sees it."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    r, g, b = (sum(m * c for m, c in zip(row, linear, strict=True)) for row in vision)
    x = (0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    z = (0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089
    f = [max(t, 0) ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def _distance(one: str, other: str, vision: str) -> float:
    matrix = VISIONS[vision]
    pairs = zip(_lab(one, matrix), _lab(other, matrix), strict=True)
    return float(sum((a - b) ** 2 for a, b in pairs) ** 0.5)


@pytest.mark.parametrize("vision", VISIONS)
def test_the_palette_stays_apart(vision: str) -> None:
    """CIE76 distance; 2.3 is just noticeable."""
    assert len({colour for colour, _ in PALETTE}) == len({name for _, name in PALETTE}) == 20
    apart = [
        _distance(one, other, vision)
        for place, one in enumerate(COLOURS)
        for other in COLOURS[:place]
    ]
    assert min(apart) > 15
    assert min(_distance(one, other, vision) for one, other in pairwise(COLOURS)) > 20
