"""What the gallery's templates are given; see app/templates/README.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import url_for

from app.db.times import utc_now
from app.services.counters import month_of
from app.services.image_card import ImageCard
from app.services.library import Month as MonthTotal
from app.web.destruction import destruction_of

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


# A picture that leaves within this time says so in the gallery.
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tile:
    """A picture in a grid or list."""

    id: UUID
    name: str
    width: int
    height: int
    placeholder: str | None
    size: int
    at: datetime
    status: str
    state: str
    boxes: int | None
    leaves_at: datetime | None  # it goes to the trash then, and that is soon


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a page; ``count`` is of the whole month."""

    key: str
    title: str
    count: int | None
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class MonthMark:
    """A month of the scrubber."""

    key: str
    title: str
    count: int
    url: str


@dataclass(frozen=True, slots=True)
class TrashTile(Tile):
    """A picture in the trash."""

    trashed_at: datetime
    destroyed_at: datetime
    days_left: int


def tile(card: ImageCard) -> Tile:
    """Return a picture as the grid shows it."""
    return Tile(
        id=card.id,
        name=card.name or "Unreadable name",
        width=card.width,
        height=card.height,
        placeholder=card.placeholder,
        size=card.size,
        at=card.sort_at,
        status=card.status,
        state=card.state,
        boxes=card.annotation_count,
        leaves_at=_soon(card.expires_at),
    )


def _soon(moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment - utc_now() < SOON else None


def trash_tile(card: ImageCard) -> TrashTile:
    """Return a picture as the trash shows it; ``days_left`` counts begun days."""
    shown = tile(card)
    trashed = card.trashed_at or card.updated_at
    due = destruction_of(card) or trashed
    left = max(0, -((utc_now() - due) // timedelta(days=1)))
    return TrashTile(
        **{field.name: getattr(shown, field.name) for field in fields(Tile)},
        trashed_at=trashed,
        destroyed_at=due,
        days_left=left,
    )


def months(cards: Iterable[ImageCard], totals: Mapping[str, int]) -> tuple[Month, ...]:
    """Group a page by month, in the order of the page."""
    groups: dict[str, list[Tile]] = {}
    for card in cards:
        groups.setdefault(month_of(card.sort_at), []).append(tile(card))
    return tuple(
        Month(key, month_title(key), totals.get(key), tuple(tiles))
        for key, tiles in groups.items()
    )


def scrubber(
    totals: Iterable[MonthTotal], arguments: Mapping[str, Any]
) -> tuple[MonthMark, ...]:
    """Return a link a month, with the same filters."""
    return tuple(
        MonthMark(
            total.month,
            month_title(total.month),
            total.count,
            page_url(arguments, month=total.month),
        )
        for total in totals
    )


def page_url(arguments: Mapping[str, Any], **more: str) -> str:
    """Return the address of the gallery with these filters."""
    query: dict[str, Any] = {**arguments, **more}
    return url_for("gallery.page", **query)


def month_title(key: str) -> str:
    """Return ``November 2026`` for ``2026-11``."""
    return f"{MONTHS[int(key[5:7]) - 1]} {key[:4]}"
