"""Numbers that bound what one account may use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.errors import InvalidInput, Mistake, QuotaExceeded

DEFAULT_PAGE: Final = 20
MAX_PAGE: Final = 200
MAX_MEMBERS: Final = 500
MAX_API_KEYS: Final = 100
#: 2**62: far beyond any disk, and a sum of two still fits the database's integer.
MAX_QUOTA: Final = 1 << 62

_RATE: Final = re.compile(r"[1-9]\d{0,8} per ([1-9]\d{0,4} )?(second|minute|hour|day)s?")
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


@dataclass(frozen=True, slots=True)
class Usage:
    """Bytes of plaintext: what is used, and the limit (None: no limit)."""

    used: int
    limit: int | None

    @property
    def left(self) -> int | None:
        return None if self.limit is None else max(0, self.limit - self.used)


def after_reserving(usage: Usage, size: int) -> Usage:
    """The usage with ``size`` bytes more; ``QuotaExceeded`` when they do not fit."""
    if size < 0:
        raise ValueError("a reservation is not negative")
    left = usage.left
    if left is not None and size > left:
        raise QuotaExceeded(
            f"This needs {in_words(size)}, and {in_words(left)} of your "
            f"{in_words(usage.limit or 0)} are left.",
            operation="quota.reserve",
            details={"size": size, "left": left},
        )
    return Usage(usage.used + size, usage.limit)


def after_releasing(usage: Usage, size: int) -> Usage:
    """The usage with ``size`` bytes less, never below nothing."""
    if size < 0:
        raise ValueError("a release is not negative")
    return Usage(max(0, usage.used - size), usage.limit)


def clean_rate(text: str | None) -> str | None:
    """A rate such as ``600 per minute`` or ``10 per 15 minutes``; None stays None."""
    if text is None or _RATE.fullmatch(text):
        return text
    raise InvalidInput(
        "A rate is written like 600 per minute or 10 per 15 minutes.",
        mistakes=[Mistake("rate", "is not a rate")],
        operation="limits.rate",
    )


def clean_page_size(wanted: int | None) -> int:
    """How many rows a page holds: 1 to 200, 20 unless told."""
    return DEFAULT_PAGE if wanted is None else min(max(wanted, 1), MAX_PAGE)


def in_words(size: int) -> str:
    """A size for people: ``12.5 MiB``."""
    amount, unit = float(size), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{size} bytes" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"
