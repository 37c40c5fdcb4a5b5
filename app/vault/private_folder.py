"""A folder that only its owner can read, and the few things a vault does in it.

Every operation is relative to one open descriptor, so the folder whose owner and mode were
checked is the folder that is used. Everything goes through the ``os`` module, call by call:
the fault tests fail and kill each of them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from app.errors import KeyDamaged, KeyVaultError

_FOLDER_MODE = 0o700
_FILE_MODE = 0o600
# A file beyond this is not ours: 250 bytes a version, one version a rotation.
_SIZE_LIMIT = 4 * 1024 * 1024
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS})
_LOCK = ".lock"
# O_NONBLOCK: a pipe that somebody put there must not hold the request.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
# What opening a link and a socket answers.
_FOREIGN = frozenset({errno.ELOOP, errno.ENXIO})


class PrivateFolder:
    """One open folder of mode 0700; close it, or use it as a context manager.

    Raises OSError as the system does, and KeyVaultError where the owner or the mode of the
    folder or of a file lets somebody else in.
    """

    def __init__(self, descriptor: int, label: str) -> None:
        self._descriptor = descriptor
        self._label = label

    @classmethod
    def open(cls, path: Path) -> PrivateFolder:
        """Open the top folder; it may be reached by a symbolic link, what is in it may not."""
        return cls._opened(os.open(path, os.O_RDONLY | os.O_DIRECTORY), "The vault folder")

    @classmethod
    def create(cls, path: Path) -> None:
        """Make the folder and its missing parents, each 0700 and synced before the next."""
        if path.is_dir():
            return
        cls.create(path.parent)
        path.mkdir(mode=_FOLDER_MODE, exist_ok=True)
        parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(parent)
        finally:
            _close(parent)

    @classmethod
    def _opened(cls, descriptor: int, label: str) -> PrivateFolder:
        try:
            _refuse_access_of_others(descriptor, label, "0700")
        except BaseException:
            _close(descriptor)
            raise
        return cls(descriptor, label)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _close(self._descriptor)

    def folder(self, name: str) -> PrivateFolder:
        """Open a folder in this one. FileNotFoundError if there is none."""
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
        descriptor = os.open(name, flags, dir_fd=self._descriptor)
        return self._opened(descriptor, f"The vault's folder {name}")

    def make_folder(self, name: str) -> bool:
        """Make a folder in this one; False if it was there. Durable after ``sync``."""
        try:
            os.mkdir(name, _FOLDER_MODE, dir_fd=self._descriptor)
        except FileExistsError:
            return False
        return True

    def sync(self) -> None:
        """What was created, replaced and removed in here is on the disk when this returns."""
        os.fsync(self._descriptor)

    def names(self) -> list[str]:
        return os.listdir(self._descriptor)  # noqa: PTH208 - a descriptor, not a path

    def modified_at(self, name: str) -> float | None:
        """Seconds since the epoch, or None if there is no such file."""
        with suppress(FileNotFoundError):
            return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False).st_mtime
        return None

    def read(self, name: str) -> bytes | None:
        """The whole file, or None if there is none; KeyDamaged for what is no file."""
        try:
            descriptor = os.open(name, _READ, dir_fd=self._descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno not in _FOREIGN:
                raise
            raise _no_file() from None
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise _no_file()
            _refuse_access_of_others(descriptor, f"The vault's file {name}", "0600")
            return _read_to_the_end(descriptor)
        finally:
            _close(descriptor)

    def replace(self, name: str, data: bytes, *, temporary: str, settle: bool = True) -> None:
        """Put a file in the place of another, or of none; all or nothing, and durable
        (without ``settle`` only after ``sync``).

        ``temporary`` is the same at each try for one file, so that what a killed writer left
        is overwritten by the next, and can be removed by name. The caller holds the lock.
        """
        try:
            self._write(temporary, data)
            os.replace(
                temporary, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor
            )
        except BaseException:
            with suppress(OSError):
                self.remove(temporary)
            raise
        if settle:
            self.sync()

    def keep_copy(self, name: str, copy: str, *, temporary: str, at: datetime) -> None:
        """Keep the present file under another name, dated ``at``, replacing an older copy.

        A hard link costs no data; where there are none the bytes are copied. The former copy
        goes first: renaming over another link of the same file would do nothing.
        """
        self.remove(copy)
        try:
            self._link(name, copy)
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            data = self.read(name)
            if data is None:
                return
            self.replace(copy, data, temporary=temporary)
        moment = at.timestamp()
        os.utime(copy, (moment, moment), dir_fd=self._descriptor, follow_symlinks=False)

    def remove(self, name: str) -> bool:
        """True if there was such a file, or an empty folder that somebody put in its place."""
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except FileNotFoundError:
            return False
        except IsADirectoryError:
            os.rmdir(name, dir_fd=self._descriptor)
        return True

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other writer of this folder out, in this process and in others.

        The lock is on a file of its own that is never removed: the files it guards come and
        go, and a lock on a file that was replaced guards nothing. (The folder itself cannot
        be locked for writing over NFS.)
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(_LOCK, flags, _FILE_MODE, dir_fd=self._descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            _close(descriptor)

    def _link(self, name: str, copy: str) -> None:
        here = self._descriptor
        os.link(name, copy, src_dir_fd=here, dst_dir_fd=here, follow_symlinks=False)

    def _write(self, name: str, data: bytes) -> None:
        descriptor = self._create(name)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _create(self, name: str) -> int:
        """Never an existing file: its mode, owner and other links would not be ours."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            return os.open(name, flags, _FILE_MODE, dir_fd=self._descriptor)
        except FileExistsError:
            self.remove(name)
            return os.open(name, flags, _FILE_MODE, dir_fd=self._descriptor)


def _close(descriptor: int) -> None:
    """For what was only read, or already synced: nothing that was done is undone by it."""
    with suppress(OSError):
        os.close(descriptor)


def _read_to_the_end(descriptor: int) -> bytes:
    data = bytearray()
    while part := os.read(descriptor, 65536):
        data += part
        if len(data) > _SIZE_LIMIT:
            raise KeyDamaged("A file of the vault is too large", operation="vault.read")
    return bytes(data)


def _no_file() -> KeyDamaged:
    return KeyDamaged("The vault holds something that is no file", operation="vault.read")


def _refuse_access_of_others(descriptor: int, label: str, mode: str) -> None:
    """Raise KeyVaultError unless the file or folder is ours and nobody else's."""
    facts = os.fstat(descriptor)
    if facts.st_uid != os.geteuid():
        raise KeyVaultError(
            f"{label} belongs to another user; it must belong to the one who runs Darkroom",
            operation="vault.permissions",
            details={"owner": facts.st_uid, "expected": os.geteuid()},
        )
    present = stat.S_IMODE(facts.st_mode)
    if present & 0o077:
        raise KeyVaultError(
            f"{label} is open to group or others (mode {present:04o}); make it {mode}",
            operation="vault.permissions",
            details={"mode": f"{present:04o}"},
        )
