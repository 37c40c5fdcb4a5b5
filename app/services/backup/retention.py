"""Which backups stay, and which sealed files nobody needs any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.errors import DarkroomError
from app.services.backup.locks import Locks
from app.services.backup.manifest import MANIFEST, OBJECTS, folder_of
from app.services.backup.opened import generations, open_backup
from app.storage.archive import Archive


@dataclass(frozen=True, slots=True)
class Pruned:
    """``backups`` that went, ``files`` that no backup needed any more; ``held_back``: files
    stay because a backup that is kept cannot be opened with the keys that are there.
    """

    backups: int = 0
    files: int = 0
    held_back: bool = False


def prune(archive: Archive, locks: Locks, keep: int) -> Pruned:
    """Remove all but the newest ``keep`` complete backups, and what interrupted ones left.

    A backup goes manifest first: a crash leaves one that is none, never one that lacks files.
    """
    folders, complete = generations(archive)
    kept = complete[-keep:]
    for temporary in list(archive.temporaries()):
        archive.delete(temporary.key)
    for name in complete[:-keep]:
        archive.delete(folder_of(name) + MANIFEST)
    going = sorted(folders.keys() - set(kept))
    for name in going:
        for key in folders[name]:
            archive.delete(key)
    if not going:
        return Pruned()
    needed = _needed(archive, locks, kept)
    if needed is None:
        return Pruned(len(complete) - len(kept), held_back=True)
    return Pruned(len(complete) - len(kept), _sweep(archive, needed))


def _needed(archive: Archive, locks: Locks, names: Iterable[str]) -> set[str] | None:
    """The hashes of all files of these backups; None if one of them does not open."""
    needed: set[str] = set()
    try:
        for name in names:
            for holding in open_backup(archive, locks, name).holdings():
                needed.update(one.sha256 for one in holding.files)
    except DarkroomError:
        return None
    return needed


def _sweep(archive: Archive, needed: set[str]) -> int:
    idle = [key for key in archive.keys(OBJECTS) if key.rpartition("/")[2] not in needed]
    for key in idle:
        archive.delete(key)
    return len(idle)
