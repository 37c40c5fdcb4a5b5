"""What lies in the folders of a local store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from app.errors import BlobNotFound
from app.storage.disk_errors import StoreErrors
from app.storage.folders import opened_folder
from app.storage.object_names import is_name, is_temporary

Names = tuple[str, ...]
_NS_IN_MS = 1_000_000


def blob_keys(root: Path, folder: Names, start: str) -> Iterator[str]:
    """Keys below ``folder`` whose next name begins with ``start``, folder by folder."""
    for names, files in _folders(root, folder, start):
        for name in files:
            if not name.startswith("."):
                yield "/".join((*names, name))


def temporary_files(root: Path) -> Iterator[tuple[str, int]]:
    """(key, Unix ms of the last write) of every temporary file that is still there."""
    for names, files in _folders(root, (), ""):
        for name in files:
            modified = _modified_ms(root, names, name) if is_temporary(name) else None
            if modified is not None:
                yield "/".join((*names, name)), modified


def _modified_ms(root: Path, names: Names, name: str) -> int | None:
    try:
        with StoreErrors("store.list"), opened_folder(root, names) as folder:
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except BlobNotFound:
        return None
    return facts.st_mtime_ns // _NS_IN_MS


def _folders(root: Path, names: Names, start: str) -> Iterator[tuple[Names, list[str]]]:
    """Depth first; no descriptor stays open while the caller works."""
    files, folders = _scan(root, names)
    yield names, [name for name in files if name.startswith(start)]
    for name in folders:
        if name.startswith(start):
            yield from _folders(root, (*names, name), "")


def _scan(root: Path, names: Names) -> tuple[list[str], list[str]]:
    """Sorted names of files and folders; links, pipes and odd names are passed over."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with (
            StoreErrors("store.list"),
            opened_folder(root, names) as folder,
            os.scandir(folder) as entries,
        ):
            for entry in entries:
                if is_name(entry.name):
                    if entry.is_file(follow_symlinks=False):
                        files.append(entry.name)
                    elif entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
    except BlobNotFound:
        return [], []
    return sorted(files), sorted(folders)
