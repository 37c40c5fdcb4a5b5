"""What a file or the other side cannot hold: the list of a conversion, by stable codes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.formats.loss_codes import MEANINGS, LossCode, Weight

__all__ = ["MEANINGS", "Ledger", "Loss", "LossCode", "Weight"]


@dataclass(frozen=True, slots=True)
class Loss:
    """``count`` times ``code``, first at ``place`` (``file:line``, ``file:$.path`` or '')."""

    code: LossCode
    place: str
    words: str
    count: int = 1

    @property
    def weight(self) -> Weight:
        return MEANINGS[self.code][0]


class Ledger:
    """Collects losses: one entry a code, with its first place and how often."""

    def __init__(self, losses: Iterable[Loss] = ()) -> None:
        self._entries = {loss.code: loss for loss in losses}

    def add(self, code: LossCode, place: str = "", count: int = 1) -> None:
        known = self._entries.get(code) or Loss(code, place, MEANINGS[code][1], 0)
        self._entries[code] = replace(known, count=known.count + count)

    def take(self, other: Ledger) -> None:
        """Add all of another ledger."""
        for loss in other._entries.values():
            self.add(loss.code, loss.place, loss.count)

    @property
    def losses(self) -> tuple[Loss, ...]:
        """In the order of the enumeration."""
        return tuple(self._entries[code] for code in LossCode if code in self._entries)
