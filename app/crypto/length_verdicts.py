"""Remembers which blobs had their length verified, so that it is done once a file."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

MOST_VERDICTS: Final = 8192


class LengthVerdicts:
    """A bounded set of (identity of the file, header tag) whose final chunk opened.

    The identity (device, inode, size, mtime in ns) changes when a file is written to or
    replaced; the header tag names the encryption run. A source with an empty identity is
    never remembered. Shared by threads; the least recently used verdicts are forgotten.
    """

    def __init__(self, capacity: int = MOST_VERDICTS) -> None:
        self._capacity = capacity
        self._seen: OrderedDict[tuple[tuple[int, ...], bytes], None] = OrderedDict()
        self._lock = threading.Lock()

    def knows(self, identity: tuple[int, ...], header_tag: bytes) -> bool:
        with self._lock:
            known = (identity, header_tag) in self._seen
            if known:
                self._seen.move_to_end((identity, header_tag))
        return known

    def add(self, identity: tuple[int, ...], header_tag: bytes) -> None:
        if not identity:
            return
        with self._lock:
            self._seen[identity, header_tag] = None
            self._seen.move_to_end((identity, header_tag))
            if len(self._seen) > self._capacity:
                self._seen.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._seen.clear()
