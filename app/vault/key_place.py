"""One reference in its open folder of the local vault: its file, its copy, its errors."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from app.errors import KeyNotFound, KeyVaultFull, KeyVaultUnavailable
from app.vault.key_file import KeyFile, decode_key_file, encode_key_file
from app.vault.private_folder import PrivateFolder

FILE = ".json"
COPY = ".json.bak"
TEMPORARY = ".tmp-"
# EFBIG is what a limit on file sizes answers.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class KeyPlace:
    """The files of one reference. Whoever writes holds the lock of the folder."""

    def __init__(self, folder: PrivateFolder, reference: str, operation: str) -> None:
        self._folder = folder
        self._reference = reference
        self._operation = operation
        self._file = reference + FILE
        self._copy = reference + COPY
        self._temporary = TEMPORARY + reference

    def read(self) -> KeyFile | None:
        """None if there is no such reference; KeyDamaged if its file is damaged."""
        raw = self._folder.read(self._file)
        return None if raw is None else decode_key_file(self._reference, raw, self._operation)

    def present(self) -> KeyFile:
        """KeyNotFound if there is no such reference."""
        key_file = self.read()
        if key_file is None:
            raise not_found(self._operation, self._reference)
        return key_file

    def write_first(self, key_file: KeyFile) -> None:
        """Write where nothing was; on any failure nothing is left of it."""
        try:
            self._write(key_file)
        except BaseException:
            with suppress(OSError):
                self.remove()
            raise

    def update(self, key_file: KeyFile, at: datetime) -> None:
        """Write, and keep the former file as a copy dated ``at``."""
        self._folder.keep_copy(self._file, self._copy, temporary=self._temporary, at=at)
        self._write(key_file)

    def remove(self) -> None:
        """Every file that may hold a value, the copies first: as long as one of them is
        there, the reference is still listed.

        Synced even where nothing was found: whoever removed it may have been killed before
        that was on the disk.
        """
        for name in (self._temporary, self._copy, self._file):
            self._folder.remove(name)
        self._folder.sync()

    def _write(self, key_file: KeyFile) -> None:
        data = encode_key_file(key_file)
        self._folder.replace(self._file, data, temporary=self._temporary)


@contextmanager
def vault_faults(operation: str, reference: str = "") -> Iterator[None]:
    """Turn what the system says into the errors of the vault, without the system's text."""
    try:
        yield
    except OSError as error:
        raise _from_os_error(error, operation, reference) from None


def _from_os_error(error: OSError, operation: str, reference: str) -> KeyVaultUnavailable:
    number = error.errno or 0
    details = {"reference": reference, "errno": errno.errorcode.get(number, "unknown")}
    if number in _FULL:
        return KeyVaultFull(
            "The key vault is full: no space is left.", operation=operation, details=details
        )
    message = f"The vault folder cannot be used: {os.strerror(number)}"
    return KeyVaultUnavailable(message, operation=operation, details=details)


def not_found(operation: str, reference: str) -> KeyNotFound:
    return KeyNotFound(
        "The vault has no such key", operation=operation, details={"reference": reference}
    )
