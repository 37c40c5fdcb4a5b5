"""Where records stood in a list, so that what is shown and what was only kept mix as before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.formats.dataset import Extra, fields_of, form_of

AT: Final = "at"
"""Of ``form``: the index of an item's first record."""
ASIDE: Final = "aside"
"""Of ``fields``: ``[[index, record], …]``, records that Darkroom does not show."""

Placed = tuple[int | None, Any]


def position(kept: Extra) -> int | None:
    """The index that was noted; None for what was made here."""
    at = form_of(kept).get(AT)
    return at if type(at) is int and at >= 0 else None


def aside(kept: Extra) -> list[tuple[int, Any]]:
    """What was kept aside, with its indexes; entries that are no such pairs are skipped."""
    found = fields_of(kept).get(ASIDE)
    pairs = found if isinstance(found, list) else []
    return [(p[0], p[1]) for p in pairs if isinstance(p, list) and len(p) == 2 and is_at(p[0])]


def is_at(value: object) -> bool:
    return type(value) is int and value >= 0


def in_place(
    items: Iterable[Sequence[Placed]],
    kept: Iterable[tuple[int, Any]],
    mains: Iterable[int | None] | None = None,
) -> list[Any]:
    """All records in one list: items in their order, each before or after the kept ones as it
    was read; a new item stands behind the one before it.

    An item is one record or several with their indexes, None for new ones. What was read and
    not changed gives the order that it was read in. ``mains``: by which index each item has
    its place among the others; without them it is that of its first record.
    """
    keyed: list[tuple[int, int, Any]] = []
    floor = -1
    placed = list(items)
    firsts = [records[0][0] if records else None for records in placed]
    for records, main in zip(placed, firsts if mains is None else mains, strict=True):
        stays = main is not None and main >= floor
        floor = main if stays and main is not None else floor
        for at, record in records:
            key = floor if at is None else at if stays else max(floor, at)
            keyed.append((key, len(keyed), record))
    keyed += [(at, -1, record) for at, record in kept]
    keyed.sort(key=lambda entry: entry[:2])
    return [record for _, _, record in keyed]


def without(fields: Mapping[str, object], *names: str) -> dict[str, object]:
    """The fields but some."""
    return {name: value for name, value in fields.items() if name not in names}
