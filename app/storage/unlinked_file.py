"""A file without a name: it is gone with its descriptor, whatever happens to the process."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from app.storage.disk_errors import StoreErrors, close_quietly
from app.storage.file_handle import FileHandle
from app.storage.folders import make_root, opened_folder
from app.storage.object_names import new_temporary_name

_FLAGS = os.O_RDWR | os.O_CLOEXEC
# Not on macOS; and not every file system of Linux has it (the errors below).
_UNNAMED = getattr(os, "O_TMPFILE", 0)
_NO_UNNAMED = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL})


class UnlinkedFile:
    """Written from its start to its end, then read by :meth:`reader`; 0600.

    Only sealed bytes may be written. Raises ``StoreFull`` and ``StoreUnavailable``.
    """

    def __init__(self, folder: Path) -> None:
        """Below ``folder``, which is made (0700) if it is missing."""
        self._descriptor = -1
        with StoreErrors("spool.open"):
            make_root(folder)
            with opened_folder(folder, ()) as parent:
                self._descriptor = _create(parent)

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Append all of ``data`` and return its length in bytes."""
        view = memoryview(data)
        with StoreErrors("spool.write"):
            written = os.write(self._descriptor, view)
            while written < len(view):
                written += os.write(self._descriptor, view[written:])
        return written

    def reader(self) -> FileHandle:
        """Hand the descriptor over for reading: writing ends here."""
        descriptor, self._descriptor = self._descriptor, -1
        with StoreErrors("spool.read"):
            return FileHandle(descriptor)

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        close_quietly(descriptor)


def _create(parent: int) -> int:
    if _UNNAMED:
        try:
            return os.open(".", _FLAGS | _UNNAMED | os.O_EXCL, 0o600, dir_fd=parent)
        except OSError as error:
            if error.errno not in _NO_UNNAMED:
                raise
    return _create_and_unlink(parent)


def _create_and_unlink(parent: int) -> int:
    name = new_temporary_name()
    flags = _FLAGS | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(name, flags, 0o600, dir_fd=parent)
    try:
        os.unlink(name, dir_fd=parent)
    except BaseException:
        close_quietly(descriptor)
        raise
    return descriptor
