"""The blob store on a local folder: one file a blob, 0600, in folders 0700."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from app.errors import BlobNotFound, StoreError, StoreUnavailable
from app.storage.atomic_write import AtomicFile
from app.storage.disk_errors import StoreErrors, close_quietly
from app.storage.file_handle import READ_FLAGS, FileHandle
from app.storage.file_lock import locked
from app.storage.folders import make_root, open_root, opened_folder, sync_folder
from app.storage.interface import Temporary
from app.storage.listing import blob_keys, temporary_files
from app.storage.object_names import check_key, check_prefix, is_temporary, no_such_blob

LOCK_TIMEOUT_SECONDS = 30.0


class LocalDisk:
    """A ``BlobStore`` below ``root``. Nothing is touched before the first call.

    It keeps no descriptor and no state, so it may be shared by threads and forks.
    """

    def __init__(self, root: Path, *, lock_timeout: float = LOCK_TIMEOUT_SECONDS) -> None:
        self._root = root
        self._lock_timeout = lock_timeout

    def create(self) -> None:
        """Make the store's folder where there is none: only for a store without history."""
        with StoreErrors("store.create"):
            make_root(self._root)
            with opened_folder(self._root.parent, ()) as parent:
                sync_folder(parent)

    def open(self, key: str) -> FileHandle:
        names = check_key(key)
        with StoreErrors("blob.open"), opened_folder(self._root, names[:-1]) as folder:
            return FileHandle(os.open(names[-1], READ_FLAGS, dir_fd=folder))

    def stage(self, key: str, *, durable: bool = True) -> AtomicFile:
        names = check_key(key)
        if is_temporary(names[-1]):
            raise no_such_blob()
        return AtomicFile(self._root, names[:-1], names[-1], durable=durable)

    def put(
        self, key: str, data: bytes, *, replace: bool = False, durable: bool = True
    ) -> None:
        with self.stage(key, durable=durable) as staged:
            staged.write(data)
            staged.commit(replace=replace)

    def read(self, key: str, limit: int) -> bytes:
        with self.open(key) as handle:
            if handle.size > limit:
                raise StoreError("This blob is larger than it may be.", operation="blob.read")
            data = bytearray(handle.size)
            return bytes(data[: handle.pread_into(memoryview(data), 0)])

    def delete(self, key: str, *, durable: bool = True) -> bool:
        names = check_key(key)
        try:
            with StoreErrors("blob.delete"), opened_folder(self._root, names[:-1]) as folder:
                os.unlink(names[-1], dir_fd=folder)
                if durable:
                    sync_folder(folder)
        except BlobNotFound:
            return False
        return True

    def exists(self, key: str) -> bool:
        names = check_key(key)
        try:
            with StoreErrors("blob.stat"), opened_folder(self._root, names[:-1]) as folder:
                facts = os.stat(names[-1], dir_fd=folder, follow_symlinks=False)
        except BlobNotFound:
            return False
        return stat.S_ISREG(facts.st_mode)

    def keys(self, prefix: str = "") -> Iterator[str]:
        folder, start = check_prefix(prefix)
        return blob_keys(self._root, folder, start)

    def temporaries(self) -> Iterator[Temporary]:
        return (Temporary(key, modified) for key, modified in temporary_files(self._root))

    def lock(self, key: str) -> AbstractContextManager[None]:
        check_key(key)
        return locked(self._root, key, self._lock_timeout)

    def free_bytes(self) -> int:
        with StoreErrors("store.free"):
            facts = os.statvfs(self._root)
        return facts.f_bavail * facts.f_frsize

    def check(self) -> None:
        with StoreErrors("store.check"):
            close_quietly(open_root(self._root))
            if not os.access(self._root, os.R_OK | os.W_OK | os.X_OK):
                raise StoreUnavailable(
                    "The store's folder cannot be written.", operation="store.check"
                )
