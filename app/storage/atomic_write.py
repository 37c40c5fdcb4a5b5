"""One file that appears complete or not at all.

The bytes go to ``.tmp-<random>`` in the same folder; ``commit`` syncs them, gives them
their name (``link`` refuses a taken one, ``rename`` replaces it) and syncs the folder.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from app.errors import StoreError
from app.storage.disk_errors import StoreErrors, close_quietly
from app.storage.file_handle import READ_FLAGS, FileHandle
from app.storage.folders import sync_folder, walk
from app.storage.object_names import new_temporary_name

FILE_MODE = 0o600
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class AtomicFile:
    """A ``StagedBlob`` on a local disk.

    ``folder`` are the names below ``root``; missing folders are made. ``durable=False``
    leaves out every sync. ``tag`` names the temporary file.
    """

    def __init__(
        self,
        root: Path,
        folder: tuple[str, ...],
        name: str,
        *,
        durable: bool,
        tag: str | None = None,
    ) -> None:
        self._name = name
        self._durable = durable
        self._synced = False
        self._temporary: str | None = None
        self._file = -1
        self._folder = -1
        with StoreErrors("blob.stage"):
            self._folder = walk(root, folder, create=True)
            try:
                self._create(new_temporary_name(tag))
            except BaseException:
                self._close()
                raise

    def _create(self, temporary: str) -> None:
        self._file = os.open(temporary, _CREATE, FILE_MODE, dir_fd=self._folder)
        self._temporary = temporary

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append all of ``data`` and return its length in bytes."""
        view = memoryview(data)
        with StoreErrors("blob.write"):
            written = os.write(self._file, view)
            while written < len(view):
                written += os.write(self._file, view[written:])
        return written

    def review(self) -> FileHandle:
        """See ``StagedBlob.review``: synced, then opened anew."""
        if self._temporary is None:
            raise _over()
        with StoreErrors("blob.review"):
            self._sync()
            return FileHandle(os.open(self._temporary, READ_FLAGS, dir_fd=self._folder))

    def _sync(self) -> None:
        if self._durable and not self._synced:
            os.fsync(self._file)
            self._synced = True

    def commit(self, *, replace: bool = False, settle: bool = True) -> None:
        """See ``StagedBlob.commit``: with ``settle`` the folder is synced too."""
        if self._temporary is None:
            raise _over()
        try:
            with StoreErrors("blob.commit"):
                self._sync()
                place = self._replace if replace else self._link
                place(self._temporary, sync=self._durable and settle)
        finally:
            self.abort()

    def _replace(self, temporary: str, *, sync: bool) -> None:
        try:
            self._rename(temporary, self._name)
        except IsADirectoryError:
            self._put_folder_aside()
            self._rename(temporary, self._name)
        self._temporary = None
        if sync:
            sync_folder(self._folder)

    def _rename(self, name: str, new: str) -> None:
        os.replace(name, new, src_dir_fd=self._folder, dst_dir_fd=self._folder)

    def _put_folder_aside(self) -> None:
        """A folder that somebody put in the place of a blob is no reason never to write it.

        What is in it is not ours to remove.
        """
        aside = new_temporary_name()
        self._rename(self._name, aside)
        with suppress(OSError):
            os.rmdir(aside, dir_fd=self._folder)

    def _link(self, temporary: str, *, sync: bool) -> None:
        os.link(
            temporary,
            self._name,
            src_dir_fd=self._folder,
            dst_dir_fd=self._folder,
            follow_symlinks=False,
        )
        try:
            os.unlink(temporary, dir_fd=self._folder)
            self._temporary = None
            if sync:
                sync_folder(self._folder)
        except BaseException:
            # Nobody was told of this blob, so nobody misses it.
            with suppress(OSError):
                os.unlink(self._name, dir_fd=self._folder)
            raise

    def abort(self) -> None:
        """Remove the temporary file, if the disk still lets us: reconcile finds the rest."""
        temporary, self._temporary = self._temporary, None
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary, dir_fd=self._folder)
        self._close()

    def _close(self) -> None:
        close_quietly(self._file)
        close_quietly(self._folder)
        self._file = self._folder = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.abort()


def _over() -> StoreError:
    return StoreError("This blob was committed or given up.", operation="blob.commit")
