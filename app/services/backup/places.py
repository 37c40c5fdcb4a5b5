"""The folders that a restore fills."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from app.crypto.kdf import MasterKey
from app.errors import StoreUnavailable
from app.storage.instance_lock import LOCK_FILES

if TYPE_CHECKING:
    from app.services.keys import KeyVaulting
    from app.storage.local_disk import LocalDisk

RESTORING: Final = ".restoring"
"""The file of the instance that tells of a restore that has not come to its end."""
DATABASE_FILES: Final = ("", "-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True)
class Destination:
    """An instance that is to be filled. ``vault_path`` is None where the keys go elsewhere."""

    instance: Path
    database: Path
    store_path: Path
    vault_path: Path | None
    blobs: LocalDisk
    vaulting: KeyVaulting
    master: MasterKey


def empty(place: Path) -> None:
    """The folder itself may be where a disk is mounted."""
    for entry in list(place.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    with suppress(OSError):
        place.rmdir()


def unfinished(database: Path) -> Path:
    return database.with_name(database.name + RESTORING)


def holds_something(place: Path, but: frozenset[str] = frozenset()) -> bool:
    return place.exists() and any(entry.name not in but for entry in place.iterdir())


def make_folder(instance: Path) -> bool:
    """Make it, 0700; True if it was not there."""
    try:
        if instance.exists():
            return False
        instance.mkdir(mode=0o700, parents=True)
    except OSError:
        raise StoreUnavailable(
            "The folder to restore into cannot be made.", operation="restore.target"
        ) from None
    return True


def remove_if_empty(instance: Path, made: bool) -> None:
    if not made or holds_something(instance, LOCK_FILES):
        return
    for name in LOCK_FILES:
        (instance / name).unlink(missing_ok=True)
    instance.rmdir()


def sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
