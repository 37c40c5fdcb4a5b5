"""The sheet of keys of the box editor, as it is given out.

Where CVAT and Label Studio agree, so do these: digits for labels, N and R to draw, Tab to go
on, L to lock, H to hide, D and F between pictures (https://docs.cvat.ai/docs/annotation/,
https://labelstud.io/guide/hotkeys).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Row:
    """``action`` is what the editor's modules call it; ``keys`` as in `app.domain.keymap`.

    ``place`` orders the sheet; ``writes``: not for those who may only look.
    """

    place: int
    section: str
    action: str
    words: str
    keys: str
    writes: bool = False


DRAW, SELECTED, STEPS, LOOK, PICTURES = "Draw", "Selected", "Steps", "Look", "Pictures"

FREE: Final = (
    Row(10, DRAW, "draw", "Draw; finish an outline", "n", writes=True),
    Row(11, DRAW, "box", "Boxes", "r", writes=True),
    Row(12, DRAW, "polygon", "Outlines", "p", writes=True),
    Row(13, DRAW, "points", "Points", "k", writes=True),
    Row(14, DRAW, "pick", "Select", "v"),
    Row(16, DRAW, "whole", "Label the whole picture", "i", writes=True),
    Row(21, SELECTED, "name", "Type a label", "e", writes=True),
    Row(26, SELECTED, "turnLeft", "Turn left by 1°, with Alt by 15°", ",", writes=True),
    Row(27, SELECTED, "turnRight", "Turn right by 1°, with Alt by 15°", ".", writes=True),
    Row(28, SELECTED, "vertex", "Next vertex of an outline", "j", writes=True),
    Row(29, SELECTED, "insert", "New vertex behind it", "u", writes=True),
    Row(30, SELECTED, "remove", "Delete it, or the vertex", "Delete Backspace", writes=True),
    Row(32, SELECTED, "double", "Double", "Ctrl+d", writes=True),
    Row(33, SELECTED, "lock", "Lock; without a selection all", "l"),
    Row(34, SELECTED, "hide", "Hide; without a selection all", "h"),
    Row(35, SELECTED, "front", "To the front", "Home", writes=True),
    Row(36, SELECTED, "back", "To the back", "End", writes=True),
    Row(40, STEPS, "undo", "Undo", "Ctrl+z", writes=True),
    Row(41, STEPS, "redo", "Redo", "Ctrl+Shift+z Ctrl+y", writes=True),
    Row(42, STEPS, "save", "Save now", "Ctrl+s", writes=True),
    Row(43, STEPS, "previousSet", "Copy all from the newer picture", "Ctrl+b", writes=True),
    Row(50, LOOK, "closer", "Closer", "+"),
    Row(51, LOOK, "further", "Further", "-"),
    Row(52, LOOK, "fit", "Whole picture", "w"),
    Row(53, LOOK, "actual", "Actual size", "a"),
    Row(54, LOOK, "names", "Names on the picture", "t"),
    Row(55, LOOK, "light", "Brightness and contrast", "x"),
    Row(57, LOOK, "lists", "To the lists and back", "F6"),
    Row(60, PICTURES, "newer", "Newer picture", "d Ctrl+ArrowLeft PageUp"),
    Row(61, PICTURES, "older", "Older picture", "f Ctrl+ArrowRight PageDown"),
    Row(62, PICTURES, "done", "Submit, or reopen", "m", writes=True),
    Row(63, PICTURES, "doneAndOn", "Submit, and on to the next", "Ctrl+Enter", writes=True),
)
"""Rows whose keys everybody may choose."""

FIXED: Final = (
    Row(15, DRAW, "place", "Box in the middle, vertex at the crosshair", "Enter", writes=True),
    Row(20, SELECTED, "digit", "Choose a label, and give it", "1…0"),
    Row(22, SELECTED, "next", "Next", "Tab"),
    Row(23, SELECTED, "previous", "Previous", "Shift+Tab"),
    Row(24, SELECTED, "nudge", "Move by 1 px, with Shift by 10", "Arrows"),
    Row(
        25,
        SELECTED,
        "stretch",
        "Resize by 1 px, with Shift by 10",
        "Alt+Arrows",
        writes=True,
    ),
    Row(31, SELECTED, "copy", "Copy, paste", "Ctrl+c Ctrl+v", writes=True),
    Row(37, SELECTED, "escape", "Stop, let go, go back", "Escape"),
    Row(56, LOOK, "space", "Hold, and drag to move the view", "Space"),
    Row(64, PICTURES, "sheet", "This sheet", "?"),
)
"""Rows whose keys are the same for everybody."""
