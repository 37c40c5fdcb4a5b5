"""Where store and database disagree. It only reads: what to do is decided by people.

A crash between blob, sidecar, row and deletion leaves pieces behind, in a known order:
blobs before rows when something is made, rows after blobs when something is destroyed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby, islice
from typing import Protocol

from app.crypto.context import Role
from app.errors import BlobNotFound
from app.storage.interface import BlobStore
from app.storage.object_paths import (
    DIRECTORY_RECORD,
    IMAGES,
    ObjectKey,
    ObjectPath,
    parse,
)

HOUR_MS = 3_600_000
BATCH = 400


class OrphanKind(StrEnum):
    """What is missing, or left over."""

    BLOB_WITHOUT_ROW = "blob_without_row"
    SIDECAR_WITHOUT_BLOB = "sidecar_without_blob"
    BLOB_WITHOUT_SIDECAR = "blob_without_sidecar"
    ROW_WITHOUT_BLOB = "row_without_blob"
    STALE_TEMPORARY = "stale_temporary"
    FOREIGN = "foreign"
    KEY_WITHOUT_ROW = "key_without_row"  # in the vault, which the services look through


@dataclass(frozen=True, slots=True)
class Orphan:
    """``key`` is where the thing lies, or, of a row without a blob, where it should."""

    kind: OrphanKind
    key: str


class KnownRows(Protocol):
    """The images that the database knows; filled by the services."""

    def named(self, stored_names: Sequence[str], /) -> Iterable[ObjectPath]:
        """The rows, in whatever state, that have one of these stored names."""
        ...

    def kept(self) -> Iterable[ObjectPath]:
        """Every row whose original must be in the store."""
        ...


@dataclass(slots=True)
class OrphanReport:
    """How many of each kind, and the first few keys of each."""

    counts: Counter[OrphanKind] = field(default_factory=Counter)
    examples: dict[OrphanKind, list[str]] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        return not self.counts

    @classmethod
    def of(cls, orphans: Iterable[Orphan], examples: int = 20) -> OrphanReport:
        report = cls()
        for orphan in orphans:
            report.counts[orphan.kind] += 1
            known = report.examples.setdefault(orphan.kind, [])
            if len(known) < examples:
                known.append(orphan.key)
        return report


def find_orphans(
    blobs: BlobStore, rows: KnownRows, *, now_ms: int, settled_ms: int = HOUR_MS
) -> Iterator[Orphan]:
    """Every disagreement between the store's images and the rows, one after the other.

    What is younger than ``settled_ms`` (by the time in its stored name, or of the last write
    to a temporary file) may belong to an upload under way and is passed over. Memory is
    bounded by the largest folder. ``now_ms`` is Unix time in ms.
    """
    before = now_ms - settled_ms
    yield from _left_in_store(blobs, rows, before)
    for path in rows.kept():
        if not blobs.exists(path.original):
            yield Orphan(OrphanKind.ROW_WITHOUT_BLOB, path.original)
    for temporary in blobs.temporaries():
        if temporary.modified_ms < before:
            yield Orphan(OrphanKind.STALE_TEMPORARY, temporary.key)


def _left_in_store(blobs: BlobStore, rows: KnownRows, before: int) -> Iterator[Orphan]:
    for _, keys in groupby(blobs.keys(IMAGES), key=_folder_of):
        images: dict[str, list[tuple[str, ObjectKey]]] = {}
        for key in keys:
            known = _parsed(key)
            if known is None:
                if key != DIRECTORY_RECORD:
                    yield Orphan(OrphanKind.FOREIGN, key)
            elif known.stored_name.created_ms < before:
                images.setdefault(known.base, []).append((key, known))
        yield from _left_in_folder(images, rows)


def _folder_of(key: str) -> str:
    return key.rpartition("/")[0]


def _parsed(key: str) -> ObjectKey | None:
    try:
        return parse(key)
    except BlobNotFound:
        return None


def _left_in_folder(
    images: dict[str, list[tuple[str, ObjectKey]]], rows: KnownRows
) -> Iterator[Orphan]:
    """``images`` are the keys of one folder by :attr:`ObjectKey.base`."""
    waiting = iter(images.items())
    while batch := list(islice(waiting, BATCH)):
        names = [str(keys[0][1].stored_name) for _, keys in batch]
        known = {path.base for path in rows.named(names)}
        for base, keys in batch:
            yield from _left_of_image(keys, has_row=base in known)


def _left_of_image(keys: list[tuple[str, ObjectKey]], *, has_row: bool) -> Iterator[Orphan]:
    sidecar = next((key for key, known in keys if known.is_sidecar), None)
    original = next((key for key, known in keys if _is_original(known)), None)
    if sidecar and not original:
        yield Orphan(OrphanKind.SIDECAR_WITHOUT_BLOB, sidecar)
    if not has_row:
        for key, known in keys:
            if not known.is_sidecar:
                yield Orphan(OrphanKind.BLOB_WITHOUT_ROW, key)
    elif original and not sidecar:
        yield Orphan(OrphanKind.BLOB_WITHOUT_SIDECAR, original)


def _is_original(known: ObjectKey) -> bool:
    return known.role is Role.ORIGINAL and not known.is_sidecar
