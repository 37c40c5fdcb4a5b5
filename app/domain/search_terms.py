"""What a search asks of sealed things: names, labels, attributes, who drew.

An attribute is asked for as ``name`` (it has a value), ``name:value``, ``name:>3``,
``name:>=3``, ``name:<3``, ``name:<=3`` or ``name:1..5`` (both ends belong to it). Words and
values are compared without regard to case, numbers as numbers: ``name:3.0`` finds 3, and
text that says "3" is found by ``name:3`` alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.domain.annotation import Attributes
from app.domain.attribute_types import value_word
from app.domain.attributes import MAX_ATTRIBUTE_NAME
from app.domain.labels import clean_label
from app.domain.names import clean_name, refuse
from app.domain.text_rules import to_nfc

MAX_WORDS: Final = 10
MAX_TEXT: Final = 200
MAX_TERMS: Final = 8

_NUMBER = r"-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,3})?"
_ALONE = re.compile(_NUMBER, re.ASCII | re.IGNORECASE)
_COMPARED = re.compile(rf"(>=|<=|>|<)\s*({_NUMBER})", re.ASCII | re.IGNORECASE)
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER})", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AttributeTerm:
    """``value`` None and no bound: any value will do. A bound is (number, belongs to it).

    ``number``: what ``value`` is as a number; None where it is none.
    """

    name: str
    value: str | None = None
    number: float | None = None
    low: tuple[float, bool] | None = None
    high: tuple[float, bool] | None = None

    def fits(self, attributes: Attributes) -> bool:
        found = attributes.get(self.name)
        values: Sequence[Any] = found if isinstance(found, list | tuple) else [found]
        return any(self._fits(value) for value in values)

    def _fits(self, value: object) -> bool:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.low is None and self.high is None:
            word = value_word(value)
            is_it = word != "" and self.value in (None, word.casefold())
            return is_it or (self.number is not None and is_number and value == self.number)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        low, high = self.low, self.high
        above = low is None or value > low[0] or (low[1] and value == low[0])
        below = high is None or value < high[0] or (high[1] and value == high[0])
        return above and below


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """All of them must fit; label, attributes and annotator on one and the same annotation."""

    words: tuple[str, ...] = ()
    label: str | None = None
    attributes: tuple[AttributeTerm, ...] = ()
    annotator: UUID | None = None

    @property
    def any(self) -> bool:
        return bool(self.words) or self.about_annotations

    @property
    def about_annotations(self) -> bool:
        return self.label is not None or bool(self.attributes) or self.annotator is not None

    @property
    def only_label(self) -> bool:
        return self.label is not None and not (self.words or self.attributes or self.annotator)

    def name_fits(self, name: str | None) -> bool:
        """Whether each word stands somewhere in a picture's name; '' is in every one."""
        told = (name or "").casefold()
        return all(word in told for word in self.words)


def read_words(text: str, path: str = "q") -> tuple[str, ...]:
    """The words of a search, folded; ``InvalidInput`` for too many."""
    if len(text) > MAX_TEXT:
        raise refuse(path, f"At most {MAX_TEXT} characters fit here.")
    words = tuple(dict.fromkeys(to_nfc(text).casefold().split()))
    if len(words) > MAX_WORDS:
        raise refuse(path, f"At most {MAX_WORDS} words can be searched at once.")
    return words


def read_label(text: str | None, path: str = "label") -> str | None:
    """The name of a class; None for none."""
    return clean_label(text, path) if text and text.strip() else None


def read_attribute_terms(
    texts: Sequence[str], path: str = "attribute"
) -> tuple[AttributeTerm, ...]:
    """The terms, empty ones left out; ``InvalidInput``."""
    told = [text.strip() for text in texts if text.strip()]
    if len(told) > MAX_TERMS:
        raise refuse(path, f"At most {MAX_TERMS} attributes can be searched at once.")
    return tuple(_attribute_term(text, path) for text in told)


def _attribute_term(text: str, path: str) -> AttributeTerm:
    name, colon, rest = text.partition(":")
    name, rest = clean_name(name, path, longest=MAX_ATTRIBUTE_NAME), rest.strip()
    if not colon:
        return AttributeTerm(name)
    if not rest:
        raise refuse(path, "A value is missing after the colon.")
    if match := _COMPARED.fullmatch(rest):
        bound = (float(match[2]), "=" in match[1])
        is_low = match[1].startswith(">")
        return AttributeTerm(name, low=bound) if is_low else AttributeTerm(name, high=bound)
    if match := _RANGE.fullmatch(rest):
        low, high = float(match[1]), float(match[2])
        if low > high:
            raise refuse(path, "A range goes from the smaller number to the larger one.")
        return AttributeTerm(name, low=(low, True), high=(high, True))
    number = float(rest) if _ALONE.fullmatch(rest) else None
    return AttributeTerm(name, value=to_nfc(rest).casefold(), number=number)
