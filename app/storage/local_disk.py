"""The blob store on a local folder: one file a blob, 0600, in folders 0700."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from app.errors import BlobNotFound, ForeignBlob, StoreError, StoreUnavailable
from app.storage.atomic_write import AtomicFile
from app.storage.disk_errors import StoreErrors, close_quietly
from app.storage.file_handle import READ_FLAGS, FileHandle
from app.storage.file_lock import locked
from app.storage.folders import make_root, open_root, opened_folder, sync_folder
from app.storage.interface import Temporary
from app.storage.listing import blob_keys, temporary_files
from app.storage.object_names import check_key, check_prefix, is_temporary, no_such_blob

LOCK_TIMEOUT_SECONDS = 30.0
# Remembered folders: 256 a collection, about 200 bytes each.
WALKED_FOLDERS = 16_384
# What opening a link and a socket answers.
_NO_FILE = frozenset({errno.ELOOP, errno.ENXIO})


class LocalDisk:
    """A ``BlobStore`` below ``root``. Nothing is touched before the first call.

    It keeps no descriptor, so it may be shared by threads and forks.

    Writing and deleting walk from the root each time and meet every link. Reading walks
    into a folder once and then opens below it by path, which costs a third: a link that
    somebody with our rights puts there later leads to bytes that do not verify.
    """

    def __init__(self, root: Path, *, lock_timeout: float = LOCK_TIMEOUT_SECONDS) -> None:
        self._root = root
        self._lock_timeout = lock_timeout
        self._walked: dict[tuple[str, ...], str] = {}

    def create(self) -> None:
        """Make the store's folder where there is none: only for a store without history."""
        with StoreErrors("store.create"):
            make_root(self._root)
            with opened_folder(self._root.parent, ()) as parent:
                sync_folder(parent)

    def open(self, key: str) -> FileHandle:
        names = check_key(key)
        with StoreErrors("blob.open"):
            return FileHandle(self._open(names[:-1], names[-1]))

    def _open(self, names: tuple[str, ...], name: str) -> int:
        known = self._walked.get(names)
        if known is not None:
            # No such file, or no such store? A link, or on the way to it? The way from the
            # root tells.
            with suppress(FileNotFoundError, ForeignBlob):
                return _open_file(f"{known}/{name}")
        with opened_folder(self._root, names) as folder:
            descriptor = _open_file(name, folder)
        if len(self._walked) >= WALKED_FOLDERS:
            self._walked.clear()
        self._walked[names] = "/".join((str(self._root), *names))
        return descriptor

    def stage(self, key: str, *, durable: bool = True, tag: str | None = None) -> AtomicFile:
        names = check_key(key)
        if is_temporary(names[-1]):
            raise no_such_blob()
        return AtomicFile(self._root, names[:-1], names[-1], durable=durable, tag=tag)

    def put(
        self,
        key: str,
        data: bytes,
        *,
        replace: bool = False,
        durable: bool = True,
        tag: str | None = None,
    ) -> None:
        with self.stage(key, durable=durable, tag=tag) as staged:
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


def _open_file(name: str, folder: int | None = None) -> int:
    """A descriptor to read from; ``ForeignBlob`` for a link, which is not followed."""
    try:
        return os.open(name, READ_FLAGS, dir_fd=folder)
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        raise ForeignBlob(
            "The store holds something that is no file.", operation="blob.open"
        ) from None
