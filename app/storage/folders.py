"""Folders of a local store, reached name by name so that no link leads out of it.

Paths are never joined: each folder is opened below its parent's descriptor with
O_NOFOLLOW, and files are opened, linked and removed below the last one. The root itself is
the operator's choice and may be a link.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from app.errors import StoreUnavailable
from app.storage.disk_errors import close_quietly

FOLDER_MODE = 0o700
_ROOT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BELOW = _ROOT | os.O_NOFOLLOW


def make_root(root: Path) -> None:
    """Make the folder, 0700, and its parents, where they are missing; raises OSError."""
    with suppress(FileExistsError):
        os.makedirs(root, FOLDER_MODE)


def open_root(root: Path) -> int:
    """A descriptor of the store's folder; ``StoreUnavailable`` if it is missing.

    It is opened anew each time: a descriptor that is kept would go on writing into a
    file system that was unmounted from this place.
    """
    try:
        return os.open(root, _ROOT)
    except (FileNotFoundError, NotADirectoryError):
        raise StoreUnavailable(
            "The store's folder is missing: is its file system mounted?",
            operation="store.open",
        ) from None


def sync_folder(folder: int) -> None:
    """Make what was created, renamed or removed in this folder survive a loss of power."""
    os.fsync(folder)


@contextmanager
def opened_folder(root: Path, names: Sequence[str], *, create: bool = False) -> Iterator[int]:
    """A descriptor of the folder ``names`` below ``root``, closed at the end.

    With ``create`` missing folders are made, 0700, each made durable in its parent before
    anything is put into it. Raises OSError: ENOENT, or ENOTDIR for a link or a file.
    """
    folder = walk(root, names, create=create)
    try:
        yield folder
    finally:
        close_quietly(folder)


def walk(root: Path, names: Sequence[str], *, create: bool = False) -> int:
    """As :func:`opened_folder`; the caller closes the descriptor."""
    folder = open_root(root)
    for name in names:
        try:
            child = _open_child(folder, name, create=create)
        finally:
            close_quietly(folder)
        folder = child
    return folder


def _open_child(parent: int, name: str, *, create: bool) -> int:
    try:
        return os.open(name, _BELOW, dir_fd=parent)
    except FileNotFoundError:
        if not create:
            raise
    # Another writer may be faster; it syncs the parent, and so do we.
    with suppress(FileExistsError):
        os.mkdir(name, FOLDER_MODE, dir_fd=parent)
    sync_folder(parent)
    return os.open(name, _BELOW, dir_fd=parent)
