"""A bound for what is made on request: thumbnails of other sizes than those of the upload.

They can be made again at any time, so the oldest pictures' go first: people look at what is
new. No access time is kept or read: it would be a write for every look, and a record of who
looks at what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.crypto.context import Role
from app.errors import BlobNotFound
from app.jobs.watch import UNWATCHED, Watch
from app.media.decoder_client import STANDARD_SIZES
from app.storage.object_paths import IMAGES, ObjectKey, parse

if TYPE_CHECKING:
    from app.storage.interface import BlobStore

DAY_MS = 86_400_000
STEP = 1000
"""Keys between two looks at whether the work is to stop."""


@dataclass(frozen=True, slots=True)
class Trimmed:
    """``found`` and ``freed`` are bytes, ``removed`` is a count of thumbnails."""

    found: int
    freed: int
    removed: int


class DerivativeCache:
    """Walks the store twice, with a number for each day in memory and no list of keys."""

    def __init__(self, blobs: BlobStore, most: int) -> None:
        """``most`` is the bound in bytes, 0 for none."""
        self._blobs = blobs
        self._most = most

    def trim(self, watch: Watch = UNWATCHED) -> Trimmed:
        """Remove what is above the bound, oldest pictures first."""
        by_day: Counter[int] = Counter()
        for _, known, size in self._made_on_request(watch):
            by_day[known.stored_name.created_ms // DAY_MS] += size
        found = by_day.total()
        excess = found - self._most if self._most else 0
        if excess <= 0:
            return Trimmed(found, 0, 0)
        freed, removed = self._remove(excess, _last_day(by_day, excess), watch)
        return Trimmed(found, freed, removed)

    def _remove(self, excess: int, last_day: int, watch: Watch) -> tuple[int, int]:
        freed = removed = 0
        for key, known, size in self._made_on_request(watch):
            day = known.stored_name.created_ms // DAY_MS
            if day < last_day or (day == last_day and freed < excess):
                with self._blobs.lock(known.base + ".enc"):  # as whoever replaces one
                    gone = self._blobs.delete(key, durable=False)
                freed += size * gone
                removed += gone
        return freed, removed

    def _made_on_request(self, watch: Watch) -> Iterator[tuple[str, ObjectKey, int]]:
        for number, key in enumerate(self._blobs.keys(IMAGES)):
            if number % STEP == 0:
                watch.advance(number)
            known = _thumbnail(key)
            if known is not None and known.variant not in STANDARD_SIZES:
                size = self._size(key)
                if size is not None:
                    yield key, known, size

    def _size(self, key: str) -> int | None:
        try:
            with self._blobs.open(key) as handle:
                return handle.size
        except BlobNotFound:  # gone in the meantime
            return None


def _thumbnail(key: str) -> ObjectKey | None:
    try:
        known = parse(key)
    except BlobNotFound:  # the directory's record, or nothing of ours
        return None
    return known if known.role is Role.THUMBNAIL else None


def _last_day(by_day: Counter[int], excess: int) -> int:
    """The day up to which everything has to go for ``excess`` bytes to be gone."""
    for day in sorted(by_day):
        excess -= by_day[day]
        if excess <= 0:
            break
    return day
