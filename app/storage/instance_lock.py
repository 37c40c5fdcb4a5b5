"""Who may be at an instance at the same time, by ``flock`` on files in its folder.

The kernel drops the lock of a process that dies, so a kill leaves nothing to clean up.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from app.errors import Conflict, StoreUnavailable
from app.storage.disk_errors import StoreErrors, close_quietly

RUNNING: Final = ".running"
"""Shared by every process that serves or works; a restore wants it for itself."""
BACKUP: Final = ".backup"
"""Held while a backup of this installation is made, wherever it goes."""
LOCK_FILES: Final = frozenset({RUNNING, BACKUP})
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def hold_running(instance: Path) -> int:
    """Say until this process ends that it serves this instance; returns a descriptor.

    ``StoreUnavailable`` while somebody restores into it.
    """
    descriptor = _open(instance, RUNNING)
    if not _taken(descriptor, fcntl.LOCK_SH):
        close_quietly(descriptor)
        raise StoreUnavailable(
            "A backup is being restored into this instance.", operation="instance.lock"
        )
    return descriptor


@contextmanager
def alone(instance: Path, name: str, refusal: str) -> Iterator[None]:
    """Hold one of the lock files alone; ``Conflict`` with this sentence if it is held."""
    descriptor = _open(instance, name)
    try:
        if not _taken(descriptor, fcntl.LOCK_EX):
            raise Conflict(refusal, operation="instance.lock")
        yield
    finally:
        close_quietly(descriptor)


def _open(instance: Path, name: str) -> int:
    with StoreErrors("instance.lock"):
        return os.open(instance / name, _FLAGS, 0o600)


def _taken(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
