"""What an archive may be. Every number is told in docs/exchange.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.domain.names import refuse
from app.errors import FileTooLarge, InvalidInput

MIB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """``ratio`` is of the size of an entry, and of all, to what it takes, asked from 1 MiB on
    (an empty JSON of spaces packs 1,000 to 1; text that says something 5 to 30).

    ``directory``: bytes of the list at the end; ``document`` and ``documents``: bytes of one
    file of labels and of all that are opened; ``picture``: bytes of one picture.
    """

    entries: int = 200_000
    directory: int = 64 * MIB
    ratio: int = 200
    document: int = 64 * MIB
    documents: int = 256 * MIB
    picture: int = 100 * MIB
    name: int = 1024


USUAL: Final = ArchiveLimits()


def refused(place: str, words: str) -> InvalidInput:
    """The refusal of an archive at one of its entries (or "archive")."""
    return refuse(place, words)


def too_large(words: str) -> FileTooLarge:
    return FileTooLarge(words, operation="exchange.archive")
