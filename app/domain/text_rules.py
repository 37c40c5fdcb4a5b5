"""What free text may hold: the rules below names, descriptions, labels and filenames."""

from __future__ import annotations

import unicodedata
from typing import Final

#: Characters that turn the direction of what follows: a name must not disguise another.
_DIRECTION: Final = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
#: Controls, lone surrogates, line and paragraph separators.
_FORBIDDEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def is_forbidden(character: str) -> bool:
    """Whether a character has no place in a line of text."""
    return unicodedata.category(character) in _FORBIDDEN or character in _DIRECTION


def to_nfc(text: str) -> str:
    """The composed form, in which equal texts are equal."""
    return unicodedata.normalize("NFC", text)
