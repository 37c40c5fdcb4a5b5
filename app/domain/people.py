"""How people are shown to each other."""

from __future__ import annotations


def initials(name: str) -> str:
    """One or two letters that stand for a name: of its first and its last word."""
    words = [word for word in name.split() if word[0].isalnum()]
    chosen = [words[0], words[-1]] if len(words) > 1 else words
    return "".join(word[0].upper() for word in chosen) or "?"
