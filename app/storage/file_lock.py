"""Locks between threads and processes, by ``flock`` on a small fixed set of files.

A lock file for each key would have to be removed again, which races, or would stay for
ever. So a key takes one of 256 files by its hash: two keys may share one, hence whoever
holds a lock takes no second. The kernel drops the lock of a process that dies.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import StoreUnavailable
from app.storage.disk_errors import StoreErrors, close_quietly
from app.storage.folders import opened_folder

LOCKS = ".locks"
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
_PAUSE_SECONDS = 0.005


@contextmanager
def locked(root: Path, key: str, timeout: float) -> Iterator[None]:
    """Hold the lock of ``key``; ``StoreUnavailable`` after ``timeout`` seconds of waiting."""
    with StoreErrors("blob.lock"):
        descriptor = _open_lock(root, key)
    try:
        with StoreErrors("blob.lock"):
            _acquire(descriptor, time.monotonic() + timeout)
        yield
    finally:
        close_quietly(descriptor)


def _open_lock(root: Path, key: str) -> int:
    name = hashlib.sha256(key.encode("ascii")).hexdigest()[:2]
    with opened_folder(root, (LOCKS,), create=True) as folder:
        return os.open(name, _FLAGS, 0o600, dir_fd=folder)


def _acquire(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno != errno.EWOULDBLOCK:
                raise
        else:
            return
        if time.monotonic() >= deadline:
            raise StoreUnavailable("Somebody else holds this blob.", operation="blob.lock")
        time.sleep(_PAUSE_SECONDS)
