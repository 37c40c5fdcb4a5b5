"""The formats by their names, and which one a heap of files is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Final

from app.domain.names import refuse
from app.errors import InvalidInput, Mistake
from app.formats import detection
from app.formats.dataset import Format
from app.formats.registry import FORMATS

NAMES: Final = tuple(FORMATS)


def formats() -> Mapping[str, Format]:
    """Every format, in the order in which pages list them."""
    return FORMATS


def format_named(name: str) -> Format:
    """``InvalidInput`` for a name that is none."""
    known = FORMATS.get(name)
    if known is None:
        raise refuse("format", "A format is one of " + ", ".join(NAMES) + ".")
    return known


def wanted_by(format_: Format, names: Iterable[str]) -> tuple[str, ...]:
    """The files that the format reads."""
    return tuple(
        name
        for name in names
        if any(fnmatchcase(name.lower(), pattern) for pattern in format_.READS)
    )


def detect(documents: Mapping[str, bytes]) -> Format:
    """The format that the documents speak of; ``InvalidInput`` with what they seem to be."""
    found = detection.detect(documents)
    if found.name is not None:
        return FORMATS[found.name]
    words = "It is not clear which format this is: say it."
    told = [Mistake(reason.place, reason.words) for reason in found.reasons]
    raise InvalidInput(words, mistakes=[Mistake("format", words), *told])
